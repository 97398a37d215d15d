"""Detect async_amplification: asynchronous events are run more than once each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.failure_path import async_end, async_limits, given_up_without_loss
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, began, gauge_trend
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.digest import digest
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "async_amplification"
SUGGESTS = ("stop_async_retries", "throttle_to_zero")


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function whose asynchronous events take too many attempts."""
    world, limits = context.world, context.limits.async_amplification
    for key, facts in context.measured():
        over = context.window(key, limits.window_min)
        received = world.metric(key, "AsyncEventsReceived").sum(over.start, over.end)
        floor = context.limit(NAME, key, limits.min_events)
        if received < floor:
            continue
        attempts = world.metric(key, "AsyncEventAge", "SampleCount").sum(over.start, over.end)
        ratio = attempts / received
        failed = sum(world.metric(key, name).sum(over.start, over.end) for name in ("Errors", "Throttles"))
        if not failed:  # more attempts than new events without a failure: a backlog drains
            continue
        if ratio < context.limit(NAME, key, limits.warning_ratio) or not _grows_old(context, key, over):
            continue
        bad = ratio >= context.limit(NAME, key, limits.critical_ratio, "critical")
        yield _finding(context, facts, over, received, attempts, "critical" if bad else "warning")


def _grows_old(context: EvaluationContext, key: Key, over: Window) -> bool:
    """Return whether the events' age grows: retries make events old, a backlog that drains grows younger."""
    age = context.world.metric(key, "AsyncEventAge", "Maximum")
    oldest = age.max(over.start, over.end)
    if oldest is None:
        return False
    old_enough = oldest >= 1000 * context.limits.async_amplification.min_age_s
    trend = gauge_trend(age, over.end, max(1, over.minutes // 3))
    return (old_enough and trend != "down") or trend == "up"


def _finding(
    context: EvaluationContext,
    facts: FunctionFacts,
    over: Window,
    received: float,
    attempts: float,
    severity: Severity,
) -> Finding:
    world, key, limits = context.world, facts.key, context.limits.async_amplification
    ratio, config = attempts / received, world.triggers_of(key).async_config
    retries = None if isinstance(config, NotKnown) else async_limits(config)[0]
    oldest = world.metric(key, "AsyncEventAge", "Maximum").max(over.start, over.end)
    threshold = limits.critical_ratio if severity == "critical" else limits.warning_ratio
    return Finding(
        NAME,
        severity,
        Ref(key, facts.arn, facts.name),
        _title(context, facts, over, ratio),
        _since(context, key, over),
        (
            ("events_received", received),
            ("attempts", attempts),
            ("attempts_ratio", round(ratio, 2)),
            *log_evidence(context, key, over),
            ("oldest_attempt_s", round((oldest or 0.0) / 1000, 1)),
            ("retries", retries),
            ("then", async_end(facts, config).words),
            ("window_min", over.minutes),
        ),
        SUGGESTS if given_up_without_loss(facts, config) else SUGGESTS[1:],
        f"{attempts:.0f} attempts / {received:.0f} events received = "
        f"{against(context, ratio, threshold)} over {over.minutes} min",
    )


def _title(context: EvaluationContext, facts: FunctionFacts, over: Window, ratio: float) -> str:
    """Return the title; a throttled attempt runs nothing and is not bounded by the retry limit."""
    errors, throttles = (
        context.world.metric(facts.key, name).sum(over.start, over.end) for name in ("Errors", "Throttles")
    )
    if throttles > errors:
        return f"{facts.name}: each async event takes {ratio:.1f} attempts, most of them throttled"
    return f"{facts.name} runs each async event {ratio:.1f} times"


def _since(context: EvaluationContext, key: Key, over: Window) -> float:
    """Return first minute (s since the epoch) of the present run of errors or throttles of this function."""
    starts = [began(context.world.metric(key, name), over.end) for name in ("Errors", "Throttles")]
    known = [s for s in starts if s is not None]
    return float(min(known)) if known else context.now


def log_evidence(context: EvaluationContext, key: Key, over: Window) -> tuple[tuple[str, float], ...]:
    """Return runs per request id by the log, and the share of invocations that the log tail saw."""
    tail = context.world.logs.get(key)
    if tail is None:
        return ()
    since = context.log_since(over.minutes)
    runs = Counter(s.request_id for s in digest(tail).starts if s.at >= since)
    invocations = context.world.metric(key, "Invocations").sum(over.start, over.end)
    if not runs or not invocations:
        return ()
    share = min(1.0, runs.total() / invocations)
    return (("log_runs_ratio", round(runs.total() / len(runs), 2)), ("log_coverage_share", round(share, 2)))


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=150,
    says="asynchronous events are run more than once each",
    formula=(
        "AsyncEventAge samples / AsyncEventsReceived over {window_min} final minutes, while the oldest "
        "attempt is older than {min_age_s:g} s or rises; beside it START lines / distinct request ids of "
        "the log tail"
    ),
    source="AWS/Lambda AsyncEventAge (SampleCount, Maximum), AsyncEventsReceived; START lines of the log",
    traps=(
        "a backlog received earlier that drains (attempts without new events, the age falls); throttled"
        " attempts count as attempts but leave no log line; a tail that did not see every line "
        "understates the log's ratio"
    ),
    suggests=SUGGESTS,
)
