"""Detect poison_message: the same messages fail repeatedly. Never by the age of the oldest one.

ApproximateAgeOfOldestMessage leaves out exactly the messages that were received three times and more.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.failure_path import queue_failure_path
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.queue_flow import Growth, flow, growth
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.digest import digest
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.state.world import World

NAME = "poison_message"
SUGGESTS = ("quarantine_queue", "disable_trigger")

MOST_FAIL = 0.9
SMALL_BACKLOG = 10
"""A handful of messages that never get done; more is a queue that is not processed at all."""


class _Seen(Struct, frozen=True):
    """The evidence: messages by id with their executions, growth of the DLQ, messages that remain."""

    ids: tuple[tuple[str, int], ...]
    grown: Growth | None
    stuck: float | None

    @property
    def any(self) -> bool:
        return bool(self.ids or self.grown or self.stuck)


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per source queue with a poison message."""
    done: set[Key] = set()
    for mapping in context.world.mappings.values():
        key = mapping.source_queue
        history = context.world.queues.get(key) if key else None
        if key is None or history is None or key in done or not mapping.enabled:
            continue
        done.add(key)
        over = context.window(key, context.limits.poison_message.window_min)
        seen = _Seen(_repeated(context, mapping), *_by_metrics(context, mapping, history.facts, over))
        if seen.any:
            yield _finding(context, mapping, history.facts, over, seen)


def _repeated(context: EvaluationContext, mapping: MappingFacts) -> tuple[tuple[str, int], ...]:
    """Return the message ids that repeat in the consumer's log, the most frequent first."""
    tail = context.world.logs.get(mapping.function)
    if tail is None or not context.world.metric(mapping.function, "Errors").times:
        return ()
    least = context.limits.poison_message.min_receives
    found = digest(tail)
    if found.last_at < context.log_since(context.limits.poison_message.window_min) or not found.failures:
        return ()
    ids = [(id_, runs) for id_, runs in found.mentions.items() if runs >= least]
    return tuple(sorted(ids, key=lambda pair: (-pair[1], pair[0])))


def _by_metrics(
    context: EvaluationContext, mapping: MappingFacts, queue: QueueFacts, over: Window
) -> tuple[Growth | None, float | None]:
    """Return growth of the DLQ while others succeed, and what stays in flight while nothing is deleted."""
    world = context.world
    seen = flow(world, queue.key, over)
    if seen is None:  # both stories begin with what was received and deleted
        return None, None
    errors, invocations = _errors(context, mapping)
    failing = errors / invocations if invocations else 0.0
    # Who reports the failed items of a batch has no Errors: only the DLQ shows them, if no loop was stopped.
    looped = world.metric(mapping.function, "RecursiveInvocationsDropped").sum(over.start, over.end) > 0
    reported = mapping.partial_responses and not looped
    some_succeed = seen.deleted > 0 and failing < MOST_FAIL and (failing > 0 or reported)
    grown = growth(world, queue.dlq, over) if queue.dlq and some_succeed else None
    dead = world.queues.get(queue.dlq) if queue.dlq else None
    redriven = dead is not None and dead.facts.redrive == "RUNNING"
    if grown is None or grown.grown <= 0 or redriven or _refused(world, mapping, over) >= grown.grown:
        grown = None
    flying = world.metric(queue.key, "ApproximateNumberOfMessagesNotVisible", "Minimum")
    least = min(flying.window(over.start, over.end), default=0.0)
    nothing_done = seen.received > 0 and seen.deleted == 0
    small = 0 < least <= SMALL_BACKLOG and queue.visible <= SMALL_BACKLOG
    fails = failing > context.limit(NAME, queue.key, context.limits.poison_message.error_share)
    return grown, least if nothing_done and small and fails else None


def _refused(world: World, mapping: MappingFacts, over: Window) -> float:
    """Return the throttled attempts: each gives a message back with one receive more, as a failure does.

    Lambda developer guide, "Handling errors for an SQS event source": a throttled message is dropped once its
    visibility timeout is over. No run belongs to it, so its minute is final as soon as the queue's.
    """
    return world.metric(mapping.function, "Throttles").sum(over.start, over.end)


def _errors(context: EvaluationContext, mapping: MappingFacts) -> tuple[float, float]:
    over = context.window(mapping.function, context.limits.poison_message.window_min)
    names = ("Errors", "Invocations")
    errors, runs = (context.world.metric(mapping.function, n).sum(over.start, over.end) for n in names)
    return errors, runs


def _finding(
    context: EvaluationContext, mapping: MappingFacts, queue: QueueFacts, over: Window, seen: _Seen
) -> Finding:
    failure_path = queue_failure_path(queue)
    if seen.ids:
        count = len(seen.ids)
        words = "a message is" if count == 1 else f"{count} messages are"
        title = (
            f"{queue.name}: {words} redelivered repeatedly ({seen.ids[0][1]} failed executions in the log)"
        )
        least = context.limits.poison_message.min_receives
        formula = f"{count} message ids, each in >= {least} failed executions of the log"
    elif seen.grown is not None:
        title = f"{queue.name}: {seen.grown.grown} more messages in its DLQ while others succeed"
        formula = f"DLQ +{seen.grown.grown} over {over.minutes} min while messages are deleted"
    else:
        title = f"{queue.name}: {seen.stuck:.0f} messages stay in flight and none is deleted"
        formula = f"in flight >= {seen.stuck:.0f} and nothing deleted over {over.minutes} min"
    start = began(context.world.metric(mapping.function, "Errors"), over.end)
    return Finding(
        NAME,
        "warning",
        Ref(queue.key, queue.arn, queue.name),
        title,
        float(start) if start is not None else context.now,
        (
            ("queue", queue.name),
            ("function", mapping.function.id),
            ("messages", len(seen.ids) or None),
            ("first_message", seen.ids[0][0] if seen.ids else None),
            ("executions_of_it", seen.ids[0][1] if seen.ids else None),
            ("dlq_grown", seen.grown.grown if seen.grown else None),
            ("in_flight_at_least", seen.stuck),
            ("max_receive_count", queue.max_receive_count),
            ("then", failure_path),
        ),
        SUGGESTS,
        formula,
        (mapping.function, mapping.key),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=130,
    says="the same messages fail repeatedly",
    formula=(
        "one message id in {min_receives} or more failed executions of the log; or the DLQ grows while "
        "most messages succeed; or NotVisible.Minimum > 0, nothing deleted and Errors / Invocations > "
        "{error_share:g} with a small backlog over {window_min} final minutes"
    ),
    source=(
        "log lines that name a message id; AWS/SQS depth of the DLQ, NotVisible (Minimum), Deleted; Errors"
    ),
    traps=(
        "a broken dependency fails every message (covered by error_rate, unless single messages are "
        "redelivered); throttles use up receives, too (silent where they are enough to explain the dead "
        "letters); long jobs stay in flight; a redrive puts old messages back; "
        "ApproximateAgeOfOldestMessage hides poison"
    ),
    suggests=SUGGESTS,
)
