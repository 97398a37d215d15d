"""Compute how far a stream's consumer is behind, and whether the lag grows. Pure."""

from __future__ import annotations

from statistics import median

from msgspec import Struct

from lambdatop.domain.facts import deadline
from lambdatop.domain.facts.event_source_mapping import DYNAMODB_RETENTION_S, MappingFacts
from lambdatop.domain.facts.not_read import NEVER_ASKED, NotKnown
from lambdatop.domain.facts.series import MINUTE, Series
from lambdatop.domain.figures.rates import Points, slope_per_min
from lambdatop.domain.state.world import World

REAL_TIME = 60_000.0
"""Growth of the age of a record that nobody takes: ms per minute."""

_FRESH_S = 180.0
_SILENT_MIN = 2
_STEEPEST = 2 * REAL_TIME
_SHARE_OF_RISE = 0.2
_RELATIVE_RISE = 0.05


class Rise(Struct, frozen=True):
    """A growing iterator age: `age_ms` now, `slope` in ms/min over `points` points, since `first`.

    `first` and `last` are starts of minutes, s since the epoch.
    """

    age_ms: float
    slope: float
    points: int
    first: float
    last: float


def rise(points: Points, at_least: float, min_points: int) -> Rise | None:
    """Return the longest rise up to now of at least that slope (ms/min); None without one.

    Only new heights count: with several shards the other ones' small ages stand between those of the one that
    is stuck, and a window that batches makes a saw-tooth, which reaches no new heights. What falls at the
    beginning is a replay before it got stuck. The newest height must be new, for a shard that goes on again
    falls back at once.
    """
    begin = next((i for i in range(len(points) - 1) if points[i][1] < points[i + 1][1]), len(points))
    heights: list[tuple[float, float]] = []
    for point in points[begin:]:
        if not heights or point[1] > heights[-1][1]:
            heights.append(point)
    if not heights or heights[-1][0] < points[-1][0] - _SILENT_MIN * MINUTE:
        return None
    for start in range(len(heights) - min_points + 1):
        run = tuple(heights[start:])
        slope = slope_per_min(run)
        steep = at_least <= (slope_per_min(run[:2]) or 0.0)
        if steep and slope is not None and at_least <= slope <= _STEEPEST:
            return Rise(run[-1][1], slope, len(run), run[0][0], run[-1][0])
    return None


def arrived(series: Series, found: Rise) -> float:
    """Return when the blocking record arrived (s since the epoch), else when its age began to grow.

    The age alone would say so, but a replay begins with old records: it is believed where the rise began with
    a fresh one, or where nothing is known of the time before.
    """
    came = found.last + MINUTE - found.age_ms / 1000
    first = found.first
    for at, age in zip(reversed(series.times), reversed(series.values), strict=True):
        if at >= first:
            continue
        on_line = abs(age / 1000 - (at + MINUTE - came)) <= _FRESH_S
        if at < first - _SILENT_MIN * MINUTE or not on_line:
            break
        first = float(at)
    known_before = bool(series.times) and series.times[0] < first
    return came if came >= first - _FRESH_S or not known_before else first


def climbs(points: Points, least: float, part: float = _SHARE_OF_RISE) -> bool:
    """Return whether the values climb over the whole of the points by at least `least`, up to now.

    The medians of three thirds must each take a `part` of the climb: a burst of a producer is one step, and a
    rebalance (3 minutes) one hump.
    """
    if len(points) < 6:
        return False
    values = [v for _, v in points]
    third = len(values) // 3
    low, middle, high = (median(part) for part in (values[:third], values[third:-third], values[-third:]))
    grown = high - low
    return (
        grown >= least
        and middle - low >= part * grown
        and high - middle >= part * grown
        and values[-1] > values[-third]
        and values[-1] >= 0.9 * max(values)
    )


def falls_back(points: Points) -> bool:
    """Return whether the values of the newer half come down to those of the older one: a saw-tooth.

    A batching or tumbling window lets records grow old until it ends, again and again.
    """
    values = [v for _, v in points]
    half = len(values) // 2
    return bool(half) and min(values[half:]) <= min(values[:half])


def offset_lag(world: World, mapping: MappingFacts) -> tuple[str, Series]:
    """Return the name and series of how many records a Kafka mapping is behind.

    The mapping's own metric, where it publishes one, else that of its function.
    """
    own = world.metric(mapping.key, "MaxOffsetLag", "Maximum")
    if own.times:
        return "MaxOffsetLag", own
    return "OffsetLag", world.metric(mapping.function, "OffsetLag", "Maximum")


def lag_climbs(points: Points, least: float) -> bool:
    """Return whether an offset lag (records) is at least `least` and climbs."""
    if not points or points[-1][1] < least:
        return False
    return climbs(points, max(least / 2, _RELATIVE_RISE * points[-1][1]))


def lowest_at(points: Points) -> float:
    """Return the minute (s since the epoch) of the lowest point, from which on it grew."""
    return min(points, key=lambda p: (p[1], -p[0]))[0]


def retention_s(world: World, mapping: MappingFacts) -> int | NotKnown:
    """Return how long the source keeps its records (s)."""
    if mapping.source_kind == "dynamodb":
        return DYNAMODB_RETENTION_S
    key = mapping.source_stream
    return world.retention_of(key) if key else NEVER_ASKED


def kept_s(world: World, mapping: MappingFacts) -> int | NotKnown:
    """Return how old a record may become before this consumer loses it (s): retention or MaximumRecordAge."""
    return deadline.kept_s(mapping, retention_s(world, mapping))
