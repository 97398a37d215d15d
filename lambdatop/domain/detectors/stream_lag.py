"""stream_lag: a consumer falls behind although its function does not fail (telemetry D11)."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.blocked_shard import Age, iterator_age, retention_s
from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.mapping import STREAMS, MappingFacts
from lambdatop.domain.mitigations.words import span
from lambdatop.domain.rates import Window, slope_per_min, trend
from lambdatop.domain.series import MINUTE, Series
from lambdatop.domain.sight import Sight

NAME = "stream_lag"
FORMULA = (
    "Kafka: OffsetLag.Maximum (or MaxOffsetLag) rises over 10 final minutes while invocations do not; "
    "Kinesis and DynamoDB: IteratorAge rises above 60 s although the function succeeds"
)
SOURCE = "AWS/Lambda OffsetLag, IteratorAge, Invocations, Errors; MaxOffsetLag of the mapping"
TRAPS = "a burst of the producer; a rebalance of the consumer group, which takes about 3 minutes; a replay"
SUGGESTS = ("tune_trigger", "cap_concurrency")

REBALANCE_MIN = 3
FAILING = 0.5
RISE = 1.2
"""A lag that ends less than a fifth above its first third does not rise, it wavers."""


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per mapping that falls behind."""
    for mapping in sight.world.mappings.values():
        if not mapping.enabled:
            continue
        if mapping.source_kind == "kafka":
            yield from _kafka(sight, mapping)
        elif mapping.source_kind in STREAMS:
            yield from _stream(sight, mapping)


def _kafka(sight: Sight, mapping: MappingFacts) -> Iterator[Finding]:
    limits = sight.limits.stream_lag
    over = sight.window(mapping.function, limits.window_min)
    series = sight.world.metric(mapping.key, "MaxOffsetLag", "Maximum")
    if not series.times:
        series = sight.world.metric(mapping.function, "OffsetLag", "Maximum")
    lag = series.window(over.start, over.end)
    runs = sight.world.metric(mapping.function, "Invocations")
    if len(lag) <= REBALANCE_MIN + 1 or lag[-1] < sight.limit(NAME, mapping.key, limits.min_lag):
        return
    if not _rises(series, over) or trend(runs, over.end, over.minutes // 2) == "up":
        return
    slope = slope_per_min(_points(series, over)) or 0.0
    evidence = (
        ("offset_lag", lag[-1]),
        ("lag_growth_per_min", round(slope, 1)),
        ("invocations_per_min", round(runs.sum(over.start, over.end) / over.minutes, 1)),
        ("window_min", over.minutes),
    )
    behind = f"{lag[-1]:.0f} records, {slope:+.0f} a minute"
    title = f"{mapping.function.id} falls behind {mapping.source_name}: {behind}"
    formula = f"offset lag {lag[0]:.0f} -> {lag[-1]:.0f} over {over.minutes} min, invocations do not rise"
    yield _finding(mapping, title, _start(series, over), evidence, formula, "warning")


def _stream(sight: Sight, mapping: MappingFacts) -> Iterator[Finding]:
    limits = sight.limits.stream_lag
    over = sight.window(mapping.function, limits.window_min)
    age = iterator_age(sight, mapping, over)
    if age is None or age.points < sight.limits.blocked_shard.min_points or age.slope <= 0:
        return
    runs = sight.world.metric(mapping.function, "Invocations").sum(over.start, over.end)
    errors = sight.world.metric(mapping.function, "Errors").sum(over.start, over.end)
    series = sight.world.metric(mapping.function, "IteratorAge", "Maximum")
    old_ms = 1000 * sight.limit(NAME, mapping.key, limits.min_age_s)
    if age.now_ms < old_ms or not runs or errors > FAILING * runs or not _rises(series, over):
        return
    yield _late(sight, mapping, over, age)


def _late(sight: Sight, mapping: MappingFacts, over: Window, age: Age) -> Finding:
    kept = retention_s(sight, mapping)
    share = age.now_ms / 1000 / kept if kept else 0.0
    severity: Severity = "critical" if share > sight.limits.blocked_shard.critical_share else "warning"
    evidence = (
        ("iterator_age_ms", age.now_ms),
        ("slope_ms_per_min", round(age.slope)),
        ("retention_s", kept),
        ("retention_share", round(share, 4) if kept else None),
        ("window_min", over.minutes),
    )
    title = f"{mapping.function.id} is too slow for {mapping.source_name}: {span(age.now_ms / 1000)} behind"
    formula = f"iterator age grows {age.slope:.0f} ms/min over {age.points} points without errors"
    return _finding(mapping, title, age.since, evidence, formula, severity)


def _points(series: Series, over: Window) -> tuple[tuple[float, float], ...]:
    pairs = zip(series.times, series.values, strict=True)
    return tuple((float(t), v) for t, v in pairs if over.start <= t < over.end)


def _rises(series: Series, over: Window) -> bool:
    """Whether the last third lies above the first, and the rise lasts longer than a rebalance."""
    values = series.window(over.start, over.end)
    third = max(1, len(values) // 3)
    if len(values) < 2 * third or min(values[-third:]) <= RISE * max(values[:third]):
        return False
    return all(v > values[0] for v in values[-REBALANCE_MIN - 1 :])


def _start(series: Series, over: Window) -> float:
    values = series.window(over.start, over.end)
    return float(over.start + MINUTE * values.index(min(values)))


def _finding(
    mapping: MappingFacts,
    title: str,
    since: float,
    evidence: tuple[tuple[str, float | int | str | None], ...],
    formula: str,
    severity: Severity,
) -> Finding:
    return Finding(
        NAME,
        severity,
        Ref(mapping.key, mapping.key.id, f"{mapping.source_name} -> {mapping.function.id}"),
        title,
        since,
        (("source", mapping.source_name), ("function", mapping.function.id), *evidence),
        SUGGESTS,
        formula,
        (mapping.function, *((mapping.source_stream,) if mapping.source_stream else ())),
    )
