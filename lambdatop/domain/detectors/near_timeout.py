"""near_timeout: durations against the function's own timeout (telemetry D12)."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.function import FunctionFacts
from lambdatop.domain.mitigations.words import span
from lambdatop.domain.rates import Window, began, slope_per_min
from lambdatop.domain.scope import Key
from lambdatop.domain.series import MINUTE, Series
from lambdatop.domain.sight import Sight

NAME = "near_timeout"
FORMULA = "Duration.Maximum / timeout over 5 final minutes; with p99 and its trend over 30 minutes"
SOURCE = "AWS/Lambda Duration (Maximum, p99), Errors, Invocations; the function's timeout"
TRAPS = (
    "an initialisation inside the invocation lifts a duration above the timeout; versions may have another "
    "timeout; functions on managed instances may run for 90 minutes and are left out"
)
SUGGESTS = ("rollback_alias", "cap_concurrency", "disable_trigger")

TREND_MIN = 30
TREND_POINTS = 5


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per function whose longest run comes close to its timeout."""
    limits = sight.limits.near_timeout
    for key, facts in sight.world.functions.items():
        if facts.managed_instances or facts.timeout_s <= 0:
            continue
        over = sight.window(key, limits.window_min)
        runs = sight.world.metric(key, "Invocations").sum(over.start, over.end)
        longest = sight.world.metric(key, "Duration", "Maximum").max(over.start, over.end)
        if longest is None or runs < sight.limit(NAME, key, limits.min_invocations):
            continue
        share = longest / (facts.timeout_s * 1000)
        if share >= sight.limit(NAME, key, limits.warning_share):
            yield _finding(sight, facts, over, longest, share)


def _finding(sight: Sight, facts: FunctionFacts, over: Window, longest: float, share: float) -> Finding:
    key, limits = facts.key, sight.limits.near_timeout
    errors = sight.world.metric(key, "Errors").sum(over.start, over.end)
    timing_out = share >= limits.critical_share and errors > 0
    severity: Severity = "critical" if timing_out else "warning"
    p99 = sight.world.metric(key, "Duration", "p99")
    before, now = _ends(p99, over)
    slope, reach = _climb(p99, over, facts.timeout_s * 1000)
    verb = "runs into" if timing_out else f"takes up to {share:.0%} of"
    title = f"{facts.name} {verb} its timeout of {span(facts.timeout_s)}"
    if reach is not None and not timing_out:
        title += f"; p99 reaches it in {span(reach)}"
    start = _since(sight, key, facts.timeout_s * 1000 * limits.warning_share, over)
    return Finding(
        NAME,
        severity,
        Ref(key, facts.arn, facts.name),
        title,
        start,
        (
            ("duration_max_ms", round(longest, 1)),
            ("timeout_s", facts.timeout_s),
            ("timeout_share", round(share, 3)),
            ("p99_before_ms", before),
            ("p99_now_ms", now),
            ("p99_growth_ms_per_min", None if slope is None else round(slope, 1)),
            ("reaches_timeout_in_s", reach),
            ("errors", errors),
            ("window_min", over.minutes),
        ),
        SUGGESTS,
        f"{longest:.0f} ms / {facts.timeout_s * 1000} ms = {share:.0%} >= {limits.warning_share:.0%}"
        + (f" with {errors:.0f} errors" if errors else "")
        + f" over {over.minutes} min",
    )


def _ends(series: Series, over: Window) -> tuple[float | None, float | None]:
    """The first and the last value of the last half hour, ms."""
    values = series.window(over.end - TREND_MIN * MINUTE, over.end)
    return (round(values[0], 1), round(values[-1], 1)) if values else (None, None)


def _climb(series: Series, over: Window, timeout_ms: float) -> tuple[float | None, int | None]:
    """Growth of p99 (ms/min) over the last half hour, and the seconds until it reaches the timeout."""
    start = over.end - TREND_MIN * MINUTE
    pairs = zip(series.times, series.values, strict=True)
    points = tuple((float(t), v) for t, v in pairs if start <= t < over.end)
    slope = slope_per_min(points) if len(points) >= TREND_POINTS else None
    if slope is None or slope <= timeout_ms / 1000 or points[-1][1] >= timeout_ms:
        return slope, None
    return slope, round((timeout_ms - points[-1][1]) / slope * MINUTE)


def _since(sight: Sight, key: Key, least_ms: float, over: Window) -> float:
    """The minute in which the present run of long durations began."""
    longest = sight.world.metric(key, "Duration", "Maximum")
    long = tuple(max(0.0, v - least_ms + 1) if v >= least_ms else 0.0 for v in longest.values)
    start = began(Series(longest.times, long), over.end)
    return float(start) if start is not None else sight.now
