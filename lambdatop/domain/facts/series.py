"""Minute series: what CloudWatch said, and how much of it is final."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, overload

from msgspec import Struct, field
from msgspec.structs import force_setattr

from lambdatop.domain.keys import Key

MINUTE = 60


@lru_cache(maxsize=512)
def _shared(times: tuple[int, ...]) -> tuple[int, ...]:
    return times


class Columns(Sequence[tuple[int, float]]):
    """Points as pairs of (start of minute, value) in two columns, oldest first.

    An object for each point is what reading a large answer costs: the columns go into a series as they are.
    """

    __slots__ = ("times", "values")

    def __init__(self, times: tuple[int, ...], values: array[float]) -> None:
        self.times, self.values = times, values

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, at: int) -> tuple[int, float]: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[tuple[int, float], ...]: ...

    def __getitem__(self, at: int | slice) -> tuple[int, float] | tuple[tuple[int, float], ...]:
        if isinstance(at, slice):
            return tuple(zip(self.times[at], self.values[at], strict=True))
        return self.times[at], self.values[at]

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return zip(self.times, self.values, strict=True)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Columns):
            return self.times == other.times and self.values == other.values
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


class SeriesKey(NamedTuple):
    """The identity of a series: of which thing, which CloudWatch metric, which statistic."""

    key: Key
    metric: str
    stat: str


class Series(Struct, frozen=True):
    """Points of one metric, oldest first. A missing minute is a missing point, never a zero.

    `times` are starts of minutes in s since the epoch; the unit of `values` is the metric's. Hours of eight
    metrics of thousands of functions are millions of points: values are kept as bare doubles, and times,
    which most series have in common, once.
    """

    times: tuple[int, ...] = ()
    values: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Make of any sequence what takes least memory."""
        force_setattr(self, "times", _shared(self.times))
        if not isinstance(self.values, array):
            force_setattr(self, "values", array("d", self.values))

    def replace(self, start: float, end: float, points: Iterable[tuple[int, float]]) -> Series:
        """Return the series with everything in [start, end) replaced by `points`.

        Replacing, not adding, is what makes late data, duplicates and corrected minutes harmless.
        """
        if isinstance(points, Columns) and (found := self._around(start, end, points)) is not None:
            return found
        kept = [(t, v) for t, v in zip(self.times, self.values, strict=True) if not start <= t < end]
        merged = dict(kept)
        merged.update(points)
        ordered = sorted(merged.items())
        return Series(tuple(t for t, _ in ordered), array("d", [v for _, v in ordered]))

    def _around(self, start: float, end: float, points: Columns) -> Series | None:
        """Return what is known before `start`, then the points, then what is known from `end` on.

        None where the points do not lie in [start, end).
        """
        if not points.times:
            return None
        if points.times[0] < start or points.times[-1] >= end:
            return None
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        if not first and last == len(self.times):
            return Series(points.times, points.values)
        before, after = array("d", self.values[:first]), array("d", self.values[last:])
        return Series(self.times[:first] + points.times + self.times[last:], before + points.values + after)

    def since(self, start: float) -> Series:
        """Return only the points at or after `start`."""
        i = bisect_left(self.times, start)
        return self if i == 0 else Series(self.times[i:], self.values[i:])

    def window(self, start: float, end: float) -> Sequence[float]:
        """Return the values of the minutes that begin in [start, end)."""
        if not self.times:
            return ()
        return self.values[bisect_left(self.times, start) : bisect_left(self.times, end)]

    def sum(self, start: float, end: float) -> float:
        """Sum over the minutes that begin in [start, end); 0 when there is none."""
        return float(sum(self.window(start, end))) if self.times else 0.0

    def max(self, start: float, end: float) -> float | None:
        """Return the largest value of the minutes that begin in [start, end), None when there is none."""
        return max(self.window(start, end), default=None)

    def grid(self, start: int, minutes: int) -> tuple[float | None, ...]:
        """Return `minutes` values from the minute `start` on, None where there is no point."""
        known = dict(zip(self.times, self.values, strict=True))
        return tuple(known.get(start + i * MINUTE) for i in range(minutes))


EMPTY = Series()

Stat = tuple[str, str]
"""Which number of something: the CloudWatch metric and the statistic."""


class KnownSeries(Struct, frozen=True):
    """All series of one function, queue, log group …, and when each was asked for (s since the epoch).

    By thing and not in one flat table, so that "nothing new about this one" is one comparison by identity.
    """

    series: Mapping[Stat, Series] = field(default_factory=lambda: MappingProxyType({}))
    at: Mapping[Stat, float] = field(default_factory=lambda: MappingProxyType({}))


NO_SERIES = KnownSeries()


def final_end(now: float, settle_s: float) -> int:
    """Start of the first minute that is not final yet (s since the epoch).

    A minute is final once it lies `settle_s` in the past: CloudWatch publishes late, and a point is
    stamped with the start of an invocation that may still run.
    """
    return int((now - settle_s) // MINUTE) * MINUTE
