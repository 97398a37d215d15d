"""Minute series: what CloudWatch said, and how much of it is final."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from lambdatop.domain.scope import Key

MINUTE = 60


@lru_cache(maxsize=4_096)
def _shared(times: tuple[int, ...]) -> tuple[int, ...]:
    return times


class SeriesKey(NamedTuple):
    """Which number it is: of what, which CloudWatch metric, which statistic."""

    key: Key
    metric: str
    stat: str


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one metric, oldest first. A missing minute is a missing point, never a zero.

    `times` are starts of minutes in s since the epoch; the unit of `values` is the metric's. Hours of eight
    metrics of thousands of functions are millions of points: values are kept as bare doubles, and times,
    which most series have in common, once.
    """

    times: tuple[int, ...] = ()
    values: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Make of any sequence what takes least memory."""
        object.__setattr__(self, "times", _shared(self.times))
        if not isinstance(self.values, array):
            object.__setattr__(self, "values", array("d", self.values))

    def replace(self, start: float, end: float, points: Iterable[tuple[int, float]]) -> Series:
        """The series with everything in [start, end) replaced by `points`.

        Replacing, not adding, is what makes late data, duplicates and corrected minutes harmless.
        """
        kept = [(t, v) for t, v in zip(self.times, self.values, strict=True) if not start <= t < end]
        merged = dict(kept)
        merged.update(points)
        ordered = sorted(merged.items())
        return Series(tuple(t for t, _ in ordered), array("d", [v for _, v in ordered]))

    def since(self, start: float) -> Series:
        """Only the points at or after `start`."""
        i = bisect_left(self.times, start)
        return self if i == 0 else Series(self.times[i:], self.values[i:])

    def window(self, start: float, end: float) -> Sequence[float]:
        """Values of the minutes that begin in [start, end)."""
        return self.values[bisect_left(self.times, start) : bisect_left(self.times, end)]

    def sum(self, start: float, end: float) -> float:
        """Sum over the minutes that begin in [start, end); 0 when there is none."""
        return float(sum(self.window(start, end)))

    def max(self, start: float, end: float) -> float | None:
        """Largest value of the minutes that begin in [start, end), None when there is none."""
        return max(self.window(start, end), default=None)

    def grid(self, start: int, minutes: int) -> tuple[float | None, ...]:
        """`minutes` values from the minute `start` on, None where there is no point."""
        known = dict(zip(self.times, self.values, strict=True))
        return tuple(known.get(start + i * MINUTE) for i in range(minutes))


EMPTY = Series()

Stat = tuple[str, str]
"""Which number of something: the CloudWatch metric and the statistic."""


@dataclass(frozen=True, slots=True)
class Told:
    """All series of one function, queue, log group …, and when each was asked for (s since the epoch).

    By thing and not in one flat table, so that "nothing new about this one" is one comparison by identity.
    """

    series: Mapping[Stat, Series] = field(default_factory=lambda: MappingProxyType({}))
    at: Mapping[Stat, float] = field(default_factory=lambda: MappingProxyType({}))


NOTHING_TOLD = Told()


def final_end(now: float, settle_s: float) -> int:
    """Start of the first minute that is not final yet (s since the epoch).

    A minute is final once it lies `settle_s` in the past: CloudWatch publishes late, and a point is
    stamped with the start of an invocation that may still run.
    """
    return int((now - settle_s) // MINUTE) * MINUTE
