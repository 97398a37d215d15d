"""Detect recent_change: code or configuration changed, and errors or slowness began right after it."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from msgspec import Struct

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.units import span

NAME = "recent_change"
SUGGESTS = ("rollback_alias", "disable_trigger", "throttle_to_zero")

NEAR_MIN = 3
"""Minutes right before a change in which its symptoms must not have been there yet."""
LATELY_MIN = 5
"""Final minutes in which the symptoms must still be there."""
MIN_POINTS = 2
"""Minutes with a duration, before."""
WARM_MIN = 5
"""Minutes with a duration, after: a change starts new environments, whose first requests take longer.

Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""
MIN_RISE_MS = 50.0
"""A p99 that rises by less is noise, whatever its factor."""


class _Symptom(Struct, frozen=True):
    """What began: words for the title, its first minute (s since the epoch), figures and formula."""

    words: str
    began: int
    evidence: tuple[tuple[str, float | int | str | None], ...]
    formula: str


class _Sides(Struct, frozen=True):
    """Minutes before and after one change; `near` are the last ones before it, `lately` the newest."""

    before: Window
    near: Window
    after: Window
    lately: Window


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function: the newest change after which symptoms began."""
    for key, facts in context.measured():
        for at, what in _changes(context, facts):
            sides = _sides(context, key, at)
            symptom = (_errors(context, key, sides) or _slower(context, key, sides)) if sides else None
            if symptom is not None:
                yield _finding(context, facts, at, what, symptom)
                break


def _changes(context: EvaluationContext, facts: FunctionFacts) -> list[tuple[float, str]]:
    """Return (moment on the scale of published minutes, what changed), newest first, within the lookback."""
    known = {c.at: ", ".join(c.what) for c in context.world.changes.get(facts.key, ())}
    if facts.last_modified is not None:
        known.setdefault(facts.last_modified, "")
    # Published minutes pass `times` faster than the clock in the demo.
    times = context.settings.metrics.times
    placed = [
        (context.now - (context.now - at) * times, what) for at, what in known.items() if at <= context.now
    ]
    oldest = context.now - context.limits.recent_change.lookback_min * MINUTE
    return sorted((c for c in placed if c[0] >= oldest), reverse=True)


def _sides(context: EvaluationContext, key: Key, at: float) -> _Sides | None:
    """Return the figures before and after; None without enough invocations on either side."""
    limits = context.limits.recent_change
    minute, end = int(at // MINUTE) * MINUTE, context.window(key, 1).end
    # The demo's published minutes are whole buckets, so a moment can be placed among them to a minute only.
    slack = 0 if context.settings.metrics.times == 1 else MINUTE
    before = Window(minute - slack - limits.before_min * MINUTE, minute - slack)
    after = Window(minute + MINUTE + slack, end)
    lately = Window(max(after.start, end - LATELY_MIN * MINUTE), end)
    invocations = context.world.metric(key, "Invocations")
    for side in (before, after):
        if invocations.sum(side.start, side.end) < limits.min_invocations:
            return None
    return _Sides(before, Window(before.end - NEAR_MIN * MINUTE, before.end), after, lately)


def _share(context: EvaluationContext, key: Key, over: Window) -> float | None:
    invocations = context.world.metric(key, "Invocations").sum(over.start, over.end)
    return (
        context.world.metric(key, "Errors").sum(over.start, over.end) / invocations if invocations else None
    )


def _errors(context: EvaluationContext, key: Key, sides: _Sides) -> _Symptom | None:
    full = context.limits.recent_change.error_rise
    rise = context.limit(NAME, key, full)
    before, near = _share(context, key, sides.before), _share(context, key, sides.near)
    after, lately = _share(context, key, sides.after), _share(context, key, sides.lately)
    if before is None or after is None or lately is None:
        return None
    limit = before + rise
    if after < limit or lately < limit or (near is not None and near >= before + full):
        return None
    minutes = range(sides.after.start, sides.after.end, MINUTE)
    shares = ((t, _share(context, key, Window(t, t + MINUTE))) for t in minutes)
    began = next(t for t, share in shares if share is not None and share >= limit)
    return _Symptom(
        "its errors began",
        began,
        (("error_before_share", round(before, 4)), ("error_after_share", round(after, 4))),
        f"errors / invocations {after:.1%} >= {before:.1%} before + {rise:.1%}",
    )


def _slower(context: EvaluationContext, key: Key, sides: _Sides) -> _Symptom | None:
    full = context.limits.recent_change.duration_factor
    factor = context.limit(NAME, key, full)
    series = context.world.metric(key, "Duration", "p99")
    before = series.window(sides.before.start, sides.before.end)
    near = series.window(sides.near.start, sides.near.end)
    after = series.window(sides.after.start, sides.after.end)
    lately = series.window(sides.lately.start, sides.lately.end)
    if len(before) < MIN_POINTS or len(after) < WARM_MIN or not lately:
        return None
    usual = median(before)
    limit = max(factor * usual, usual + MIN_RISE_MS)
    if median(after) < limit or median(lately) < limit or (near and median(near) >= full * usual):
        return None
    points = zip(series.times, series.values, strict=True)
    began = next(t for t, v in points if t >= sides.after.start and v >= limit)
    return _Symptom(
        "it became slow",
        began,
        (
            ("duration_p99_before_ms", round(usual, 1)),
            ("duration_p99_after_ms", round(median(after), 1)),
        ),
        f"median p99 {median(after):.0f} ms >= {factor:g} x {usual:.0f} ms before",
    )


def _finding(
    context: EvaluationContext, facts: FunctionFacts, at: float, what: str, symptom: _Symptom
) -> Finding:
    limits = context.limits.recent_change
    fed = any(m.enabled for m in context.world.mappings_of(facts.key))
    delay_s = max(0.0, symptom.began - at)
    title = f"{facts.name} changed {span(delay_s)} before {symptom.words}"
    return Finding(
        NAME,
        "warning",
        Ref(facts.key, facts.arn, facts.name),
        f"{title}: {what}" if what else title,
        at,
        (
            ("changed", what or "not known"),
            ("changed_before_symptoms_s", round(delay_s)),
            ("changed_ago_s", round(context.now - at)),
            *symptom.evidence,
            ("before_min", limits.before_min),
            ("lookback_min", limits.lookback_min),
        ),
        SUGGESTS if fed else ("rollback_alias", "throttle_to_zero"),
        f"{symptom.formula}; changed {span(delay_s)} before",
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=10,
    says="code or configuration changed, and errors or slowness began right after it",
    formula=(
        "errors / invocations after a change of the last {lookback_min} min >= share of the {before_min} "
        "min before + {error_rise:g}, or median p99 duration >= {duration_factor:g} x the median before; "
        "at least {min_invocations} invocations before and after; final minutes, without the minute of the "
        "change; a p99 rises by 50 ms at least"
    ),
    source=(
        "LastModified of the function (what changed: seen between two lists); Errors, Invocations, Duration"
    ),
    traps=(
        "a new function has no time before (silent); symptoms that began before the change (silent) or "
        "are over (silent); LastModified moves with any configuration change; a dependency may have "
        "changed at that time; new environments are slow at first (slowness counts after five minutes)"
    ),
    suggests=SUGGESTS,
)
