"""Detect error_rate: a function's error rate is above the threshold for its volume."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import MINUTE, Series
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.failure_evidence import failure_evidence
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "error_rate"
SUGGESTS = ("disable_trigger", "throttle_to_zero")

FAILING_MIN, LEAST_MIN, LATEST_MIN = 60, 10, 15
"""How far back failures are followed, how long they must go on, and how old the newest may be (minutes)."""


class _Failing(Struct, frozen=True):
    """Runs that all failed: how many, in how many minutes, since when (s since the epoch), how long (min)."""

    runs: float
    minutes: int
    since: int
    lasts_min: int


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function above the threshold, or of which nothing succeeds any more."""
    limits = context.limits.error_rate
    for key, facts in context.measured():
        over = context.window(key, limits.window_min)
        invocations = context.world.metric(key, "Invocations").sum(over.start, over.end)
        if not invocations or invocations < context.limit(NAME, key, limits.min_invocations):
            failing = _all_fail(context, key, over.end)
            if failing is not None:
                yield _failing(context, facts, failing)
            continue
        errors = context.world.metric(key, "Errors").sum(over.start, over.end)
        rate = errors / invocations
        few = errors < context.limit(NAME, key, limits.min_errors)
        if rate >= context.limit(NAME, key, limits.warning) and not few:
            bad = rate >= context.limit(NAME, key, limits.critical, "critical")
            yield _finding(context, facts, over, errors, invocations, "critical" if bad else "warning")


def _all_fail(context: EvaluationContext, key: Key, end: int) -> _Failing | None:
    """Return the newest minutes with invocations, up to one that succeeds; None where these are too few."""
    failed = context.world.metric(key, "Errors")
    if not failed.times or not failed.max(end - LATEST_MIN * MINUTE, end):
        return None
    invocations, errors = context.world.metric(key, "Invocations"), dict(_points(failed))
    minutes: list[int] = []
    total = 0.0
    for at, runs in zip(reversed(invocations.times), reversed(invocations.values), strict=True):
        if at >= end or not runs:
            continue
        if at < end - FAILING_MIN * MINUTE or errors.get(at, 0.0) < runs:
            break
        minutes.append(at)
        total += runs
    if len(minutes) < context.limits.error_rate.failing_minutes:
        return None
    lasts = (minutes[0] - minutes[-1]) // MINUTE + 1
    return _Failing(total, len(minutes), minutes[-1], lasts) if lasts >= LEAST_MIN else None


def _points(series: Series) -> Iterator[tuple[int, float]]:
    return zip(series.times, series.values, strict=True)


def _failing(context: EvaluationContext, facts: FunctionFacts, found: _Failing) -> Finding:
    key, lasts = facts.key, Window(found.since, found.since + found.lasts_min * MINUTE)
    fed = any(m.enabled for m in context.world.mappings_of(key))
    all_of = f"{found.runs:.0f} of {found.runs:.0f}"
    return Finding(
        NAME,
        "warning",
        Ref(key, facts.arn, facts.name),
        f"{facts.name} fails each time it runs: {all_of} in {found.lasts_min} min",
        float(found.since),
        (
            ("errors", found.runs),
            ("invocations", found.runs),
            ("error_rate", 1.0),
            *(failure_evidence(context, key, lasts) if key in context.world.logs else ()),
            ("failing_minutes", found.minutes),
            ("window_min", found.lasts_min),
        ),
        SUGGESTS if fed else SUGGESTS[1:],
        f"{found.minutes} minutes with invocations >= {context.limits.error_rate.failing_minutes}, in "
        f"{found.lasts_min} min >= {LEAST_MIN} min, and all of them failed",
    )


def _finding(
    context: EvaluationContext,
    facts: FunctionFacts,
    over: Window,
    errors: float,
    invocations: float,
    severity: Severity,
) -> Finding:
    limits, rate = context.limits.error_rate, errors / invocations
    threshold = limits.critical if severity == "critical" else limits.warning
    start = began(context.world.metric(facts.key, "Errors"), over.end)
    fed = any(m.enabled for m in context.world.mappings_of(facts.key))
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name} fails in {rate:.0%} of invocations",
        float(start) if start is not None else context.now,
        (
            ("errors", errors),
            ("invocations", invocations),
            ("error_rate", round(rate, 4)),
            *(failure_evidence(context, facts.key, over) if facts.key in context.world.logs else ()),
            ("window_min", over.minutes),
        ),
        SUGGESTS if fed else SUGGESTS[1:],
        f"{errors:.0f} errors / {invocations:.0f} invocations = "
        f"{against(context, rate, threshold, 1, '%')} over {over.minutes} min",
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=170,
    says="a function's error rate is above the threshold for its volume",
    formula=(
        "Errors / Invocations over {window_min} final minutes, with at least {min_invocations} invocations "
        "and {min_errors} errors; or, of a function that runs seldom, the newest {failing_minutes} minutes "
        f"with invocations or more, over {LEAST_MIN} minutes or more, in which all of them failed"
    ),
    source="AWS/Lambda Errors, Invocations; log tail for the most frequent failure",
    traps=(
        "a missing Errors point is a zero only where Invocations has one; a minute younger than the timeout"
    ),
    suggests=SUGGESTS,
)
