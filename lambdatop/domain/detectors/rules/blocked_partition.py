"""Detect blocked_partition: a batch of a Kafka topic fails again and again, and its partition waits."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.failure_path import end_name, stream_failure_path
from lambdatop.domain.facts.not_read import NEVER_ASKED
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Points, points_of, slope_per_min
from lambdatop.domain.figures.stream_lag import lag_climbs, lowest_at, offset_lag
from lambdatop.domain.plans.finding import Finding, Ref

NAME = "blocked_partition"
SUGGESTS = ("disable_trigger", "tune_trigger")


class BlockedPartition(Struct, frozen=True):
    """A mapping that does not get past a batch: its lag (records a minute), and what fails meanwhile."""

    mapping: MappingFacts
    metric: str
    lag: Points
    errors: float
    invocations: float
    window_min: int


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per mapping whose lag climbs while nearly every run fails."""
    for found in blocked_partitions(context):
        yield _finding(context, found)


def blocked_partitions(context: EvaluationContext) -> Iterator[BlockedPartition]:
    """Yield each Kafka mapping that does not get past a batch."""
    limits, world = context.limits.blocked_partition, context.world
    for mapping in sorted(world.mappings.values(), key=lambda m: m.key):
        if mapping.source_kind != "kafka" or not mapping.enabled:
            continue
        over = context.window(mapping.function, limits.window_min)
        runs = world.metric(mapping.function, "Invocations").sum(over.start, over.end)
        errors = world.metric(mapping.function, "Errors").sum(over.start, over.end)
        name, series = offset_lag(world, mapping)
        lag, least = points_of(series, over), context.limit(NAME, mapping.key, limits.min_lag)
        fails = runs and errors / runs > context.limit(NAME, mapping.key, limits.error_share)
        if (fails or _fails_each_minute(context, mapping)) and lag_climbs(lag, least):
            yield BlockedPartition(mapping, name, lag, errors, runs, over.minutes)


def _fails_each_minute(context: EvaluationContext, mapping: MappingFacts) -> bool:
    """Return whether some batch of the mapping failed in each of the last minutes, by its own metric."""
    over = context.window(mapping.function, context.limits.blocked_partition.window_min)
    failed = context.world.metric(mapping.key, "InvokeErrorCount").grid(over.start, over.minutes)
    return bool(failed) and all(failed)


def _finding(context: EvaluationContext, found: BlockedPartition) -> Finding:
    mapping, limits = found.mapping, context.limits.blocked_partition
    lag, slope = found.lag[-1][1], slope_per_min(found.lag) or 0.0
    then = stream_failure_path(mapping, NEVER_ASKED, NEVER_ASKED)
    title = f"{mapping.source_name} is blocked at {mapping.function.id}, {lag:,.0f} records behind; {then}"
    retries, age = mapping.max_retry_attempts, mapping.max_record_age_s
    share = found.errors / found.invocations if found.invocations else 0.0
    why = f"= {against(context, share, limits.error_share, sign='>')}"
    if share <= context.limit(NAME, mapping.key, limits.error_share):
        why = "and InvokeErrorCount > 0 in each minute"
    return Finding(
        NAME,
        "warning",
        Ref(mapping.key, mapping.uuid, mapping.label),
        title,
        lowest_at(found.lag),
        (
            ("source", mapping.source_name),
            ("function", mapping.function.id),
            ("offset_lag", lag),
            ("lag_growth_per_min", round(slope, 1)),
            ("metric", found.metric),
            ("errors", found.errors),
            ("invocations", found.invocations),
            ("retries", retries if retries not in (None, -1) else "infinite"),
            ("max_record_age_s", age if age not in (None, -1) else "infinite"),
            ("then", then),
            ("on_failure", end_name(mapping.on_failure_arn) if mapping.on_failure_arn else "none"),
            ("window_min", found.window_min),
        ),
        SUGGESTS,
        f"{found.metric} {found.lag[0][1]:.0f} -> {against(context, lag, limits.min_lag, 0)}; "
        f"{found.errors:.0f} errors / {found.invocations:.0f} invocations {why}",
        (mapping.function,),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=145,
    says="a batch of a Kafka topic fails again and again, and its partition waits",
    formula=(
        "OffsetLag (or MaxOffsetLag) climbs over {window_min} final minutes to {min_lag} records or more, "
        "and Errors / Invocations > {error_share:g} or InvokeErrorCount > 0 in each minute"
    ),
    source=(
        "AWS/Lambda OffsetLag, Errors, Invocations; MaxOffsetLag and InvokeErrorCount of the mapping, where "
        "its KafkaMetrics and ErrorCount are switched on"
    ),
    traps=(
        "a consumer that is only too slow, whose runs succeed; a rebalance, one hump of about 3 minutes; "
        "with several partitions the healthy ones dilute the errors below the share, which InvokeErrorCount "
        "shows; how long the topic keeps its records is not read"
    ),
    suggests=SUGGESTS,
)
