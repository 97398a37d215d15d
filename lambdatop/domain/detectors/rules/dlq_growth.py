"""Detect dlq_growth: messages keep reaching a dead-letter queue. By depth, never by NumberOfMessagesSent."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.queue_flow import Growth, arrivals, growth
from lambdatop.domain.graph.dead_letters import dead_letter_queues
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.units import span

NAME = "dlq_growth"
SUGGESTS = ("disable_trigger", "redrive_dlq")


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per dead-letter queue or failure destination that grew."""
    limits = context.limits.dlq_growth
    read = {m.source_queue for m in context.world.mappings.values() if m.enabled}
    for dlq, feeders in dead_letter_queues(context.world).items():
        history = context.world.queues.get(dlq)
        count = arrivals if dlq in read else growth
        grown = count(context.world, dlq, context.window(dlq, limits.window_min))
        if history is None or grown is None or grown.grown <= 0 or history.facts.redrive == "RUNNING":
            continue
        fast = grown.per_min > context.limit(NAME, dlq, limits.critical_per_min, "critical")
        yield _finding(context, history.facts, feeders, grown, "critical" if fast else "warning")


def _finding(
    context: EvaluationContext, facts: QueueFacts, feeders: tuple[Key, ...], grown: Growth, severity: Severity
) -> Finding:
    functions = tuple(sorted(_consumers(context, feeders)))
    sources = ", ".join(key.id for key in feeders)
    period = span(60 * grown.minutes)
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name} grew by {grown.grown} in {period}, {facts.visible} waiting",
        grown.since,
        (
            ("dlq", facts.name),
            ("source_queues", sources),
            ("visible", facts.visible),
            ("grown", grown.grown),
            ("growth_per_min", round(grown.per_min, 2)),
            ("window_min", round(grown.minutes, 1)),
            ("retention_s", facts.retention_s),
        ),
        SUGGESTS,
        f"+{grown.grown} messages in {period} = {grown.per_min:.2f} a minute > 0",
        (*feeders, *functions),
    )


def _consumers(context: EvaluationContext, feeders: tuple[Key, ...]) -> set[Key]:
    """Return the functions whose failures end in this queue.

    Fed by one of its source queues, or feeders themselves.
    """
    fed = {m.function for m in context.world.mappings.values() if m.source_queue in feeders}
    return fed | {key for key in feeders if key.kind == "function"}


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=220,
    says="messages are moved to a dead-letter queue",
    formula=(
        "change of max(visible + in flight) of the DLQ over {window_min} final minutes; of one with a "
        "trigger of its own, what is deleted there besides"
    ),
    source=(
        "AWS/SQS ApproximateNumberOfMessagesVisible and …NotVisible, or polled attributes; "
        "NumberOfMessagesDeleted"
    ),
    traps=(
        "a redrive that runs moves messages; NumberOfMessagesSent does not count what a redrive policy "
        "moves; letters that somebody reads are in flight for a while, which is no growth"
    ),
    suggests=SUGGESTS,
)
