"""Load stripped models: in read-only mode the SDK has no operation that changes anything.

A client is made from the service's model. Here the models keep what is on the allowlist and what credential
providers call; there is no method for anything else, nor its paginator or waiter, nor a shape that only it
needs. A service of which nothing is listed has no method at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

from botocore import loaders
from botocore.model import ServiceId

from lambdatop.aws.sdk.walls.allowlist import CREDENTIALS, READS

Json = dict[str, Any]
MODEL, PAGINATORS, WAITERS, EXAMPLES = "service-2", "paginators-1", "waiters-2", "examples-1"


class BuiltinLoader(loaders.Loader):  # type: ignore[misc,unused-ignore]
    """Models of the installed package only.

    A model in the user's ~/.aws/models could give an allowed name another request, so none is searched.
    """

    def __init__(self) -> None:
        super().__init__(
            extra_search_paths=[loaders.Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
        )


class StrippedLoader(BuiltinLoader):
    """Models of the installed package, and of these only the reads and the credential calls."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[tuple[str, str, str | None], Json] = {}

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Json:
        """Return the stripped model, paginators or waiters; rules of endpoints stay as they are."""
        if type_name not in (MODEL, PAGINATORS, WAITERS, EXAMPLES):
            whole: Json = super().load_service_model(service_name, type_name, api_version)
            return whole
        key = (service_name, type_name, api_version)
        if key not in self._kept:
            self._kept[key] = self._stripped(service_name, type_name, api_version)
        return self._kept[key]

    def _stripped(self, service_name: str, type_name: str, api_version: str | None) -> Json:
        whole: Json = _Once(self).load_service_model(service_name, type_name, api_version)
        if type_name == MODEL:
            return strip(whole, operations_of(whole))
        allowed = set(self.load_service_model(service_name, MODEL)["operations"])
        if type_name == PAGINATORS:
            return {**whole, "pagination": _of(whole["pagination"], allowed)}
        if type_name == WAITERS:
            waiters = whole["waiters"]
            return {**whole, "waiters": {n: w for n, w in waiters.items() if w["operation"] in allowed}}
        return {**whole, "examples": {}}


class _Once(BuiltinLoader):
    """Reads for another loader without a cache: nine tenths of a model are not needed again."""

    def __init__(self, other: BuiltinLoader) -> None:
        super().__init__()
        self._other = other

    def list_available_services(self, type_name: str) -> list[str]:
        """Return what the other loader found: it has searched 400 directories already."""
        names: list[str] = self._other.list_available_services(type_name)
        return names


@cache
def loader(*, read_only: bool) -> BuiltinLoader:
    """Return the loader of all sessions: it keeps the models it has parsed, which a reconnect needs again."""
    return StrippedLoader() if read_only else BuiltinLoader()


def operations_of(model: Mapping[str, Any]) -> frozenset[str]:
    """Return what of a service may be sent in read-only mode."""
    service = ServiceId(model["metadata"]["serviceId"]).hyphenize()
    return READS.get(service, frozenset()) | CREDENTIALS.get(service, frozenset())


def strip(model: Json, allowed: Collection[str]) -> Json:
    """Return the model with the allowed operations, and the shapes that these need."""
    operations = _of(model["operations"], allowed)
    shapes, needed = model["shapes"], set[str]()
    waiting = [name for operation in operations.values() for name in _shapes_in(operation)]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _shapes_in(shapes[name])
    return {**model, "operations": operations, "shapes": _of(shapes, needed)}


def _shapes_in(part: Any) -> Iterator[str]:
    """Yield names that an operation or a shape refers to; a documentation text refers to nothing."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "shape" and isinstance(value, str):
                yield value
            elif key not in ("documentation", "enum"):
                yield from _shapes_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from _shapes_in(value)


def _of(named: Json, kept: Collection[str]) -> Json:
    return {name: value for name, value in named.items() if name in kept}


def remove_presigners(class_attributes: Json, **_: Any) -> None:
    """Remove a client's methods that sign a URL for somebody else to send.

    Register it last on `creating-client-class`: the SDK puts them there by the same event.
    """
    operations = class_attributes.get("_PY_TO_OP_NAME", {})
    for name in [n for n in class_attributes if n.startswith("generate_") and n not in operations]:
        del class_attributes[name]
