"""Detect sqs_redelivery: a queue delivers messages more often than they are deleted."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.queue_flow import Flow, flow, growth, unpublished_deletions
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.state.world import World
from lambdatop.domain.units import span

NAME = "sqs_redelivery"
SUGGESTS = ("disable_trigger", "throttle_to_zero")

REPEATS = 1.2
LASTING_MIN = 3
"""So many minutes with so many more receives than deletions are no single look."""

Evidence = tuple[tuple[str, float | int | str | None], ...]


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per source queue whose redelivery ratio is above the threshold."""
    limits = context.limits.sqs_redelivery
    for queue, mapping in _fed(context.world):
        over, key = context.window(queue.key, limits.window_min), queue.key
        seen = flow(context.world, key, over)
        if seen is not None:
            late = unpublished_deletions(context.world, key, over)
            seen = Flow(seen.sent, seen.received, seen.deleted + late)
        if (
            seen is None
            or seen.ratio is None
            or seen.received < context.limit(NAME, key, limits.min_received)
        ):
            continue
        # What is in flight was received once and may still get done: it is not a repetition.
        once = max(seen.deleted + min(queue.in_flight, seen.received), 1.0)
        if seen.ratio < context.limit(NAME, key, limits.warning_ratio) or seen.received <= once:
            continue
        if not _lasts(context, queue, mapping, over):
            continue
        bad = seen.ratio >= context.limit(NAME, key, limits.critical_ratio, "critical")
        yield _finding(context, over, queue, mapping, seen, "critical" if bad else "warning")


def _lasts(context: EvaluationContext, queue: QueueFacts, mapping: MappingFacts, over: Window) -> bool:
    """Return whether redelivery comes from failed or throttled runs, or lasts.

    One receive by hand does neither.
    """
    window = context.window(mapping.function, context.limits.sqs_redelivery.window_min)
    names = ("Errors", "Throttles")
    failed = sum(context.world.metric(mapping.function, n).sum(window.start, window.end) for n in names)
    received = context.world.metric(queue.key, "NumberOfMessagesReceived")
    deleted = context.world.metric(queue.key, "NumberOfMessagesDeleted")
    minutes = range(over.start, over.end, MINUTE)
    more = sum(received.sum(t, t + MINUTE) > REPEATS * deleted.sum(t, t + MINUTE) for t in minutes)
    return failed > 0 or more >= LASTING_MIN


def _fed(world: World) -> Iterator[tuple[QueueFacts, MappingFacts]]:
    done = set()
    for mapping in world.mappings.values():
        key = mapping.source_queue
        history = world.queues.get(key) if key else None
        if key is None or history is None or key in done:
            continue
        done.add(key)
        yield history.facts, mapping


def _finding(
    context: EvaluationContext,
    over: Window,
    queue: QueueFacts,
    mapping: MappingFacts,
    seen: Flow,
    severity: Severity,
) -> Finding:
    limits, ratio = context.limits.sqs_redelivery, seen.ratio or 0.0
    threshold = limits.critical_ratio if severity == "critical" else limits.warning_ratio
    title = f"{queue.name} redelivers: {seen.received:.0f} receives, none deleted"
    formula = f"{seen.received:.0f} received, 0 deleted"
    if seen.deleted:
        title = f"{queue.name} redelivers: {ratio:.1f} receives per deleted message"
        formula = f"{seen.received:.0f} received / {seen.deleted:.0f} deleted = "
        formula += against(context, ratio, threshold)
    evidence: Evidence = (
        ("queue", queue.name),
        ("function", mapping.function.id),
        ("received", seen.received),
        ("deleted", seen.deleted),
        ("redelivery_ratio", round(ratio, 2) if seen.deleted else None),
        ("repeated_receives", max(0.0, seen.received - seen.deleted)),
        ("window_min", over.minutes),
        ("in_flight", queue.in_flight),
        ("max_receive_count", queue.max_receive_count),
        *_by_mapping(context, mapping, over),
    )
    words, letters = _dead_letters(context.world, queue, over)
    start = began(context.world.metric(mapping.function, "Errors"), over.end)
    return Finding(
        NAME,
        severity,
        Ref(queue.key, queue.arn, queue.name),
        title + words,
        float(start) if start is not None else context.now,
        (*evidence, *letters),
        SUGGESTS,
        f"{formula} over {over.minutes} min",
        (mapping.function, mapping.key, *((queue.dlq,) if queue.dlq else ())),
    )


def _by_mapping(context: EvaluationContext, mapping: MappingFacts, over: Window) -> Evidence:
    """Return the mapping's own counters, where they are enabled: other consumers are not in these."""
    invoked = context.world.metric(mapping.key, "InvokedEventCount").sum(over.start, over.end)
    deleted = context.world.metric(mapping.key, "DeletedEventCount").sum(over.start, over.end)
    ratio = round(invoked / deleted, 2) if deleted else None
    return (("mapping_redelivery_ratio", ratio),) if invoked else ()


def _dead_letters(world: World, queue: QueueFacts, over: Window) -> tuple[str, Evidence]:
    history = world.queues.get(queue.dlq) if queue.dlq else None
    grown = growth(world, queue.dlq, over) if queue.dlq else None
    if history is None:
        return "", ()
    evidence: Evidence = (("dlq", history.facts.name), ("dlq_visible", history.facts.visible))
    if grown is None or grown.grown <= 0:
        return "", evidence
    more = (("dlq_grown", grown.grown), ("dlq_growth_per_min", round(grown.per_min, 2)))
    return f"; {history.facts.name} +{grown.grown} in {span(60 * grown.minutes)}", (*evidence, *more)


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=190,
    says="a queue delivers messages more often than they are deleted",
    formula=(
        "NumberOfMessagesReceived / NumberOfMessagesDeleted over {window_min} final minutes, or none is "
        "deleted"
    ),
    source="AWS/SQS NumberOfMessagesReceived and …Deleted of the source queue",
    traps=(
        "other consumers; somebody polling the queue by hand; batches as long as the window; deletions that "
        "CloudWatch tells late (what was sent and is gone counts as deleted)"
    ),
    suggests=SUGGESTS,
)
