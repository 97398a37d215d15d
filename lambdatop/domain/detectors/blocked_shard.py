"""blocked_shard: a batch of a stream fails again and again, and its shard waits (telemetry D9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lambdatop.domain.fates import stream_fate
from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.mapping import STREAMS, MappingFacts
from lambdatop.domain.mitigations.words import span
from lambdatop.domain.rates import Window, slope_per_min
from lambdatop.domain.sight import Sight
from lambdatop.domain.stream import DYNAMODB_RETENTION_S

NAME = "blocked_shard"
FORMULA = (
    "slope of IteratorAge.Maximum >= 50000 ms/min (real time is 60000) over 5 or more points of 10 final "
    "minutes, with Errors / Invocations > 0.9 or throttles; critical beyond half of the retention"
)
SOURCE = "AWS/Lambda IteratorAge, Errors, Invocations, Throttles; the stream's retention"
TRAPS = (
    "a replay from TRIM_HORIZON starts old and grows younger; batching and tumbling windows make a "
    "saw-tooth; no points while the mapping is disabled; the metric is the function's, so several streams "
    "share it"
)
SUGGESTS = ("disable_trigger", "tune_trigger")


class Age(NamedTuple):
    """Iterator age now (ms), its slope (ms/min), and when it began to grow (s since the epoch)."""

    now_ms: float
    slope: float
    since: float
    points: int


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per stream whose consumer is stuck."""
    limits = sight.limits.blocked_shard
    for mapping in sight.world.mappings.values():
        if mapping.source_kind not in STREAMS or not mapping.enabled:
            continue
        over = sight.window(mapping.function, limits.window_min)
        age = iterator_age(sight, mapping, over)
        if age is None or age.points < limits.min_points:
            continue
        if age.slope < sight.limit(NAME, _target(mapping).key, limits.slope_ms_per_min):
            continue
        errors, runs, throttles = _outcomes(sight, mapping, over)
        failing = errors > limits.error_share * runs if runs else False
        if failing or throttles > 0:
            yield _finding(sight, mapping, over, age, (errors, runs, throttles))


def iterator_age(sight: Sight, mapping: MappingFacts, over: Window) -> Age | None:
    """Iterator age of the function over its newest half window; None without two points."""
    series = sight.world.metric(mapping.function, "IteratorAge", "Maximum")
    pairs = zip(series.times, series.values, strict=True)
    points = [(float(t), v) for t, v in pairs if over.start <= t < over.end]
    slope = slope_per_min(tuple(points[-max(5, len(points) // 2) :]))
    if slope is None:
        return None
    lowest = min(v for _, v in points)
    since = max(t for t, v in points if v == lowest)
    return Age(points[-1][1], slope, min(since, points[-1][0] - points[-1][1] / 1000), len(points))


def _outcomes(sight: Sight, mapping: MappingFacts, over: Window) -> tuple[float, float, float]:
    names = ("Errors", "Invocations", "Throttles")
    errors, runs, throttles = (
        sight.world.metric(mapping.function, name).sum(over.start, over.end) for name in names
    )
    return errors, runs, throttles


def _target(mapping: MappingFacts) -> Ref:
    return Ref(mapping.source_stream or mapping.key, mapping.source_arn, mapping.source_name)


def retention_s(sight: Sight, mapping: MappingFacts) -> int | None:
    """How long the stream keeps its records (s); None when it was not read."""
    if mapping.source_kind == "dynamodb":
        return DYNAMODB_RETENTION_S
    stream = sight.world.streams.get(mapping.source_stream) if mapping.source_stream else None
    return stream.retention_s if stream else None


def _finding(
    sight: Sight, mapping: MappingFacts, over: Window, age: Age, outcomes: tuple[float, float, float]
) -> Finding:
    errors, runs, throttles = outcomes
    kept, age_s = retention_s(sight, mapping), age.now_ms / 1000
    left = None if kept is None else max(0.0, kept - age_s)
    share = age_s / kept if kept else 0.0
    target = _target(mapping)
    bad = share > sight.limit(NAME, target.key, sight.limits.blocked_shard.critical_share, "critical")
    severity: Severity = "critical" if bad else "warning"
    deadline = f"; records expire in {span(left)}" if left is not None else "; retention is not known"
    shared = [
        m.source_name
        for m in sight.world.mappings_of(mapping.function)
        if m.source_kind in STREAMS and m.key != mapping.key and m.enabled
    ]
    stream = sight.world.streams.get(mapping.source_stream) if mapping.source_stream else None
    why = f"{errors:.0f} of {runs:.0f} invocations failed" if errors else f"{throttles:.0f} throttles"
    return Finding(
        NAME,
        severity,
        target,
        f"{mapping.source_name} is blocked at {mapping.function.id}, {span(age_s)} behind{deadline}",
        age.since,
        (
            ("function", mapping.function.id),
            ("iterator_age_ms", age.now_ms),
            ("slope_ms_per_min", round(age.slope)),
            ("retention_s", kept),
            ("expires_in_s", None if left is None else round(left)),
            ("errors", errors),
            ("invocations", runs),
            ("throttles", throttles),
            ("then", stream_fate(mapping, kept, age_s)),
            ("shards", stream.shards if stream else None),
            ("perhaps_instead", ", ".join(sorted(shared)) or None),
            ("window_min", over.minutes),
        ),
        SUGGESTS,
        f"iterator age grows {age.slope:.0f} ms/min >= {sight.limits.blocked_shard.slope_ms_per_min:.0f} "
        f"over {age.points} points; {why}",
        (mapping.function, mapping.key),
    )
