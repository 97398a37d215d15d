"""Detect batch_amplification: healthy records run again with the bad one of their batch."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.queue_flow import flow
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.plans.finding import Finding, Ref

NAME = "batch_amplification"
SUGGESTS = ("tune_trigger",)

MOST_FAIL = 0.8
"""Where nearly every batch of a queue fails, it is not one bad record that fails them."""

A_FEW = 5
"""Batches of a minute below which "all of them failed" says nothing."""


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per mapping whose failures repeat whole batches."""
    limits = context.limits.batch_amplification
    for mapping in context.world.mappings.values():
        size = mapping.batch_size or 1
        if not mapping.enabled or mapping.partial_responses or size < limits.min_batch:
            continue
        if not mapping.takes_partial_responses:
            continue
        over = context.window(mapping.function, limits.window_min)
        invocations = context.world.metric(mapping.function, "Invocations").sum(over.start, over.end)
        errors = context.world.metric(mapping.function, "Errors").sum(over.start, over.end)
        if invocations < context.limit(NAME, mapping.key, limits.min_invocations) or not errors:
            continue
        if mapping.source_queue is not None and not _some_succeed(context, mapping):
            continue
        share = errors / invocations
        if mapping.source_queue is not None and _all_failed_once(context, mapping, over):
            continue
        if share > context.limit(NAME, mapping.key, limits.warning_share):
            yield _finding(context, mapping, over, errors, invocations)


def _all_failed_once(context: EvaluationContext, mapping: MappingFacts, over: Window) -> bool:
    """Return whether nearly every batch of some minute failed, as in an outage of part of the window."""
    start = int(over.start)
    invocations = context.world.metric(mapping.function, "Invocations").grid(start, over.minutes)
    errors = context.world.metric(mapping.function, "Errors").grid(start, over.minutes)
    minutes = zip(invocations, errors, strict=True)
    return any(n is not None and n >= A_FEW and (e or 0) / n > MOST_FAIL for n, e in minutes)


def _some_succeed(context: EvaluationContext, mapping: MappingFacts) -> bool:
    """Return whether any messages succeed: where every batch fails, nothing healthy is repeated."""
    queue = mapping.source_queue
    assert queue is not None
    over = context.window(queue, context.limits.batch_amplification.window_min)
    seen = flow(context.world, queue, over)
    return seen is None or seen.deleted > 0


def _finding(
    context: EvaluationContext, mapping: MappingFacts, over: Window, errors: float, runs: float
) -> Finding:
    size, share = mapping.batch_size or 1, errors / runs
    again = share * (size - 1)
    start = began(context.world.metric(mapping.function, "Errors"), over.end)
    return Finding(
        NAME,
        "warning",
        Ref(mapping.key, mapping.key.id, mapping.label),
        f"{mapping.function.id} repeats whole batches: one bad record takes up to {size - 1} with it",
        float(start) if start is not None else context.now,
        (
            ("source", mapping.source_name),
            ("function", mapping.function.id),
            ("errors", errors),
            ("invocations", runs),
            ("error_rate", round(share, 4)),
            ("batch_size", size),
            ("healthy_repeated_per_batch", round(again, 2)),
            ("window_min", over.minutes),
        ),
        SUGGESTS,
        f"{errors:.0f} errors / {runs:.0f} invocations = {share:.1%} x ({size} - 1) = {again:.1f} healthy "
        "records repeated per batch",
        (mapping.function, *((mapping.source_queue,) if mapping.source_queue else ())),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=180,
    says="healthy records run again with the bad one of their batch",
    formula=(
        "Errors / Invocations > {warning_share:g} over {window_min} final minutes, batch size >= "
        "{min_batch}, no ReportBatchItemFailures"
    ),
    source="AWS/Lambda Errors, Invocations; BatchSize and FunctionResponseTypes of the mapping",
    traps=(
        "batches are often smaller than BatchSize; an error that hits the whole batch repeats nothing healthy"
    ),
    suggests=SUGGESTS,
)
