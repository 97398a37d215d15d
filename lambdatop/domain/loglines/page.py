"""Describe a page of a log from before the tail, asked for by a person. Pure."""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine

MS_S = 0.001
"""Log events are stamped with whole milliseconds (s)."""


class Older(Struct, frozen=True):
    """Whole milliseconds of the logs of some functions, up to the moment that was asked for.

    `lines` oldest first. From `since` (s since the epoch, inclusive) to the asked moment everything was
    read; `end` when nothing older exists. `note` is what has to be said, mostly "".
    """

    lines: tuple[tuple[Key, LogLine], ...]
    since: float
    end: bool
    note: str = ""

    @property
    def before(self) -> float:
        """The moment to ask for next (s since the epoch): neither loses nor doubles a line."""
        return self.since - MS_S
