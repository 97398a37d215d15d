"""Detect stream_lag: a consumer falls behind although its function does not fail."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.rules.blocked_partition import blocked_partitions
from lambdatop.domain.detectors.rules.blocked_shard import blocked
from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, points_of, slope_per_min
from lambdatop.domain.figures.stream_lag import (
    climbs,
    falls_back,
    kept_s,
    lag_climbs,
    lowest_at,
    offset_lag,
    retention_s,
)
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.units import about, minutes, span

NAME = "stream_lag"
SUGGESTS = ("tune_trigger",)

_FLAT = 1.2
_STEADY, _KEPT = 0.35, 0.2
"""Part of the climb that each half of the window takes: a bulk that is soon worked off climbs in one."""

_Evidence = tuple[tuple[str, float | int | str | None], ...]


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per mapping that falls behind."""
    stuck = {b.function for b in blocked(context)}
    stuck |= {b.mapping.function for b in blocked_partitions(context)}
    for mapping in sorted(context.world.mappings.values(), key=lambda m: m.key):
        if not mapping.enabled or mapping.function in stuck:
            continue
        if mapping.source_kind == "kafka":
            yield from _kafka(context, mapping)
        elif mapping.kind.ages:
            yield from _stream(context, mapping)


def _kafka(context: EvaluationContext, mapping: MappingFacts) -> Iterator[Finding]:
    limits = context.limits.stream_lag
    over = context.window(mapping.function, limits.window_min)
    name, series = offset_lag(context.world, mapping)
    points = points_of(series, over)
    if not lag_climbs(points, context.limit(NAME, mapping.key, limits.min_lag)):
        return
    if _fails(context, mapping, Window(int(lowest_at(points)), over.end)):
        return
    runs = context.world.metric(mapping.function, "Invocations")
    middle = over.start + over.minutes // 2 * MINUTE
    before, after = runs.sum(over.start, middle), runs.sum(middle, over.end)
    if not before or after > _FLAT * before * (over.end - middle) / (middle - over.start):
        return
    lag, slope = points[-1][1], slope_per_min(points) or 0.0
    behind = f"{mapping.function.id} falls behind {mapping.source_name}"
    title = f"{behind}: {lag:.0f} records, {slope:+.0f} a minute"
    formula = (
        f"{name} {points[0][1]:.0f} -> {against(context, lag, limits.min_lag, 0)} over {over.minutes} min, "
        f"invocations {before:.0f} -> {after:.0f} by halves"
    )
    figures: _Evidence = (
        ("offset_lag", lag),
        ("lag_growth_per_min", round(slope, 1)),
        ("metric", name),
        *_work(context, mapping, over),
    )
    yield _finding(mapping, "warning", title, lowest_at(points), figures, formula)


def _stream(context: EvaluationContext, mapping: MappingFacts) -> Iterator[Finding]:
    limits = context.limits.stream_lag
    over = context.window(mapping.function, limits.window_min)
    points = points_of(context.world.metric(mapping.function, "IteratorAge", "Maximum"), over)
    # Records wait for the end of the batching window before they are late.
    waits_ms = 1000 * (mapping.batching_window_s or 0)
    if not points or points[-1][1] - waits_ms < 1000 * context.limit(NAME, mapping.key, limits.min_age_s):
        return
    runs = context.world.metric(mapping.function, "Invocations").sum(over.start, over.end)
    errors = context.world.metric(mapping.function, "Errors").sum(over.start, over.end)
    slope = slope_per_min(points) or 0.0
    least = context.limit(NAME, mapping.key, limits.slope_ms_per_min)
    if not runs or errors / runs > limits.max_error_share or slope < least:
        return
    if _fails(context, mapping, Window(int(lowest_at(points)), over.end)) or falls_back(points):
        return
    part = _KEPT if context.stands(NAME, mapping.key) else _STEADY
    if not climbs(points, least * (points[-1][0] - points[0][0]) / MINUTE / 2, part):
        return
    age_s, kept = points[-1][1] / 1000, kept_s(context.world, mapping)
    left, bad, deadline = None, False, ""
    if isinstance(kept, NotKnown):
        deadline = f"; how long records are kept is {kept.words}"
    else:
        bad = age_s / kept > context.limit(NAME, mapping.key, limits.critical_share, "critical")
        left = minutes(max(0.0, kept - age_s) / (slope / 60_000))
        deadline = f"; records expire at {span(kept)}, in {about(left)} at this pace"
    title = f"{mapping.function.id} is too slow for {mapping.source_name}: {span(age_s)} behind{deadline}"
    formula = (
        f"iterator age grows {against(context, slope, limits.slope_ms_per_min, 0, what=' ms/min')} to "
        f"{against(context, age_s, limits.min_age_s, 0, ' s')}; {errors:.0f} errors / "
        f"{runs:.0f} invocations <= {limits.max_error_share:g}"
    )
    figures: _Evidence = (
        ("iterator_age_ms", points[-1][1]),
        ("slope_ms_per_min", round(slope)),
        ("retention_s", or_none(retention_s(context.world, mapping))),
        ("expires_in_s", left),
        *_work(context, mapping, over),
    )
    yield _finding(mapping, "critical" if bad else "warning", title, lowest_at(points), figures, formula)


def _fails(context: EvaluationContext, mapping: MappingFacts, over: Window) -> bool:
    """Return whether it fails, and is not slow, since the lag began to grow."""
    metric, most = context.world.metric, context.limits.stream_lag.max_error_share
    runs = metric(mapping.function, "Invocations").sum(over.start, over.end)
    return bool(runs) and metric(mapping.function, "Errors").sum(over.start, over.end) / runs > most


def _work(context: EvaluationContext, mapping: MappingFacts, over: Window) -> _Evidence:
    """Return evidence of what the consumer does meanwhile."""
    metric = context.world.metric
    return (
        ("invocations", metric(mapping.function, "Invocations").sum(over.start, over.end)),
        ("errors", metric(mapping.function, "Errors").sum(over.start, over.end)),
        ("throttles", metric(mapping.function, "Throttles").sum(over.start, over.end)),
        ("batch_size", mapping.batch_size),
        ("parallelization_factor", mapping.parallelization_factor),
        ("window_min", over.minutes),
    )


def _finding(
    mapping: MappingFacts, severity: Severity, title: str, since: float, figures: _Evidence, formula: str
) -> Finding:
    stream = mapping.source_stream
    return Finding(
        NAME,
        severity,
        Ref(mapping.key, mapping.uuid, mapping.label),
        title,
        since,
        (("source", mapping.source_name), ("function", mapping.function.id), *figures),
        SUGGESTS,
        formula,
        (mapping.function, *((stream,) if stream else ())),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=200,
    says="a consumer falls behind although its function does not fail",
    formula=(
        "Kafka: OffsetLag (or MaxOffsetLag) climbs over {window_min} final minutes to {min_lag} records or "
        "more while Invocations are flat and at most {max_error_share:g} of them fail; Kinesis, DynamoDB, "
        "DocumentDB: IteratorAge climbs by {slope_ms_per_min:.0f} ms/min or more above {min_age_s:g} s and "
        "the batching window while at most {max_error_share:g} fail"
    ),
    source="AWS/Lambda OffsetLag, IteratorAge, Invocations, Errors; MaxOffsetLag of the mapping",
    traps=(
        "a burst of the producer is one step and a rebalance one hump of about 3 minutes: the lag must "
        "climb in each third of the window; a saw-tooth of batching or tumbling windows, whose low points "
        "stay; a replay, whose age falls; a blocked shard, which is its own finding"
    ),
    suggests=SUGGESTS,
)
