"""Answers and errors in AWS's XML protocols (query, rest-xml), written by the service model."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from botocore.model import OperationModel, Shape


def answer_xml(operation: OperationModel, answer: dict[str, Any]) -> str:
    """Return the body of a good answer."""
    shape = operation.output_shape
    inner = "".join(_members(shape, answer)) if shape is not None else ""
    if operation.service_model.resolved_protocol == "rest-xml":
        root = operation.name if shape is None else shape.name
        return f"<{root}>{inner}</{root}>"
    result = f"<{operation.name}Result>{inner}</{operation.name}Result>"
    return f"<{operation.name}Response>{result}</{operation.name}Response>"


def fault_xml(code: str, message: str, protocol: str) -> str:
    """Return the body of an error; S3 does not wrap it."""
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == "rest-xml":
        return f"<Error>{inner}</Error>"
    return f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"


def _members(shape: Shape, value: dict[str, Any]) -> list[str]:
    known = shape.members
    return [
        _element(known[name], known[name].serialization.get("name", name), v) for name, v in value.items()
    ]


def _element(shape: Shape, tag: str, value: Any) -> str:
    if shape.type_name == "list":
        if shape.serialization.get("flattened"):
            return "".join(_element(shape.member, tag, item) for item in value)
        item_tag = shape.member.serialization.get("name", "member")
        value = "".join(_element(shape.member, item_tag, item) for item in value)
    elif shape.type_name == "structure":
        value = "".join(_members(shape, value))
    else:
        value = escape(str(value))
    return f"<{tag}>{value}</{tag}>"
