"""Detect async_loss: asynchronous events were dropped or sent to a failure destination."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.failure_path import AsyncEnd, async_end
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "async_loss"
SUGGESTS = ("stop_async_retries", "rollback_alias")
_METRICS = ("AsyncEventsDropped", "DeadLetterErrors", "DestinationDeliveryFailures")


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function that discarded events, worse where no destination took them."""
    for key, facts in context.measured():
        over = context.window(key, context.limits.async_loss.window_min)
        counts = _counts(context, key, over)
        if not any(counts):
            over = context.published(key, context.limits.async_loss.window_min)
            counts = _counts(context, key, over)
        if any(counts):
            yield _finding(context, facts, over, *counts)


def _counts(context: EvaluationContext, key: Key, over: Window) -> list[float]:
    return [context.world.metric(key, name).sum(over.start, over.end) for name in _METRICS]


def _finding(
    context: EvaluationContext,
    facts: FunctionFacts,
    over: Window,
    dropped: float,
    letters: float,
    deliveries: float,
) -> Finding:
    key, world = facts.key, context.world
    end = async_end(facts, world.triggers_of(key).async_config)
    # What could not be delivered had somewhere to go; what was dropped is lost where it had not.
    lost = dropped if end.lost else letters + deliveries
    reserved = world.reserved_of(key)
    stopped = reserved == 0
    runs = world.metric(key, "Invocations").sum(over.start, over.end)
    # Without a run it may stand at zero on purpose, where every event ends so.
    sure = runs > 0 or not isinstance(reserved, NotKnown)
    severity: Severity = "info" if stopped or not sure else "critical" if lost else "warning"
    if lost:
        title = f"{facts.name} lost {lost:.0f} async events"
    elif end.takers:
        title = f"{facts.name} sent {dropped:.0f} failed async events to {' and '.join(end.takers)}"
    else:
        title = f"{facts.name} dropped {dropped:.0f} async events; where they go is {_words(end)}"
    starts = [began(context.world.metric(key, name), over.end) for name in _METRICS]
    return Finding(
        NAME,
        severity,
        Ref(key, facts.arn, facts.name),
        f"{title}: it is throttled to zero" if stopped else title,
        float(min((s for s in starts if s is not None), default=int(context.now))),
        (
            ("dropped", dropped),
            ("dead_letter_errors", letters),
            ("destination_failures", deliveries),
            ("lost", None if end.unread is not None and not end.takers and not lost else lost),
            ("went_to", end.words if end.takers or end.lost else _words(end)),
            ("window_min", over.minutes),
        ),
        ("restore_concurrency",) if stopped else _suggests(end, letters + deliveries),
        f"{dropped:.0f} dropped + {letters:.0f} + {deliveries:.0f} undelivered > 0 over {over.minutes} min",
    )


def _suggests(end: AsyncEnd, undelivered: float) -> tuple[str, ...]:
    """Return what does not lose more: without retries each event ends after its first failure."""
    kept = bool(end.takers) and not undelivered
    return SUGGESTS if kept else SUGGESTS[1:]


def _words(end: AsyncEnd) -> str:
    return end.unread.words if end.unread is not None else end.words


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=230,
    says="asynchronous events were dropped or sent to a failure destination",
    formula=(
        "AsyncEventsDropped + DeadLetterErrors + DestinationDeliveryFailures > 0 over {window_min} final "
        "minutes, or the younger ones that are published"
    ),
    source="AWS/Lambda AsyncEventsDropped, DeadLetterErrors, DestinationDeliveryFailures",
    traps=(
        "AsyncEventsDropped also counts events that a dead-letter queue or destination took: these are "
        "handed over, not lost; reserved concurrency 0 sends every event there on purpose"
    ),
    suggests=SUGGESTS,
)
