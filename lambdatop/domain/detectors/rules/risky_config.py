"""Detect risky_config: settings that turn a failure into a retry storm or into data loss."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts, Risk, mapping_risks
from lambdatop.domain.facts.failure_path import async_end
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.units import span

NAME = "risky_config"
SUGGESTS = ("tune_trigger", "stop_recursion")
LOOPS = "loop detection is switched off: Lambda stops no loop and publishes none"


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per mapping or function, with all of its risks."""
    for mapping in context.world.mappings.values():
        found = _of_mapping(context, mapping)
        if found:
            yield _mapping_finding(context, mapping, found)
    for key, facts in context.functions():
        found = _of_function(context, key, facts)
        if found:
            suggests = SUGGESTS[1:] if found[0].words == LOOPS else ()
            ref = Ref(key, facts.arn, facts.name)
            yield _finding(ref, found, _changed(context, facts.last_modified), suggests, ())


def _queue(context: EvaluationContext, key: Key | None) -> QueueFacts | None:
    history = context.world.queues.get(key) if key else None
    return history.facts if history else None


def _of_mapping(context: EvaluationContext, mapping: MappingFacts) -> tuple[Risk, ...]:
    world = context.world
    queue = _queue(context, mapping.source_queue)
    function = world.functions.get(mapping.function)
    found = mapping_risks(mapping, function, queue, world.reserved.get(mapping.function))
    dlq = _queue(context, queue.dlq if queue else None)
    # In a standard DLQ a message keeps the age that it had in the source queue; a FIFO DLQ starts anew.
    if queue is not None and dlq is not None and not dlq.fifo and dlq.retention_s < queue.retention_s:
        kept, needed = span(dlq.retention_s), span(queue.retention_s)
        found += (Risk(f"{dlq.name} keeps {kept}, its source {needed}: messages vanish there"),)
    return found


def _of_function(context: EvaluationContext, key: Key, facts: FunctionFacts) -> tuple[Risk, ...]:
    world, found = context.world, []
    if key in world.triggers and world.triggers_of(key).recursive_loop == "Allow":
        found.append(Risk(LOOPS))
    received = any(world.metric(key, "AsyncEventsReceived").values)
    if received and async_end(facts, world.triggers_of(key).async_config).lost:
        # Without retries they would be discarded after the first failure.
        found.append(Risk("no DLQ or on-failure destination: failed asynchronous events are discarded"))
    return tuple(found)


def _changed(context: EvaluationContext, at: float | None) -> float:
    """Return the latest moment (s since the epoch) at which it was configured so."""
    return min(context.now, at or context.now)


def _mapping_finding(context: EvaluationContext, mapping: MappingFacts, found: tuple[Risk, ...]) -> Finding:
    ref = Ref(mapping.key, mapping.uuid, mapping.label)
    about = tuple(k for k in (mapping.function, mapping.source_queue or mapping.source_stream) if k)
    suggests = SUGGESTS[:1] if any(risk.tunable for risk in found) else ()
    return _finding(ref, found, _changed(context, mapping.last_modified), suggests, about)


def _finding(
    ref: Ref, found: tuple[Risk, ...], since: float, suggests: tuple[str, ...], about: tuple[Key, ...]
) -> Finding:
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Finding(
        NAME,
        "info",
        ref,
        f"{ref.name}: {found[0].words}{more}",
        since,
        (("risks", len(found)), *((f"risk_{i}", risk.words) for i, risk in enumerate(found, 1))),
        suggests,
        "; ".join(risk.words for risk in found),
        about,
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=280,
    says="settings that turn a failure into a retry storm or into data loss",
    formula=(
        "endless retries of records in order, with an on-failure destination or without; queue without "
        "redrive policy, with maxReceiveCount < 5, visibility < 6 x timeout + batching window or a DLQ that "
        "keeps messages shorter than it does itself; batches without ReportBatchItemFailures; "
        "MaximumConcurrency > reserved; loop detection off; asynchronous events without DLQ or on-failure "
        "destination"
    ),
    source="configuration of mappings, queues and functions; AWS/Lambda AsyncEventsReceived",
    traps="a risk is not an incident, so it is always information; some are deliberate choices",
    suggests=SUGGESTS,
)
