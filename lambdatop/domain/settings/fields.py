"""Define settings as fields of a struct with default, unit, range or check, option and meaning.

The configuration's schema, options of the command line, config.example.yaml, docs/commands.md,
docs/detectors.md and the sentences about wrong values are made of it (`config/schema.py` reads the fields).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from msgspec import Struct, StructMeta


class Field(NamedTuple):
    """A setting in a class: its default, and what is shown and checked of it."""

    default: Any
    metadata: Mapping[str, Any]


class _SectionMeta(StructMeta):
    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        own = {key: value for key, value in namespace.items() if isinstance(value, Field)}
        namespace |= {key: value.default for key, value in own.items()}
        made: Any = super().__new__(cls, name, bases, namespace, **options)
        made.described = MappingProxyType({key: value.metadata for key, value in own.items()})
        return made


class Section(Struct, frozen=True, metaclass=_SectionMeta):
    """Base of settings under one key; `described` holds what is shown and checked of each field."""

    described: ClassVar[Mapping[str, Mapping[str, Any]]] = {}


Check = Callable[[str], str]
"""Return what a text needs to be a value of a setting, "" when it is one."""


def knob(
    default: float | None, unit: str, meaning: str, low: float = 0.0, high: float = math.inf, **more: Any
) -> Any:
    """Return a field: a number with the unit, inclusive range and meaning that is shown of it.

    `more` may be `null`, what None means; `at_most`, the dotted key of a setting that it must not exceed;
    `flags` and `metavar`, the option of the command line that sets it.
    """
    return Field(default, {"unit": unit, "help": meaning, "low": low, "high": high, **more})


def seconds(default: float, meaning: str, low: float = 1.0, high: float = 86_400.0, **more: Any) -> Any:
    """Return a field: a time in seconds."""
    return knob(default, "s", meaning, low, high, **more)


def minutes(default: int, meaning: str, low: int = 1) -> Any:
    """Return a field: whole minutes of the history that is kept."""
    return knob(default, "min", meaning, low, 60, at_most="metrics.history_min")


def window(default: int) -> Any:
    """Return a field: how far back a detector reads, minutes."""
    return minutes(default, "how far back it looks")


def count(default: int, unit: str, meaning: str = "silent below", low: int = 1) -> Any:
    """Return a field: a whole number of things."""
    return knob(default, unit, meaning, low, 1_000_000)


def share(default: float, meaning: str) -> Any:
    """Return a field: a part of a whole, 0..1."""
    return knob(default, "share", meaning, 0, 1)


def ratio(default: float, meaning: str) -> Any:
    """Return a field: a factor from 1 on."""
    return knob(default, "ratio", meaning, 1, 1000)


def price(unit: str, meaning: str) -> Any:
    """Return a field: a price in USD that the user knows better than the package."""
    return knob(None, unit, meaning, 0, 1000, null="the table")


def switch(default: bool, meaning: str, *flags: str) -> Any:
    """Return a field: true or false; `meaning` says what true does, and `flags` switch it on."""
    return Field(default, {"help": meaning, "flags": flags})


def text(default: str | None, meaning: str, check: Check, **more: Any) -> Any:
    """Return a field: a text that passes `check`; `more` as for `knob`."""
    return Field(default, {"help": meaning, "check": check, **more})


def matching(pattern: str, words: str) -> Check:
    """Return a check for texts that match a pattern; `words` say what such a text is."""
    return lambda value: "" if re.fullmatch(pattern, value) else f"needs {words}"


def section(kind: type, meaning: str) -> Any:
    """Return a field: settings under one key; `meaning` stands above them in config.example.yaml."""
    return Field(kind(), {"help": meaning})


def fixed(default: Any) -> Any:
    """Return a field: what settings carry, but no user may set."""
    return Field(default, {"fixed": True})
