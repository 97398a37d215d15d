"""Hold what configuration files said, and the problems in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from lambdatop.domain.error_words import did_you_mean
from lambdatop.domain.errors import UsageError
from lambdatop.domain.sanitize import clean_line


class Written(NamedTuple):
    """One scalar of the file with its line."""

    value: Any
    line: int


class Problem(NamedTuple):
    """One thing that is wrong in the file."""

    line: int
    sentence: str


class ConfigError(UsageError):
    """All problems of the configuration, one a line."""

    def __init__(self, file: Path, problems: Iterable[Problem]) -> None:
        name = clean_line(str(file))
        lines = [f"{name}:{p.line}: {p.sentence}" if p.line else f"{name}: {p.sentence}" for p in problems]
        super().__init__("\n".join(lines))


class Content(Struct, frozen=True):
    """A config file, validated: flat keys, flat keys of each profile section, and accounts' read_only."""

    values: Mapping[str, Written]
    profiles: Mapping[str, Mapping[str, Written]]
    accounts: Mapping[str, Written]


EMPTY = Content({}, {}, {})


def unknown_key(key: str, names: Iterable[str]) -> str:
    """Return the sentence about a key that does not exist."""
    return f"unknown key {clean_line(key, 80)!r}{did_you_mean(key, names)}"
