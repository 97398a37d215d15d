"""Hold the tail of a function's log and append lines to it."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine

LogWay = Literal["poll", "live tail"]


class LogTail(Struct, frozen=True, eq=False, weakref=True):
    """A bounded tail of one function's log. `lines` are consecutive in `seq`, oldest first.

    `via` and what follows describe the way the lines come, as `LogsObserved` does; `lag_s` is of the newest
    lines that came. `burst` are the lines before `lines` that came in the newest two rounds, so that who
    looks between rounds misses none; `arrived` is how many the newest one brought.
    """

    group: str = ""
    lines: tuple[LogLine, ...] = ()
    next_seq: int = 1
    complete: bool = True
    gap: str = ""
    at: float = 0.0
    via: LogWay = "poll"
    via_why: str = ""
    lag_s: float | None = None
    coverage: float | None = None
    usd_per_hour: float = 0.0
    burst: tuple[LogLine, ...] = ()
    arrived: int = 0

    KEEP: ClassVar[int] = 5000
    KEEP_BURST: ClassVar[int] = 60_000

    def after(self, seq: int) -> tuple[LogLine, ...]:
        """Return the lines newer than `seq` that are still in memory."""
        first = self.next_seq - len(self.lines)
        newer = self.lines[max(0, seq + 1 - first) :]
        return (
            (*self.burst[max(0, seq + 1 - first + len(self.burst)) :], *newer) if seq + 1 < first else newer
        )


def append_lines(tail: LogTail, lines: tuple[LogLine, ...]) -> LogTail:
    """Return the tail with `lines` appended, numbered on, and the oldest dropped beyond its bounds."""
    if not lines:
        return tail
    numbered = lines
    if [line.seq for line in lines] != list(range(tail.next_seq, tail.next_seq + len(lines))):
        numbered = tuple(line.numbered(seq) for seq, line in enumerate(lines, tail.next_seq))
    wanted = min(LogTail.KEEP_BURST, max(LogTail.KEEP, tail.arrived + len(lines)))
    held = (*tail.burst, *tail.lines, *numbered)[-wanted:]
    burst, kept = held[: -LogTail.KEEP], held[-LogTail.KEEP :]
    return replace(tail, lines=kept, next_seq=tail.next_seq + len(lines), burst=burst, arrived=len(lines))


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
