"""Detect runaway_loop: Lambda itself stopped a loop."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import or_none
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import began
from lambdatop.domain.graph.topology import HOPS, cycle_of
from lambdatop.domain.plans.finding import Finding, Ref

NAME = "runaway_loop"
SUGGESTS = ("throttle_to_zero", "disable_trigger")


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function whose loop Lambda stopped."""
    for key, facts in context.measured():
        series = context.world.metric(key, "RecursiveInvocationsDropped")
        if not series.times:
            continue
        over = context.window(key, context.limits.runaway_loop.window_min)
        dropped = series.sum(over.start, over.end)
        if not dropped:
            over = context.published(key, context.limits.runaway_loop.window_min)
            dropped = series.sum(over.start, over.end)
        if dropped > 0:
            start = began(series, over.end)
            since = context.now if start is None else float(start)
            yield _finding(context, facts, dropped, since, over.minutes)


def _finding(
    context: EvaluationContext, facts: FunctionFacts, dropped: float, since: float, minutes: int
) -> Finding:
    world, key = context.world, facts.key
    cycle = cycle_of(world, key)
    fed = [m for m in world.mappings_of(key) if m.enabled]
    queues = [h.facts for m in fed if m.source_queue and (h := world.queues.get(m.source_queue))]
    most = max((q.max_receive_count or 0 for q in queues), default=0)
    read = world.triggers_of(key)
    again = f"SQS hands out each stopped message again, up to {most} receives" if most > HOPS else None
    path = cycle.path if cycle else "not visible in the configuration"
    return Finding(
        NAME,
        "critical",
        Ref(key, facts.arn, facts.name),
        f"{facts.name} is in a loop: Lambda stopped {dropped:.0f} chains after about {HOPS} hops",
        since,
        (
            ("recursive_invocations_dropped", dropped),
            ("path", path),
            ("via", ", ".join(cycle.via) if cycle else None),
            ("recursive_loop", or_none(read.recursive_loop) or None),
            ("max_receive_count", most or None),
            ("redelivery", again),
            ("window_min", minutes),
        ),
        SUGGESTS if fed else SUGGESTS[:1],
        f"{dropped:.0f} recursive invocations dropped > 0 over {minutes} min",
        cycle.keys if cycle else (key,),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=20,
    says="Lambda itself stopped a loop",
    formula=(
        "RecursiveInvocationsDropped > 0 over {window_min} final minutes, or the younger ones that are "
        "published"
    ),
    source="AWS/Lambda RecursiveInvocationsDropped; the event graph for the path",
    traps=(
        "its absence proves nothing: the metric cannot appear where loop detection is switched off "
        "(RecursiveLoop = Allow), with an SDK that passes no trace header, nor for loops through "
        "DynamoDB, Kinesis or EventBridge"
    ),
    suggests=SUGGESTS,
)
