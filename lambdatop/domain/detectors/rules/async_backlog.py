"""Detect async_backlog: events wait in Lambda's asynchronous queue."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.failure_path import async_limits, given_up_without_loss
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.triggers import MAX_EVENT_AGE_S
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, slope_per_min
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.units import minutes, span

NAME = "async_backlog"
SUGGESTS = ("restore_concurrency", "stop_async_retries")

RETRY_AGE_MS = 360_000.0
"""Retries come about one and two minutes after a failure; with queueing in between, older than this is
waiting, not retrying."""

MIN_POINTS = 3


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function whose events wait longer and longer."""
    limits = context.limits.async_backlog
    for key, facts in context.measured():
        over = context.window(key, limits.window_min)
        ages = _ages(context, key, over)
        if len(ages) < MIN_POINTS:
            continue
        age_s, slope = ages[-1][1] / 1000, slope_per_min(tuple(ages)) or 0.0
        if age_s <= context.limit(NAME, key, limits.warning_age_s) or slope <= 0:
            continue
        if not _waits(context, key, over, age_s):
            continue
        yield _finding(context, facts, over, age_s, slope)


def _ages(context: EvaluationContext, key: Key, over: Window) -> list[tuple[float, float]]:
    series = context.world.metric(key, "AsyncEventAge", "Maximum")
    pairs = zip(series.times, series.values, strict=True)
    return [(float(t), v) for t, v in pairs if over.start <= t < over.end]


def _waits(context: EvaluationContext, key: Key, over: Window, age_s: float) -> bool:
    """Return whether throttles or the age show that events wait, and not only failed ones are retried."""
    throttles = context.world.metric(key, "Throttles").sum(over.start, over.end)
    errors = context.world.metric(key, "Errors").sum(over.start, over.end)
    return throttles > 0 or errors == 0 or age_s * 1000 > RETRY_AGE_MS


def _suggests(context: EvaluationContext, facts: FunctionFacts, over: Window) -> tuple[str, ...]:
    """Return what lets events run sooner; a cap does not, and no retry or no run discards what waits.

    Its own reserved concurrency holds events back where it throttles. Retries of failing events take room
    from the ones that wait, and can be given up where a destination takes them.
    """
    world, key = context.world, facts.key
    state = world.states.get(key)
    if state is not None and not state[1].runs:
        return ()
    throttles = world.metric(key, "Throttles").sum(over.start, over.end)
    if world.reserved.get(key) is not None and throttles:
        return SUGGESTS[:1]
    failing = world.metric(key, "Errors").sum(over.start, over.end)
    kept = given_up_without_loss(facts, world.triggers_of(key).async_config)
    return SUGGESTS[1:] if failing and kept else ()


def _finding(
    context: EvaluationContext, facts: FunctionFacts, over: Window, age_s: float, slope: float
) -> Finding:
    config, limits = context.world.triggers_of(facts.key).async_config, context.limits.async_backlog
    # No event may become older than AWS's default, so that a share of it is never too high.
    unread = config if isinstance(config, NotKnown) else None
    most_s = MAX_EVENT_AGE_S if isinstance(config, NotKnown) else async_limits(config)[1]
    share = age_s / most_s
    bad = share >= context.limit(NAME, facts.key, limits.critical_share, "critical")
    severity: Severity = "critical" if bad else "warning"
    growth_s = slope / 1000
    ends = f"they are discarded after {span(most_s)}"
    if unread is not None:
        ends = f"when they are discarded is {unread.words}"
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name}: async events wait {span(age_s)} and longer; {ends}",
        over.end - age_s,
        (
            ("oldest_attempt_s", round(age_s, 1)),
            ("growth_s_per_min", round(growth_s, 1)),
            ("maximum_event_age_s", None if unread else most_s),
            ("age_share", None if unread else round(share, 3)),
            ("given_up_in_s", None if unread or growth_s <= 0 else minutes((most_s - age_s) / growth_s * 60)),
            ("window_min", over.minutes),
        ),
        _suggests(context, facts, over),
        f"oldest attempt {against(context, age_s, limits.warning_age_s, 0, ' s', '>')}, "
        f"growing {growth_s:.1f} s/min; {share:.0%} of the maximum event age"
        f"{' that AWS allows at most' if unread else ''}",
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=210,
    says="events wait in Lambda's asynchronous queue",
    formula=(
        "AsyncEventAge.Maximum > {warning_age_s:g} s and rising over {window_min} final minutes, with more "
        f"age than retries of failing events explain ({RETRY_AGE_MS / 1000:g} s); "
        "critical at {critical_share:g} of the maximum event age"
    ),
    source="AWS/Lambda AsyncEventAge (Maximum), Errors, Throttles; maximum event age of the function",
    traps=(
        "retries alone make failing events up to about six minutes old; a backlog that drains grows younger"
    ),
    suggests=SUGGESTS,
)
