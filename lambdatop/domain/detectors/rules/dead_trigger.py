"""Detect dead_trigger: an event source mapping delivers nothing although it should.

That Lambda removes messages which pass no filter from their queue: Lambda developer guide, "Control which
events Lambda sends to your function", and its metrics: "Types of metrics for Lambda functions".
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.units import span

NAME = "dead_trigger"
SUGGESTS = ("enable_trigger", "disable_trigger", "throttle_to_zero")

BY_USER = ("user action", "user_initiated", "user initiated")
"""How AWS says that a person or a deployment did it (free text, in several spellings)."""
FUNCTION_FAILED = "PROBLEM: Function call failed"


PASSING = ("Creating", "Enabling", "Updating")
"""States that a mapping passes through (Lambda API reference, EventSourceMappingConfiguration)."""


class _State(Struct, frozen=True):
    """What is wrong: `why` completes the title, `formula` the finding's."""

    severity: Severity
    why: str
    formula: str
    since: float
    suggests: tuple[str, ...]
    evidence: tuple[tuple[str, float | int | str | None], ...] = ()


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per mapping that delivers nothing."""
    for mapping in context.world.mappings.values():
        queue = _queue(context, mapping)
        if context.world.invokes_nothing(mapping):
            state = _without_function(context, mapping, queue)
        elif mapping.state in ("Disabled", "Disabling"):
            state = _disabled(context, mapping, queue)
        else:
            state = (
                _problem(context, mapping)
                or _stuck(context, mapping, queue)
                or _filters_all(context, mapping)
                or _not_polling(context, mapping, queue)
            )
        if state is not None:
            yield _finding(context, mapping, queue, state)


def _queue(context: EvaluationContext, mapping: MappingFacts) -> QueueFacts | None:
    history = context.world.queues.get(mapping.source_queue) if mapping.source_queue else None
    return history.facts if history else None


def _changed(context: EvaluationContext, mapping: MappingFacts) -> float:
    return min(context.now, mapping.last_modified or context.now)


def _without_function(
    context: EvaluationContext, mapping: MappingFacts, queue: QueueFacts | None
) -> _State | None:
    """Return the state of a mapping whose function was deleted: enabling it would deliver nothing."""
    waiting = queue.visible if queue else 0
    if not (mapping.enabled or waiting):
        return None
    words = f", {waiting:,} waiting" if waiting else ""
    formula = f"ListFunctions does not name {mapping.function.id}, which the mapping invokes"
    why = f"invokes a function that was deleted{words}"
    suggests = ("disable_trigger",) if mapping.enabled else ()
    return _State("warning", why, formula, _changed(context, mapping), suggests)


def _disabled(context: EvaluationContext, mapping: MappingFacts, queue: QueueFacts | None) -> _State | None:
    reason = mapping.state_reason.strip()
    ours = _just_set(context, mapping)
    if not (reason or ours):
        return None
    since, state = _changed(context, mapping), mapping.state
    if not (ours or any(words in reason.casefold() for words in BY_USER)):
        formula = f"State {state}, reason names no user: {reason[:120]}"
        return _State("critical", f"was disabled by Lambda: {reason[:80]}", formula, since, SUGGESTS[:1])
    waiting = queue.visible if queue else 0
    if waiting <= 0:
        return None
    formula = f"State {state} by a user, {waiting} messages visible > 0"
    return _State("info", f"is disabled by a user, {waiting} waiting", formula, since, SUGGESTS[:1])


def _just_set(context: EvaluationContext, mapping: MappingFacts) -> bool:
    """Return whether lambdatop set the state itself and no list has brought the matching reason yet."""
    control = context.world.controls.get((mapping.key, "state"))
    return control is not None and control[0] >= context.world.mappings_at.get(mapping.key.scope, 0.0)


def _problem(context: EvaluationContext, mapping: MappingFacts) -> _State | None:
    result = mapping.last_result.strip()
    if not mapping.enabled or not result.upper().startswith("PROBLEM"):
        return None
    failed = result.startswith(FUNCTION_FAILED)
    severity: Severity = "info" if failed else "warning"
    why = "last call of its function failed" if failed else f"reports {result[:80]}"
    suggests = ("disable_trigger", "throttle_to_zero") if failed else ("disable_trigger",)
    return _State(severity, why, f"LastProcessingResult = {result[:120]}", context.now, suggests)


def _stuck(context: EvaluationContext, mapping: MappingFacts, queue: QueueFacts | None) -> _State | None:
    """Return the state of a mapping that does not leave a state which takes minutes at most."""
    changed = mapping.last_modified
    if mapping.state not in PASSING or changed is None:
        return None
    lasts_s = (context.now - changed) * context.settings.metrics.times
    if lasts_s < 60 * context.limits.dead_trigger.window_min:
        return None
    waiting = "" if queue is None else f" while {queue.visible} messages wait"
    formula = f"State {mapping.state} for {span(lasts_s)} >= {context.limits.dead_trigger.window_min} min"
    return _State("warning", f"is still {mapping.state}{waiting}", formula, changed, SUGGESTS[:2])


def _filters_all(context: EvaluationContext, mapping: MappingFacts) -> _State | None:
    """Return the state of a mapping whose filter drops everything, though a share had passed."""
    limits, metric = context.limits.dead_trigger, context.world.metric
    if not (mapping.filters and mapping.state == "Enabled" and "EventCount" in mapping.metrics):
        return None
    over = context.window(mapping.key, limits.window_min)
    dropped, passed = (metric(mapping.key, name) for name in ("FilteredOutEventCount", "InvokedEventCount"))
    now = dropped.sum(over.start, over.end)
    before = passed.sum(0, over.start)
    if not (now and before) or passed.sum(over.start, over.end):
        return None
    share = before / (before + dropped.sum(0, over.start))
    if share * now < context.limit(NAME, mapping.key, limits.min_expected):
        return None
    deletes = ", which deletes them from the queue" if mapping.source_kind == "sqs" else ""
    return _State(
        "warning",
        f"filters out everything: {now:.0f} {mapping.kind.event}{deletes}",
        f"FilteredOutEventCount {now:.0f}, InvokedEventCount 0 over {over.minutes} min; "
        f"before, {share:.0%} passed: "
        f"{against(context, share * now, limits.min_expected, 0, what=' expected')}",
        float(over.start),
        SUGGESTS[1:2],
        (("filtered_out", now), ("passed_before", round(share, 4)), ("window_min", over.minutes)),
    )


def _not_polling(
    context: EvaluationContext, mapping: MappingFacts, queue: QueueFacts | None
) -> _State | None:
    if mapping.state != "Enabled" or queue is None:
        return None
    counted = mapping.key if "EventCount" in mapping.metrics else queue.key
    over = context.window(counted, context.limits.dead_trigger.window_min)
    if _excused(context, mapping, queue, over):
        return None
    waited = _waits(context, queue.key, over)
    if waited is None:
        return None
    metric, taken = _taken(context, mapping, queue.key, over)
    if taken is None or taken > 0:
        return None
    return _State(
        "warning",
        f"receives nothing while {queue.visible} messages wait",
        f"{metric} = 0 and at least {waited:g} messages visible in each of {over.minutes} min",
        float(over.start),
        ("disable_trigger", "enable_trigger"),
        ((metric, taken), ("visible_min", waited), ("window_min", over.minutes)),
    )


def _excused(context: EvaluationContext, mapping: MappingFacts, queue: QueueFacts, over: Window) -> bool:
    """Return whether a reason outside the mapping explains that it takes nothing."""
    reserved = context.world.reserved_of(mapping.function)
    if queue.visible <= 0 or queue.in_flight > 0 or reserved == 0 or isinstance(reserved, NotKnown):
        return True
    if context.world.metric(mapping.function, "Throttles").sum(over.start, over.end) > 0:
        return True
    changed = mapping.last_modified
    # Published minutes outrun the clock in the demo; the change is put on their scale.
    return (
        changed is not None
        and context.now - (context.now - changed) * context.settings.metrics.times > over.start
    )


def _waits(context: EvaluationContext, queue: Key, over: Window) -> float | None:
    """Return the fewest messages visible in any minute; None unless every minute shows some."""
    visible = context.world.metric(queue, "ApproximateNumberOfMessagesVisible", "Maximum")
    points = visible.window(over.start, over.end)
    fewest = min(points, default=0.0)
    return fewest if len(points) == over.minutes and fewest > 0 else None


def _taken(
    context: EvaluationContext, mapping: MappingFacts, queue: Key, over: Window
) -> tuple[str, float | None]:
    """Return how much was taken out of the queue and the metric that shows it; None when no metric does.

    An empty poll publishes 0, so once the metric is asked for, a missing point means no poll.
    """
    if "EventCount" in mapping.metrics:
        asked = context.world.asked_at(SeriesKey(mapping.key, "PolledEventCount", "Sum")) is not None
        polled = context.world.metric(mapping.key, "PolledEventCount").sum(over.start, over.end)
        return "polled_events", polled if asked else None
    received = context.world.metric(queue, "NumberOfMessagesReceived")
    # A queue with messages in it publishes each of its counters; one that never did is not known.
    return "received", received.sum(over.start, over.end) if received.times else None


def _finding(
    context: EvaluationContext, mapping: MappingFacts, queue: QueueFacts | None, state: _State
) -> Finding:
    name = mapping.label
    return Finding(
        NAME,
        state.severity,
        Ref(mapping.key, mapping.uuid, name),
        f"{name} {state.why}",
        state.since,
        (
            ("state", mapping.state),
            ("state_reason", mapping.state_reason or None),
            ("last_processing_result", mapping.last_result or None),
            ("source_kind", mapping.source_kind),
            ("visible", queue.visible if queue else None),
            ("in_flight", queue.in_flight if queue else None),
            ("reserved_concurrency", context.world.reserved.get(mapping.function)),
            *state.evidence,
        ),
        state.suggests,
        state.formula,
        tuple(k for k in (mapping.function, mapping.source_queue or mapping.source_stream) if k),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=120,
    says="an event source mapping delivers nothing although it should",
    formula=(
        "the function is not listed any more; or State Disabled or Disabling and its reason names no user; "
        "or LastProcessingResult begins with PROBLEM; or Creating, Enabling or Updating for {window_min} "
        "min; or its filters dropped everything of {window_min} final minutes, of which {min_expected:g} "
        "events or more had passed by the share before; or Enabled while its queue holds messages in each "
        "of {window_min} final minutes and PolledEventCount, or where that is not collected "
        "NumberOfMessagesReceived, is 0"
    ),
    source=(
        "event source mapping; PolledEventCount, FilteredOutEventCount, InvokedEventCount (opt-in); AWS/SQS "
        "Visible, Received; reserved concurrency"
    ),
    traps=(
        "somebody disabled it (info, when messages wait); a function that fails is covered by error_rate "
        "and blocked_shard (info here); reserved concurrency 0, throttles, or all pollers busy with "
        "messages in flight; a mapping enabled a moment ago; a filter that lets little through anyway; a "
        "reason may outlive the change that it explains"
    ),
    suggests=SUGGESTS,
)
