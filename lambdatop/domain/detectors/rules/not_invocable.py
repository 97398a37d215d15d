"""Detect not_invocable: Lambda does not run a function, or it went silent while events wait for it.

Requests that are refused for the function's state are in none of Invocations, Errors and Throttles (Lambda
developer guide, "Lambda function states"): the function looks quiet.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.function_state import FunctionState
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.sudden_change import (
    LEAST_PER_MIN,
    QUIET_MIN,
    STEADY,
    STEADY_MIN,
    last_run,
    went_silent,
)
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.units import span

NAME = "not_invocable"


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function that is not run, whose update failed, or that went silent."""
    for key, facts in context.functions():
        known = context.world.states.get(key)
        state = known[1] if known else None
        if state is not None and not state.runs:
            yield _stated(context, facts, state, "critical", "cannot be invoked")
        elif (silent := _silence(context, facts)) is not None:
            yield silent
        elif state is not None and state.update == "Failed":
            yield _stated(context, facts, state, "warning", "still runs as before")


def _stated(
    context: EvaluationContext, facts: FunctionFacts, state: FunctionState, severity: Severity, what: str
) -> Finding:
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name} {what}: {state.words}",
        min(context.now, facts.last_modified or context.now),
        (
            ("state", state.state),
            ("state_reason_code", state.code or None),
            ("last_update_status", state.update or None),
            ("last_update_reason_code", state.update_code or None),
        ),
        (),
        f"State {state.state}, LastUpdateStatus {state.update or 'not known'}",
    )


def _silence(context: EvaluationContext, facts: FunctionFacts) -> Finding | None:
    """Return the finding of a function that ran steadily and stopped; information where nothing waits."""
    world, key = context.world, facts.key
    series = world.metric(key, "Invocations")
    if not series.times:
        return None
    fetched = min(context.now, world.metrics_at.get(key, context.now))
    before = went_silent(series, fetched, context.settle_s(key)) if world.reserved_of(key) != 0 else None
    last = last_run(series)
    if before is None or last is None:
        return None
    # A trigger that was enabled a moment ago has not been silent: what waits is its pause.
    asked = fetched - context.settle_s(key) - QUIET_MIN * MINUTE
    feeds = [m for m in world.mappings_of(key) if m.enabled and (m.last_modified or 0.0) <= asked]
    fed = {q for m in feeds if (q := m.source_queue) is not None}
    waiting = sum(world.queues[q].facts.visible for q in fed if q in world.queues)
    over = context.window(key, 5)
    events = world.metric(key, "AsyncEventsReceived").sum(over.start, over.end)
    state = world.states.get(key)
    known = f"its state is {state[1].state}" if state else "its state is not known"
    waits = f", {waiting} messages wait" if waiting else f", {events:.0f} events came" if events else ""
    quiet = span(fetched - last - MINUTE)
    return Finding(
        NAME,
        "warning" if waiting or events else "info",
        Ref(key, facts.arn, facts.name),
        f"{facts.name} has not run for {quiet}, before {before:.0f} times a minute{waits}; {known}",
        float(last + MINUTE),
        (
            ("invocations_before_per_min", round(before, 1)),
            ("silent_s", round(fetched - last - MINUTE)),
            ("waiting", waiting or None),
            ("async_events", events or None),
            ("state", state[1].state if state else None),
        ),
        (),
        f"no invocation for {quiet}, in {STEADY_MIN} min before at least {10 * STEADY:g} of 10 minutes "
        "had some",
        tuple(m.key for m in world.mappings_of(key)),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=15,
    says="Lambda does not run a function, or it went silent while events wait for it",
    formula=(
        "State Failed, Deactivated, ActiveNonInvocable, or Inactive for another reason than Idle; "
        f"LastUpdateStatus Failed; or no invocation for {QUIET_MIN} minutes after {STEADY_MIN} in which "
        f"{10 * STEADY:g} of 10 had some, {LEAST_PER_MIN:g} a minute on average "
        "(information where nothing waits)"
    ),
    source=(
        "GetFunctionConfiguration of functions on screen, changed in the last 15 minutes or silent; "
        "AWS/Lambda Invocations, AsyncEventsReceived; AWS/SQS Visible"
    ),
    traps=(
        "an idle function is Inactive and starts with the next invocation; work that is done for the day; "
        "reserved concurrency 0, which is its own finding; a trigger that was enabled a moment ago"
    ),
    suggests=(),
)
