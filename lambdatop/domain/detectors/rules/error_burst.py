"""Detect error_burst: many more errors than in the half hour before, by the jump, not by the rate."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import MINUTE, Series
from lambdatop.domain.figures.comparison import multiple
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.failure_evidence import failure_evidence
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref

NAME = "error_burst"
SUGGESTS = ("rollback_alias", "disable_trigger", "throttle_to_zero")

BASELINE_POINTS = 5
"""Minutes with invocations from which on the time before is a baseline."""
SHARE_RISE = 2.0
"""Errors / invocations must have risen by this factor, or the burst is the traffic's."""

SAME_BURST = 0.5
"""Minutes with this share of the present share of errors belong to the same burst."""


class _Jump(Struct, frozen=True):
    errors: float
    per_min: float
    before_per_min: float
    share: float | None
    before_share: float


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function whose errors jumped."""
    limits = context.limits.error_burst
    for key, facts in context.measured():
        over = context.window(key, limits.window_min)
        jump = _jump(context, key, over)
        if jump is None or jump.errors < limits.min_errors:
            continue
        factor = context.limit(NAME, key, limits.factor)
        with_traffic = jump.share is not None and jump.share < SHARE_RISE * jump.before_share
        if jump.per_min >= factor * jump.before_per_min and not with_traffic:
            yield _finding(context, facts, over, jump, factor)


def _jump(context: EvaluationContext, key: Key, over: Window) -> _Jump | None:
    """Return the errors now and before; None without a baseline."""
    invocations, errors = context.world.metric(key, "Invocations"), context.world.metric(key, "Errors")
    until = _began(invocations, errors, over) if context.stands(NAME, key) else over.start
    begin = until - context.limits.error_burst.baseline_min * MINUTE
    known = invocations.window(begin, until)
    if len(known) < BASELINE_POINTS:
        return None
    count, run = errors.sum(over.start, over.end), invocations.sum(over.start, over.end)
    before, run_before = errors.sum(begin, until), sum(known)
    return _Jump(
        count,
        count / over.minutes,
        before / len(known),
        count / run if run else None,
        before / run_before if run_before else 0.0,
    )


def _began(invocations: Series, errors: Series, over: Window) -> int:
    """Return the first minute of a burst that stands, by its share: it must not become what is usual."""
    count, run = errors.sum(over.start, over.end), invocations.sum(over.start, over.end)
    if not run or not count:
        return over.start
    failed, first = dict(zip(errors.times, errors.values, strict=True)), over.start
    for at, runs in zip(reversed(invocations.times), reversed(invocations.values), strict=True):
        if at >= over.start or not runs:
            continue
        if failed.get(at, 0.0) / runs < SAME_BURST * count / run:
            break
        first = at
    return first


def _finding(
    context: EvaluationContext, facts: FunctionFacts, over: Window, jump: _Jump, factor: float
) -> Finding:
    ratio = jump.per_min / jump.before_per_min if jump.before_per_min else None
    fed, limits = any(m.enabled for m in context.world.mappings_of(facts.key)), context.limits.error_burst
    per_min, before = f"{jump.per_min:.1f}", f"{jump.before_per_min:.1f}"
    return Finding(
        NAME,
        "warning",
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name}: errors jumped from {before} to {per_min} per minute",
        _since(context.world.metric(facts.key, "Errors"), over, factor * jump.before_per_min),
        (
            ("errors", jump.errors),
            ("errors_per_min", round(jump.per_min, 2)),
            ("errors_before_per_min", round(jump.before_per_min, 2)),
            ("rise_ratio", None if ratio is None else round(ratio, 2)),
            ("error_share", None if jump.share is None else round(jump.share, 4)),
            ("error_before_share", round(jump.before_share, 4)),
            *failure_evidence(context, facts.key, over),
            ("window_min", over.minutes),
            ("baseline_min", context.limits.error_burst.baseline_min),
        ),
        SUGGESTS if fed else ("rollback_alias", "throttle_to_zero"),
        multiple(context, jump.per_min, limits.factor, jump.before_per_min, "{:.1f} errors/min")
        + f" in the {limits.baseline_min} min before",
    )


def _since(errors: Series, over: Window, level: float) -> float:
    """Start of the run of minutes at or above `level` errors that reaches into the window."""
    known = dict(zip(errors.times, errors.values, strict=True))
    high = [t for t in range(over.start, over.end, MINUTE) if known.get(t, 0.0) >= max(level, 1.0)]
    at = high[0] if high else over.start
    while known.get(at - MINUTE, 0.0) >= max(level, 1.0):
        at -= MINUTE
    return float(at)


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=160,
    says="many more errors than in the half hour before",
    formula=(
        "Errors per minute over {window_min} final minutes / mean per minute of the {baseline_min} before, "
        "counted over minutes with invocations; at least {min_errors} errors, and twice the share of "
        "invocations; once stated, the {baseline_min} before it began, as far as they are known"
    ),
    source="AWS/Lambda Errors, Invocations; log tail for the most frequent failure",
    traps=(
        "errors that grow with traffic keep their share (silent); a function without half an hour of "
        "its own has no baseline (silent: covered by error_rate); a steady rate is error_rate's"
    ),
    suggests=SUGGESTS,
)
