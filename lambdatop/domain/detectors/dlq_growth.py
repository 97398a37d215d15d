"""dlq_growth: messages are being given up (telemetry D8). By depth, never by NumberOfMessagesSent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.flow import growth
from lambdatop.domain.mitigations.words import span
from lambdatop.domain.scope import Key
from lambdatop.domain.sight import Sight
from lambdatop.domain.world import World

NAME = "dlq_growth"
FORMULA = "change of max(visible + in flight) of the DLQ over 5 final minutes"
SOURCE = "AWS/SQS ApproximateNumberOfMessagesVisible and …NotVisible, or polled attributes"
TRAPS = "a redrive that runs; NumberOfMessagesSent does not count what a redrive policy moves"
SUGGESTS = ("disable_trigger", "redrive_dlq")


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per dead-letter queue that grew."""
    world, now = sight.world, sight.now
    limits = sight.limits.dlq_growth
    for dlq, sources in _dead_letter_queues(world).items():
        over = sight.window(dlq, limits.window_min)
        history = world.queues.get(dlq)
        grown = growth(world, dlq, over)
        if history is None or grown is None or grown.grown <= 0:
            continue
        severity: Severity = "critical" if grown.per_min > limits.critical_per_min else "warning"
        facts = history.facts
        yield Finding(
            NAME,
            severity,
            Ref(dlq, facts.arn, facts.name),
            f"{facts.name} grew by {grown.grown} in {span(60 * grown.minutes)}, {facts.visible} waiting",
            now,
            (
                ("dlq", facts.name),
                ("source_queues", ", ".join(sources)),
                ("visible", facts.visible),
                ("grown", grown.grown),
                ("growth_per_min", round(grown.per_min, 2)),
                ("window_min", round(grown.minutes, 1)),
                ("retention_s", facts.retention_s),
            ),
            ("disable_trigger", "redrive_dlq"),
        )


def _dead_letter_queues(world: World) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = defaultdict(list)
    for history in world.queues.values():
        if history.facts.dlq is not None:
            found[history.facts.dlq].append(history.facts.name)
    return {k: sorted(v) for k, v in sorted(found.items())}
