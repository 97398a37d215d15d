"""Write values as JSON by their type hints: one codec for every struct and NamedTuple. Pure.

- A struct is an object; fields that stand at their default are left out, so a field that is new is no
  news in a file that does not use it, and a file that is older than a field reads as its default.
- A NamedTuple is an array in the order of its fields, a tuple is an array.
- A number that is whole is written without a point; infinities and NaN, which JSON lacks, are strings.
- `Any`, `object` and mappings are plain JSON: what was a tuple in there comes back as a list.

Reading is strict: a value of another type, a missing field without a default and an unknown choice of a
`Literal` raise Mismatch with the path to the place. A field that nobody knows (any more) is passed over
and noted.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from operator import or_
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from lambdatop.domain.facts.not_read import NotKnown

_SPELLED = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
_EXACT = 2.0**53
_UNREAD = "not_known"


class Mismatch(ValueError):
    """JSON that does not fit its type; the text says where and what."""


class Codec(NamedTuple):
    """How one type is written and read; `read` takes the path for errors and the set of unknown fields."""

    write: Callable[[Any], Any]
    read: Callable[[Any, str, set[str]], Any]


@cache
def codec(hint: Any) -> Codec:
    """Return the codec of a type hint; raise TypeError for a type that no event holds."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union(args)
    if origin is Literal:
        return _literal(args)
    if origin is tuple:
        return _many(codec(args[0])) if args[-1] is Ellipsis else _row(args, len(args))
    if origin is Sequence:
        return _many(codec(args[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Codec(dict, _checked((dict,), "an object"))
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        hints = get_type_hints(hint)
        kinds = tuple(hints[name] for name in hint._fields)
        return _row(kinds, len(kinds) - len(vars(hint)["_field_defaults"]), hint)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _object(hint)
    raise TypeError(f"no JSON for {hint!r}")


def _checked(kinds: tuple[type, ...], words: str) -> Callable[[Any, str, set[str]], Any]:
    def read(data: Any, path: str, unknown: set[str]) -> Any:
        if not isinstance(data, kinds) or (isinstance(data, bool) and bool not in kinds):
            raise Mismatch(f"{path}: {words} expected, found {_short(data)}")
        return data

    return read


def short_float(value: float) -> float | int | str:
    """Return a float as JSON has it: whole numbers without a point, non-finite ones spelled out."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return int(value) if value == int(value) and abs(value) < _EXACT else value


def _read_float(data: Any, path: str, unknown: set[str]) -> float:
    if isinstance(data, str) and data in _SPELLED:
        return _SPELLED[data]
    if isinstance(data, bool) or not isinstance(data, (int, float)):
        raise Mismatch(f"{path}: a number expected, found {_short(data)}")
    return float(data)


def _same(value: Any) -> Any:
    return value


def _any(data: Any, path: str, unknown: set[str]) -> Any:
    return data


_SCALARS: dict[Any, Codec] = {
    str: Codec(_same, _checked((str,), "a string")),
    int: Codec(_same, _checked((int,), "a whole number")),
    bool: Codec(_same, _checked((bool,), "true or false")),
    float: Codec(short_float, _read_float),
    type(None): Codec(_same, _checked((type(None),), "null")),
    Any: Codec(_same, _any),
    object: Codec(_same, _any),
}


def _union(args: tuple[Any, ...]) -> Codec:
    """Return the codec of `X | None` or `X | NotKnown`; other choices need a tag, and no event holds one."""
    if NotKnown in args:
        rest = [a for a in args if a is not NotKnown]
        return _read_or_not(rest[0] if len(rest) == 1 else reduce(or_, rest))
    inner = [a for a in args if a is not type(None)]
    if len(inner) != 1 or len(args) != 2:
        raise TypeError(f"no JSON for a choice among {args!r}")
    one = codec(inner[0])

    def write(value: Any) -> Any:
        return None if value is None else one.write(value)

    def read(data: Any, path: str, unknown: set[str]) -> Any:
        return None if data is None else one.read(data, path, unknown)

    return Codec(write, read)


def _read_or_not(hint: Any) -> Codec:
    """Return codec of a value that may be unread: an object with the key `not_known`, which no value has."""
    one, gap = codec(hint), codec(NotKnown)

    def write(value: Any) -> Any:
        return {_UNREAD: gap.write(value)} if isinstance(value, NotKnown) else one.write(value)

    def read(data: Any, path: str, unknown: set[str]) -> Any:
        if isinstance(data, dict) and data.keys() == {_UNREAD}:
            return gap.read(data[_UNREAD], f"{path}.{_UNREAD}", unknown)
        return one.read(data, path, unknown)

    return Codec(write, read)


def _literal(choices: tuple[Any, ...]) -> Codec:
    def read(data: Any, path: str, unknown: set[str]) -> Any:
        if data not in choices:
            raise Mismatch(f"{path}: one of {', '.join(map(str, choices))} expected, found {_short(data)}")
        return data

    return Codec(_same, read)


def _many(one: Codec) -> Codec:
    def write(value: tuple[Any, ...]) -> list[Any]:
        return [one.write(v) for v in value]

    def read(data: Any, path: str, unknown: set[str]) -> tuple[Any, ...]:
        if not isinstance(data, list):
            raise Mismatch(f"{path}: an array expected, found {_short(data)}")
        return tuple(one.read(v, f"{path}[{i}]", unknown) for i, v in enumerate(data))

    return Codec(write, read)


def _row(hints: tuple[Any, ...], least: int, make: Any = None) -> Codec:
    """Return the codec of a tuple of fixed length or a NamedTuple (`make`) with defaults at its end."""
    parts = tuple(codec(h) for h in hints)

    def write(value: tuple[Any, ...]) -> list[Any]:
        return [part.write(v) for part, v in zip(parts, value, strict=True)]

    def read(data: Any, path: str, unknown: set[str]) -> Any:
        if not isinstance(data, list) or not least <= len(data) <= len(parts):
            raise Mismatch(f"{path}: an array of {len(parts)} expected, found {_short(data)}")
        given = zip(parts, data, strict=False)
        values = [part.read(v, f"{path}[{i}]", unknown) for i, (part, v) in enumerate(given)]
        return make(*values) if make else tuple(values)

    return Codec(write, read)


def _object(kind: Any) -> Codec:
    hints = get_type_hints(kind)
    parts = {f.name: (codec(hints[f.name]), _default(f)) for f in fields(kind)}

    def write(value: Any) -> dict[str, Any]:
        given = ((name, getattr(value, name)) for name in parts)
        return {name: parts[name][0].write(v) for name, v in given if not _stands_at(v, parts[name][1])}

    def read(data: Any, path: str, unknown: set[str]) -> Any:
        if not isinstance(data, dict):
            raise Mismatch(f"{path}: an object expected, found {_short(data)}")
        unknown.update(f"{kind.__name__}.{name}" for name in data if name not in parts)
        missing = [n for n, (_, default) in parts.items() if default is NODEFAULT and n not in data]
        if missing:
            raise Mismatch(f"{path}: {kind.__name__} lacks {', '.join(missing)}")
        return kind(**{n: parts[n][0].read(v, f"{path}.{n}", unknown) for n, v in data.items() if n in parts})

    return Codec(write, read)


def _default(field: FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not NODEFAULT else field.default


def _stands_at(value: Any, default: Any) -> bool:
    """Return whether a field may be omitted; 0 is not False and 1.0 is not True here."""
    return value is default or (type(value) is type(default) and bool(value == default))


def _short(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 60 else f"{text[:60]}…"
