"""The smallest call of any operation that the SDK would accept, made from the service's model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel, Shape

_NAMED = {
    "Bucket": "a-bucket",
    "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/q",
    "FunctionName": "f",
    "RequestRoute": "route",
    "AccountId": "123456789012",
}
_PLAIN: dict[str, Any] = {
    "blob": b"x",
    "timestamp": datetime(2030, 1, 1, tzinfo=UTC),
    "boolean": False,
    "document": {},
}


def minimal_call(operation: OperationModel) -> dict[str, Any]:
    """Return the required parameters only."""
    return _structure(operation.input_shape, ()) if operation.input_shape is not None else {}


def _structure(shape: Any, above: tuple[str, ...]) -> dict[str, Any]:
    if shape.name in above:  # required members that hold themselves end somewhere in a real call
        return {}
    wanted = list(shape.required_members)
    if getattr(shape, "is_tagged_union", False) and not wanted:
        wanted = list(shape.members)[:1]
    return {name: _value(name, shape.members[name], (*above, shape.name)) for name in wanted}


def _value(name: str, shape: Shape, above: tuple[str, ...]) -> Any:
    kind, least = shape.type_name, int(shape.metadata.get("min", 0))
    if kind == "structure":
        return {} if shape.metadata.get("document") else _structure(shape, above)
    if kind == "list":
        return [_value(name, shape.member, above) for _ in range(least)]
    if kind == "map":
        key, value = shape.key, shape.value
        return {_value(f"k{i}", key, above): _value(name, value, above) for i in range(least)}
    if kind == "string":
        return _text(name, shape, least)
    if kind in ("integer", "long", "float", "double"):
        return max(least, 0)
    return _PLAIN[kind]


def _text(name: str, shape: Shape, least: int) -> str:
    if name in _NAMED:
        return _NAMED[name]
    enum = getattr(shape, "enum", None)
    if enum:
        return str(enum[0])
    if name.lower().endswith("arn"):
        return "arn:aws:kinesis:eu-central-1:123456789012:stream/" + "x" * max(1, least - 49)
    return name[:1] + "x" * max(least - 1, 2)
