"""Detect cost_burn: a function or the account burns far more than usual, or most of the cost is wasted."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from msgspec import Struct

from lambdatop.domain.cost.burn import DAY_S, Burn, times_of
from lambdatop.domain.cost.pricing import burn_usd, log_usd
from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.failure_path import given_up_without_loss
from lambdatop.domain.facts.function import FunctionFacts, group_of
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.comparison import against, multiple
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.function_cost import LOG_METRIC, Burning, running_at_once
from lambdatop.domain.figures.rates import Window, window
from lambdatop.domain.keys import Key, parse_arn
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "cost_burn"
SUGGESTS = ("cap_concurrency", "disable_trigger", "stop_async_retries", "throttle_to_zero")

BASELINE_POINTS = 10
"""Minutes with a point from which on the hour before is a baseline."""


class _Seen(Struct, frozen=True):
    """What a function burns now, and did before (usage per hour; None without a baseline).

    `own` is what is compared with it: what was asked for minute by minute.
    """

    facts: FunctionFacts
    over: Window
    burn: Burn
    own: float
    before: float | None
    unusual: bool
    wasteful: bool

    @property
    def at_stake(self) -> float:
        """USD/h above usual, or wasted, whichever is more."""
        above = self.burn.usage - (self.before or 0.0) if self.unusual else 0.0
        return max(above, (self.burn.wasted or 0.0) if self.wasteful else 0.0)


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function, and one per account against yesterday."""
    burning, found = Burning(context), []
    for _, facts in context.functions():
        seen = _function(context, burning, facts)
        if seen is not None:
            found.append(seen)
            yield _finding(context, seen)
    if context.world.burn_history:
        yield from _account(context, burning, found)


def _function(context: EvaluationContext, burning: Burning, facts: FunctionFacts) -> _Seen | None:
    limits, key, series = context.limits.cost_burn, facts.key, context.world.series
    if not facts.priced or (key not in series and group_of(facts) not in series):
        return None
    over = context.window(key, limits.window_min)
    least = context.limit(NAME, key, limits.min_usd_per_hour)
    own = _ran_for(context, burning, facts, over)
    logged, logged_before = _logged(context, burning, facts)
    if own + logged < least:
        return None
    burn = burning.of(facts, over)
    if burn is None:
        return None
    before, factor = _before(context, burning, facts, over), context.limit(NAME, key, limits.factor)
    unusual = before is not None and own >= max(least, factor * before)
    # Logs are asked for less often than the rest: alone they may tell of a storm, but hide no other rise.
    if before is not None and not unusual and own + logged >= max(least, factor * (before + logged_before)):
        own, before, unusual = own + logged, before + logged_before, True
    wasted = burn.wasted or 0.0
    wasteful = wasted >= least and wasted >= context.limit(NAME, key, limits.waste_share) * burn.usage
    return _Seen(facts, over, burn, own, before, unusual, wasteful) if unusual or wasteful else None


def _ran_for(context: EvaluationContext, burning: Burning, facts: FunctionFacts, over: Window) -> float:
    """Return USD/h for duration, requests and /tmp, by two sums only.

    Every function is priced in every round.
    """
    runs = context.world.metric(facts.key, "Invocations").sum(over.start, over.end)
    if not runs:
        return 0.0
    duration = context.world.metric(facts.key, "Duration").sum(over.start, over.end)
    return burn_usd(facts, duration, runs, burning.prices(facts.key.scope)) * 60 / over.minutes


def _logged(context: EvaluationContext, burning: Burning, facts: FunctionFacts) -> tuple[float, float]:
    """Return what the function's own log costs in USD/h now, and did at its quieter times in the hour before.

    (0, 0) where others write there too, or where no baseline is known.
    """
    if not facts.log_group or len(burning.writers(group_of(facts))) != 1:
        return 0.0, 0.0
    group, limits = group_of(facts), context.limits.cost_burn
    series = context.world.metric(group, LOG_METRIC)
    over = context.window(group, limits.window_min)
    now = series.window(over.start, over.end)
    known = sorted(series.window(over.start - limits.baseline_min * MINUTE, over.start))
    if not now or len(known) < BASELINE_POINTS:
        return 0.0, 0.0
    prices = burning.prices(facts.key.scope)
    per_min, before = sum(now) / over.minutes, known[len(known) // 4]
    return log_usd(per_min * 60, prices), log_usd(before * 60, prices)


def _before(context: EvaluationContext, burning: Burning, facts: FunctionFacts, over: Window) -> float | None:
    """Return the median of USD/h (duration, requests and /tmp) of the minutes that ran.

    None for fewer than ten.
    """
    start = over.start - context.limits.cost_burn.baseline_min * MINUTE
    runs = context.world.metric(facts.key, "Invocations")
    known = dict(zip(runs.times, runs.values, strict=True))
    minutes = [t for t in known if start <= t < over.start]
    if len(minutes) < BASELINE_POINTS:
        return None
    duration = context.world.metric(facts.key, "Duration")
    ran = dict(zip(duration.times, duration.values, strict=True))
    prices = burning.prices(facts.key.scope)
    return median(burn_usd(facts, ran.get(t, 0.0), known[t], prices) * 60 for t in minutes)


def _finding(context: EvaluationContext, seen: _Seen) -> Finding:
    facts, burn, limits = seen.facts, seen.burn, context.limits.cost_burn
    wasted = burn.wasted or 0.0
    if seen.unusual and seen.before is not None:
        title = f"{facts.name} burns ${seen.own:,.2f}/h, before ${seen.before:,.2f}/h"
        formula = multiple(context, seen.own, limits.factor, seen.before, "${:,.2f}/h")
        formula += ", the median of the hour before"
    else:
        title = f"{facts.name} burns ${burn.usage:,.2f}/h, ${wasted:,.2f}/h of it wasted"
        formula = f"${wasted:,.2f}/h wasted / ${burn.usage:,.2f}/h = "
        formula += against(context, wasted / burn.usage, limits.waste_share, 0, "%")
    return Finding(
        NAME,
        _severity(context, facts.key, seen.at_stake),
        Ref(facts.key, facts.arn, facts.name),
        title,
        float(seen.over.start),
        (
            ("usd_per_hour", round(burn.total, 4)),
            ("usd_per_hour_before", None if seen.before is None else round(seen.before, 4)),
            ("wasted_usd_per_hour", round(wasted, 4)),
            ("duration_usd_per_hour", round(burn.duration, 4)),
            ("requests_usd_per_hour", round(burn.requests, 4)),
            ("logs_usd_per_hour", None if burn.logs is None else round(burn.logs, 4)),
            *((("durable_usd_per_hour", round(burn.durable, 4)),) if burn.durable else ()),
            ("running_at_once", round(burn.running, 1)),
            ("prices", "us-east-1's" if burn.borrowed else facts.key.scope.region),
            ("window_min", seen.over.minutes),
        ),
        _suggests(context, facts.key, wasteful=seen.wasteful),
        formula,
    )


def _severity(context: EvaluationContext, key: Key, usd_per_hour: float) -> Severity:
    critical = context.limit(NAME, key, context.limits.cost_burn.critical_usd_per_hour, "critical")
    return "critical" if usd_per_hour >= critical else "warning"


def _suggests(context: EvaluationContext, function: Key, *, wasteful: bool) -> tuple[str, ...]:
    """Stop what repeats where it is in vain, else a cap first: it costs no event by itself."""
    fits = {"cap_concurrency", "throttle_to_zero"}
    if any(m.enabled for m in context.world.mappings_of(function)):
        fits.add("disable_trigger")
    facts, config = context.world.functions.get(function), context.world.triggers_of(function).async_config
    pushed = context.world.metric(function, "AsyncEventsReceived").times
    if facts is not None and pushed and given_up_without_loss(facts, config):
        fits.add("stop_async_retries")
    order = ("disable_trigger", "stop_async_retries", "cap_concurrency", "throttle_to_zero")
    return tuple(name for name in (order if wasteful else SUGGESTS) if name in fits)


def _account(context: EvaluationContext, burning: Burning, found: list[_Seen]) -> Iterator[Finding]:
    limits, settings = context.limits.cost_burn, context.settings.metrics
    for scope, then in context.world.burn_history.items():
        key, yesterday = Key(scope, "account", scope.account), then.running(context.now - DAY_S)
        over = window(context.now, settings.rate_min, settings)
        running = running_at_once(context, scope, over)
        times = times_of(running, yesterday)
        if times is None or times < context.limit(NAME, key, limits.factor):
            continue
        mine = (f for f in context.world.functions.values() if f.key.scope == scope)
        costs = [(_ran_for(context, burning, f, burning.asked(f.key, over)), f) for f in mine]
        usd = sum(cost for cost, _ in costs)
        if not costs or usd < context.limit(NAME, key, limits.min_usd_per_hour):
            continue
        highest, top = max(costs, key=lambda known: (known[0], known[1].name))
        week = times_of(running, then.running(context.now - 7 * DAY_S))
        arn = parse_arn(top.arn)
        partition = arn.partition if arn else "aws"
        yield Finding(
            NAME,
            _severity(context, key, usd - usd / times),
            Ref(key, f"arn:{partition}:lambda:{scope.region}:{scope.account}", scope.account),
            f"the account burns ${usd:,.2f}/h: {times:.1f} x the running time of this hour yesterday",
            context.now,
            (
                ("usd_per_hour", round(usd, 4)),
                ("duration_vs_yesterday", round(times, 2)),
                ("duration_vs_week", None if week is None else round(week, 2)),
                ("running_at_once", round(running, 2)),
                ("top", top.name),
                ("top_usd_per_hour", round(highest, 4)),
            ),
            _suggests(context, top.key, wasteful=False),
            f"{running:.2f} running at once / {yesterday:.2f} yesterday = "
            f"{against(context, times, limits.factor, 1)}",
            tuple(dict.fromkeys((top.key, *(s.facts.key for s in found)))),
            remedy=top.key,
        )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=270,
    says="a function or the account burns far more than usual, or most of the cost is wasted",
    formula=(
        "USD/h over {window_min} final minutes / median of the {baseline_min} minutes before, at least "
        "{min_usd_per_hour:g} USD/h; or wasted / burn >= {waste_share:g} with at least "
        "{min_usd_per_hour:g} USD/h wasted; of the account: running time / the same hour yesterday"
    ),
    source=(
        "AWS/Lambda Duration, Invocations, Errors, AWS/Logs IncomingBytes, AWS/SQS; prices of the "
        "region; the account's hours of the last week"
    ),
    traps=(
        "a campaign or the start of a batch costs more, too; a function that had run for less than 10 "
        "minutes has no baseline (silent); what has lasted for half an hour is the median itself; list "
        "prices, without savings plans; durations of failed runs cannot be told from good ones, so "
        "waste is rough; yesterday is compared by running time, whatever the memory sizes"
    ),
    suggests=SUGGESTS,
)
