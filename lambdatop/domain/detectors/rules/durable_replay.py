"""Detect durable_replay: durable executions are replayed again and again, and none of them ends.

Each replay counts in Invocations, a failed one in Errors; DurableExecutionFailed counts executions that ended
so (Lambda developer guide, "Monitoring durable functions"). A replay that crashes, times out or is throttled
is repeated until the execution times out ("Error handling and retries for durable functions").
"""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.failure_path import durable_failure_path
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.plans.wording import count

NAME = "durable_replay"
SUGGESTS = ("rollback_alias", "throttle_to_zero", "disable_trigger")
FAILED, TIMED_OUT, STARTED = "DurableExecutionFailed", "DurableExecutionTimedOut", "DurableExecutionStarted"


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per durable function whose invocations fail while its executions do not end."""
    limits, world = context.limits.durable_replay, context.world
    for key, facts in context.measured():
        if not facts.durable or world.asked_at(SeriesKey(key, FAILED, "Sum")) is None:
            continue
        over = context.window(key, limits.window_min)
        runs, errors = (
            world.metric(key, name).sum(over.start, over.end) for name in ("Invocations", "Errors")
        )
        ended = sum(world.metric(key, name).sum(over.start, over.end) for name in (FAILED, TIMED_OUT))
        if not runs or errors < limits.min_errors or errors < limits.share * runs:
            continue
        if ended > limits.most_ended * errors:
            continue
        yield _finding(context, facts, over, runs, errors, ended)


def _finding(
    context: EvaluationContext, facts: FunctionFacts, over: Window, runs: float, errors: float, ended: float
) -> Finding:
    limits, key = context.limits.durable_replay, facts.key
    limit = context.limit(NAME, key, limits.critical_share, "critical")
    started = context.world.metric(key, STARTED).sum(over.start, over.end)
    since = began(context.world.metric(key, "Errors"), over.end)
    fed = any(m.enabled for m in context.world.mappings_of(key))
    return Finding(
        NAME,
        "critical" if errors >= limit * runs else "warning",
        Ref(key, facts.arn, facts.name),
        f"{facts.name} replays what fails: {errors:.0f} of {runs:.0f} invocations failed, "
        f"{count(round(ended), 'execution')} ended so",
        float(over.start if since is None else since),
        (
            ("invocations", runs),
            ("errors", errors),
            ("executions_failed", ended),
            ("executions_started", started),
            ("execution_timeout_s", facts.durable_timeout_s),
            ("then", durable_failure_path(facts)),
            ("window_min", over.minutes),
        ),
        SUGGESTS if fed else SUGGESTS[:2],
        f"{errors:.0f} errors / {runs:.0f} invocations = {errors / runs:.0%} >= {limits.share:.0%}, "
        f"{ended:.0f} executions failed or timed out, over {over.minutes} min",
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=95,
    says="durable executions are replayed without end",
    formula=(
        "of a durable function, Errors / Invocations >= {share:g} over {window_min} final minutes, "
        "{min_errors} errors or more, and DurableExecutionFailed + DurableExecutionTimedOut <= "
        "{most_ended:g} of the errors"
    ),
    source=(
        "AWS/Lambda Invocations, Errors, DurableExecutionFailed, …TimedOut, …Started; DurableConfig of the "
        "function"
    ),
    traps=(
        "a step that is retried on purpose and succeeds later fails less often than half of the time; how "
        "old the oldest execution is no metric says"
    ),
    suggests=SUGGESTS,
)
