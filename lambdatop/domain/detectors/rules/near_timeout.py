"""Detect near_timeout: durations against the function's own timeout."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from msgspec import Struct

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import or_none
from lambdatop.domain.facts.series import MINUTE, Series
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, began, slope_per_min
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.units import about, minutes

NAME = "near_timeout"
SUGGESTS = ("rollback_alias", "cap_concurrency", "disable_trigger")

TREND_MIN = 30
_TREND_POINTS = 6
_FLAT_SHARE = 0.05
"""A trend that moves by less than this share of the timeout over its length is flat."""

_TOLERANCE = 1.01
"""A run that is killed at its timeout is reported a little above it."""

_RECENT_S = 3600.0


class Trend(Struct, frozen=True):
    """p99 at the beginning and the end of the last half hour (ms), and the growth between (ms/min)."""

    first_ms: float
    last_ms: float
    slope: float
    minutes: float


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function whose longest run comes close to its timeout."""
    limits = context.limits.near_timeout
    for key, facts in context.measured():
        series = context.world.metric(key, "Duration", "Maximum")
        if not series.times or facts.managed_instances or facts.longest_run_s <= 0:
            continue
        over = context.window(key, limits.window_min)
        least = context.limit(NAME, key, limits.warning_share) * _ms(facts)
        if (series.max(over.start, over.end) or 0.0) < least:
            continue
        longest = capped(context, facts, series).max(over.start, over.end)
        runs = context.world.metric(key, "Invocations").sum(over.start, over.end)
        if longest is not None and longest >= least and runs >= limits.min_invocations:
            yield _finding(context, facts, over, longest)


def _ms(facts: FunctionFacts) -> float:
    return facts.longest_run_s * 1000


def capped(context: EvaluationContext, facts: FunctionFacts, series: Series) -> Series:
    """Return the durations (ms) without what an initialization inside the invocation adds.

    A duration above the timeout holds an initialisation. Where nothing failed in that minute the run itself
    ended in time, and how long it took is not known; where something did, it may have been killed.
    """
    errors, timeout = context.world.metric(facts.key, "Errors"), _ms(facts)
    kept = [
        (t, min(v, timeout))
        for t, v in zip(series.times, series.values, strict=True)
        if v <= timeout * _TOLERANCE or errors.sum(t, t + MINUTE) > 0
    ]
    return Series(tuple(t for t, _ in kept), tuple(v for _, v in kept))


def _finding(context: EvaluationContext, facts: FunctionFacts, over: Window, longest: float) -> Finding:
    key, limits, share = facts.key, context.limits.near_timeout, longest / _ms(facts)
    errors = context.world.metric(key, "Errors").sum(over.start, over.end)
    timing_out = share >= context.limit(NAME, key, limits.critical_share, "critical") and errors > 0
    severity: Severity = "critical" if timing_out else "warning"
    p99 = capped(context, facts, context.world.metric(key, "Duration", "p99"))
    trend = trend_of(p99, over.end)
    reach = None if timing_out else reaches(trend, _ms(facts))
    verb = "is timing out: it runs" if timing_out else "comes close to its timeout: it runs"
    title = f"{facts.name} {verb} up to {longest / 1000:.1f} s of {facts.longest_run_s:.0f} s"
    if reach is not None:
        title += f", p99 reaches it in {about(reach)}"
    top = p99.max(over.start, over.end)
    threshold = limits.critical_share if timing_out else limits.warning_share
    formula = f"{longest:.0f} ms / {_ms(facts):.0f} ms = {against(context, share, threshold)}"
    if timing_out:
        formula += f" with {errors:.0f} errors > 0"
    return Finding(
        NAME,
        severity,
        Ref(key, facts.arn, facts.name),
        title,
        _since(context, facts, over),
        (
            ("duration_max_ms", round(longest, 1)),
            ("timeout_s", or_none(facts.timeout_s)),
            ("timeout_share", round(share, 3)),
            ("duration_p99_ms", None if top is None else round(top, 1)),
            ("p99_share", None if top is None else round(top / _ms(facts), 3)),
            ("p99_from_ms", round(trend.first_ms, 1) if trend else None),
            ("p99_to_ms", round(trend.last_ms, 1) if trend else None),
            ("p99_growth_ms_per_min", round(trend.slope, 1) if trend else None),
            ("reaches_timeout_in_s", reach),
            ("errors", errors),
            ("invocations", context.world.metric(key, "Invocations").sum(over.start, over.end)),
            ("window_min", over.minutes),
        ),
        suggested(context, key),
        f"{formula} over {over.minutes} min",
        (key,),
    )


def trend_of(p99: Series, end: int) -> Trend | None:
    """Return how p99 moved over the last half hour; None with too few points."""
    pairs = zip(p99.times, p99.values, strict=True)
    points = tuple((float(t), v) for t, v in pairs if end - TREND_MIN * MINUTE <= t < end)
    slope = slope_per_min(points) if len(points) >= _TREND_POINTS else None
    if slope is None:
        return None
    first, last = fmean(v for _, v in points[:3]), fmean(v for _, v in points[-3:])
    return Trend(first, last, slope, (points[-1][0] - points[0][0]) / MINUTE)


def reaches(trend: Trend | None, timeout_ms: float) -> int | None:
    """Return the seconds until p99 reaches the timeout at the present trend; None when it does not climb."""
    if trend is None or trend.slope * trend.minutes < _FLAT_SHARE * timeout_ms:
        return None
    return minutes(max(0.0, timeout_ms - trend.last_ms) / trend.slope * MINUTE)


def suggested(context: EvaluationContext, key: Key) -> tuple[str, ...]:
    """Return a rollback for a change of the last hour, and stopping a trigger where there is one."""
    changed = any(context.now - c.at <= _RECENT_S for c in context.world.changes.get(key, ()))
    fed = any(m.enabled for m in context.world.mappings_of(key))
    fits = {"rollback_alias": changed, "cap_concurrency": True, "disable_trigger": fed}
    return tuple(name for name in SUGGESTS if fits[name])


def _since(context: EvaluationContext, facts: FunctionFacts, over: Window) -> float:
    """Return the minute (s since the epoch) in which the present run of long durations began."""
    longest = capped(context, facts, context.world.metric(facts.key, "Duration", "Maximum"))
    least = context.limits.near_timeout.warning_share * _ms(facts)
    start = began(Series(longest.times, tuple(v if v >= least else 0.0 for v in longest.values)), over.end)
    return float(start) if start is not None else context.now


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=90,
    says="durations against the function's own timeout",
    formula=(
        "Duration.Maximum / timeout over {window_min} final minutes with at least {min_invocations} "
        "invocations; critical at {critical_share:g} with Errors > 0; beside it p99 and its trend over 30 "
        "minutes"
    ),
    source="AWS/Lambda Duration (Maximum, p99), Errors, Invocations; the function's timeout",
    traps=(
        "an initialisation inside the invocation (after a crash) lifts a duration above the timeout: "
        "such a minute counts only if something failed in it; versions may have another timeout; "
        "functions on managed instances, which may run for 90 minutes, are left out"
    ),
    suggests=SUGGESTS,
)
