"""sqs_redelivery: a queue hands out messages more often than they get done (telemetry D5)."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.flow import Flow, flow, growth
from lambdatop.domain.mapping import MappingFacts
from lambdatop.domain.mitigations.words import span
from lambdatop.domain.queue import QueueFacts
from lambdatop.domain.rates import Window
from lambdatop.domain.sight import Sight
from lambdatop.domain.world import World

NAME = "sqs_redelivery"
FORMULA = "NumberOfMessagesReceived / max(NumberOfMessagesDeleted, 1) over 10 final minutes"
SOURCE = "AWS/SQS NumberOfMessagesReceived and …Deleted of the source queue"
TRAPS = "other consumers; somebody looking into the queue by hand; batches as long as the window"
SUGGESTS = ("disable_trigger", "throttle_to_zero")


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per source queue whose redelivery ratio is above the threshold."""
    world, now = sight.world, sight.now
    limits = sight.limits.sqs_redelivery
    for queue, mapping in _fed(world):
        over = sight.window(queue.key, limits.window_min)
        seen = flow(world, queue.key, over)
        if seen is None or seen.ratio is None or seen.received < limits.min_received:
            continue
        if seen.ratio < limits.warning_ratio:
            continue
        nothing_done = seen.deleted == 0
        severity: Severity = "critical" if seen.ratio >= limits.critical_ratio or nothing_done else "warning"
        yield _finding(world, now, over, queue, mapping, seen, severity)


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
    world: World,
    now: float,
    over: Window,
    queue: QueueFacts,
    mapping: MappingFacts,
    seen: Flow,
    severity: Severity,
) -> Finding:
    ratio = seen.ratio or 0.0
    dlq = queue.dlq
    dlq_history = world.queues.get(dlq) if dlq else None
    grown = growth(world, dlq, over) if dlq else None
    title = f"{queue.name} redelivers: {ratio:.1f} receives per message done"
    evidence: list[tuple[str, float | int | str | None]] = [
        ("queue", queue.name),
        ("function", mapping.function.id),
        ("received", seen.received),
        ("deleted", seen.deleted),
        ("redelivery_ratio", round(ratio, 2)),
        ("repeated_receives", max(0.0, seen.received - seen.deleted)),
        ("window_min", over.minutes),
        ("in_flight", queue.in_flight),
        ("max_receive_count", queue.max_receive_count),
    ]
    if dlq_history is not None:
        evidence += [("dlq", dlq_history.facts.name), ("dlq_visible", dlq_history.facts.visible)]
    if grown is not None and dlq_history is not None and grown.grown > 0:
        title += f"; {dlq_history.facts.name} +{grown.grown} in {span(60 * grown.minutes)}"
        evidence += [("dlq_grown", grown.grown), ("dlq_growth_per_min", round(grown.per_min, 2))]
    return Finding(
        NAME,
        severity,
        Ref(queue.key, queue.arn, queue.name),
        title,
        now,
        tuple(evidence),
        ("disable_trigger", "throttle_to_zero"),
    )
