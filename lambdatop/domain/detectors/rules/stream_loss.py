"""Detect stream_loss: records of a stream were dropped or sent to a failure destination."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.failure_path import end_name
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "stream_loss"
OVERSIZED = "OversizedRecordCount"
"""Changes above 6 MB, which Lambda drops (DocumentDB)."""
SUGGESTS = ("disable_trigger", "tune_trigger")


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per stream mapping that discarded records."""
    for mapping in context.world.mappings.values():
        if not mapping.kind.part:
            continue
        over = context.window(mapping.key, context.limits.stream_loss.window_min)
        dropped = context.world.metric(mapping.key, "DroppedEventCount").sum(over.start, over.end)
        handed = context.world.metric(mapping.key, "OnFailureDestinationDeliveredEventCount")
        delivered = handed.sum(over.start, over.end)
        failures = _undelivered(context, mapping)
        if _is_documents(mapping) and _first(context, mapping, _is_documents) == mapping.key:
            at = context.window(mapping.function, context.limits.stream_loss.window_min)
            dropped += context.world.metric(mapping.function, OVERSIZED).sum(at.start, at.end)
        if dropped or delivered or failures:
            yield _finding(context, mapping, over, dropped, delivered, failures)


def _is_documents(mapping: MappingFacts) -> bool:
    return mapping.source_kind == "documentdb"


def _first(context: EvaluationContext, mapping: MappingFacts, of: Callable[[MappingFacts], bool]) -> Key:
    """Return the first of the function's mappings `of` a kind, to which its own metrics are put down."""
    same = [m for m in context.world.mappings_of(mapping.function) if m.kind.part and of(m)]
    return min(same or [mapping], key=lambda m: m.reading_order).key


def _undelivered(context: EvaluationContext, mapping: MappingFacts) -> float:
    """Return the function's failed deliveries; 0 where it has asynchronous events, which count there too.

    The metric is the function's: of several mappings with a destination it counts for the first one only.
    """
    if not mapping.on_failure_arn or context.world.metric(mapping.function, "AsyncEventsReceived").times:
        return 0.0
    if _first(context, mapping, lambda m: bool(m.on_failure_arn)) != mapping.key:
        return 0.0
    over = context.window(mapping.function, context.limits.stream_loss.window_min)
    return context.world.metric(mapping.function, "DestinationDeliveryFailures").sum(over.start, over.end)


def _finding(
    context: EvaluationContext,
    mapping: MappingFacts,
    over: Window,
    dropped: float,
    delivered: float,
    failures: float,
) -> Finding:
    lost = bool(dropped or failures)
    severity: Severity = "critical" if lost else "warning"
    end = end_name(mapping.on_failure_arn) if mapping.on_failure_arn else "nowhere"
    if dropped:
        what = f"{dropped:.0f} {mapping.kind.event} dropped before {mapping.function.id} processed them"
        title = f"{mapping.source_name}: {what}"
    elif failures:
        title = f"{mapping.source_name}: {failures:.0f} failure records could not be delivered to {end}"
    else:
        title = f"{mapping.source_name}: {delivered:.0f} records handed to {end} without success"
    names = ["DroppedEventCount", "OnFailureDestinationDeliveredEventCount"]
    starts = [began(context.world.metric(mapping.key, name), over.end) for name in names]
    if failures:
        starts.append(began(context.world.metric(mapping.function, "DestinationDeliveryFailures"), over.end))
    starts.append(began(context.world.metric(mapping.function, OVERSIZED), over.end))
    return Finding(
        NAME,
        severity,
        Ref(mapping.key, mapping.key.id, mapping.label),
        title,
        float(min((s for s in starts if s is not None), default=int(context.now))),
        (
            ("dropped", dropped),
            ("handed_over", delivered),
            ("delivery_failures", failures),
            ("destination", end),
            ("window_min", over.minutes),
        ),
        () if mapping.kind.limits == "never" else SUGGESTS,  # what is too large is dropped later as well
        f"{_counted(dropped, delivered, failures)} over {over.minutes} min",
        (mapping.function, *((mapping.source_stream,) if mapping.source_stream else ())),
    )


def _counted(dropped: float, delivered: float, failures: float) -> str:
    """Return what was counted, each record once: one whose failure record was not delivered is dropped, too.

    Lambda developer guide, "Types of metrics for Lambda functions".
    """
    if dropped and failures:
        among = f"{failures:.0f} failed deliveries among them"
        return f"{dropped:.0f} dropped + {delivered:.0f} handed over > 0, {among}"
    return f"{dropped:.0f} dropped + {delivered:.0f} handed over + {failures:.0f} undelivered > 0"


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=240,
    says="records of a stream were dropped or sent to a failure destination",
    formula=(
        "DroppedEventCount, OnFailureDestinationDeliveredEventCount, DestinationDeliveryFailures > 0 "
        "over {window_min} min; of DocumentDB OversizedRecordCount > 0"
    ),
    source="mapping metrics (only where EventCount is switched on), AWS/Lambda DestinationDeliveryFailures",
    traps=(
        "mapping metrics are opt-in, so silence proves nothing; a queue or topic as destination gets the "
        "position of the records, a bucket the records themselves; records that expire in the stream are "
        "counted nowhere; of several mappings of a function, its failed deliveries are put down to the first"
    ),
    suggests=SUGGESTS,
)
