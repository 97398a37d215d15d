"""runaway_loop: Lambda itself stopped a loop (telemetry D14, section 11)."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.finding import Finding, Ref
from lambdatop.domain.rates import began
from lambdatop.domain.sight import Sight
from lambdatop.domain.topology import cycle_through, path_words

NAME = "runaway_loop"
FORMULA = "RecursiveInvocationsDropped > 0 over 5 final minutes"
SOURCE = "AWS/Lambda RecursiveInvocationsDropped; the event graph for the path"
TRAPS = (
    "the metric cannot appear where loop detection is switched off (RecursiveLoop = Allow), nor for loops "
    "through DynamoDB, Kinesis or EventBridge"
)
SUGGESTS = ("disable_trigger", "throttle_to_zero")

HOPS = 16
"""About as many invocations in one chain are let through (telemetry section 11)."""


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per function whose loop Lambda stopped."""
    for key, facts in sight.world.functions.items():
        over = sight.window(key, sight.limits.runaway_loop.window_min)
        series = sight.world.metric(key, "RecursiveInvocationsDropped")
        dropped = series.sum(over.start, over.end)
        if dropped <= 0:
            continue
        cycle = cycle_through(sight.world, key)
        queues = [m.source_queue for m in sight.world.mappings_of(key) if m.source_queue]
        receives = [h.facts.max_receive_count for q in queues if (h := sight.world.queues.get(q))]
        most = max((r or 0 for r in receives), default=0)
        start = began(series, over.end)
        yield Finding(
            NAME,
            "critical",
            Ref(key, facts.arn, facts.name),
            f"{facts.name} invokes itself in a loop: Lambda stopped {dropped:.0f} chains after {HOPS} hops",
            float(start) if start is not None else sight.now,
            (
                ("recursive_invocations_dropped", dropped),
                ("path", path_words(cycle) if cycle else "not visible in the configuration"),
                ("max_receive_count", most or None),
                ("again", "SQS redelivers what was stopped" if most > HOPS else None),
                ("window_min", over.minutes),
            ),
            SUGGESTS,
            f"{dropped:.0f} recursive invocations dropped > 0 over {over.minutes} min",
            cycle.keys if cycle else (),
        )
