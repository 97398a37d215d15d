"""Detect log_storm: a log group takes in far more than before, or Lambda drops lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from lambdatop.domain.cost.prices import Prices
from lambdatop.domain.cost.pricing import log_usd
from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import LOG_GROUP, FunctionFacts, group_of, writers_by_group
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.comparison import against, multiple
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.forecast import quantile
from lambdatop.domain.figures.function_cost import Burning
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.log_analysis.digest import Failed, digest
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.state.world import World

NAME = "log_storm"
SUGGESTS = ("rollback_alias", "throttle_to_zero")

BASELINE_POINTS = 5
"""Minutes with a point from which on the time before is a baseline."""
PER_INVOCATION_RISE = 2.0
"""Bytes per invocation that rose by this factor are not explained by traffic."""


class _Intake(Struct, frozen=True):
    per_min: float
    before_per_min: float
    with_traffic: bool

    def usd_per_hour(self, prices: Prices) -> float:
        """Return the list price of what comes in now, that of the region."""
        return log_usd(self.per_min * 60, prices)


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per log group that ingests far more than before, or whose functions lost lines."""
    limits = context.limits.log_storm
    small: dict[Scope, list[tuple[Key, _Intake]]] = defaultdict(list)
    for group, writers in _groups(context.world):
        over = context.window(group, limits.window_min)
        intake = _intake(context, group, writers, over)
        factor = context.limit(NAME, group, limits.factor)
        floor = context.limit(NAME, group, limits.min_bytes_per_min)
        if intake is not None and intake.per_min < factor * intake.before_per_min:
            intake = None
        if intake is not None and intake.per_min < floor:
            if not intake.with_traffic:
                small[group.scope].append((group, intake))
            intake = None
        dropped = _dropped(context, writers)
        if intake is not None or dropped:
            yield _finding(context, group, writers, over, intake, dropped, factor)
    for scope, found in small.items():
        yield from _together(context, scope, found)


def _together(
    context: EvaluationContext, scope: Scope, found: list[tuple[Key, _Intake]]
) -> Iterator[Finding]:
    """Yield the finding of log groups each of which is below the floor, and together above it."""
    limits, account = context.limits.log_storm, Key(scope, "account", scope.account)
    total = _Intake(sum(i.per_min for _, i in found), sum(i.before_per_min for _, i in found), False)
    if len(found) < 2 or total.per_min < context.limit(NAME, account, limits.min_bytes_per_min):
        return
    prices = Burning(context).prices(scope)
    usd = total.usd_per_hour(prices)
    names = [group.id for group, _ in sorted(found, key=lambda f: (-f[1].per_min, f[0]))]
    now, before = f"{total.per_min / 1e6:.1f}", f"{total.before_per_min / 1e6:.1f}"
    yield Finding(
        NAME,
        "warning",
        Ref(account, "", scope.account),
        f"{len(found)} log groups take in {now} MB/min together, before {before}: {usd:.2f} USD/h",
        float(context.window(found[0][0], limits.window_min).start),
        (
            ("log_groups", ", ".join(names[:5])),
            ("incoming_bytes_per_min", round(total.per_min)),
            ("incoming_before_bytes_per_min", round(total.before_per_min)),
            ("usd_per_hour", round(usd, 4)),
            ("prices", _priced_as(prices)),
            ("baseline_min", limits.baseline_min),
        ),
        SUGGESTS[:1],
        against(context, total.per_min / 1e6, limits.min_bytes_per_min / 1e6, 1, " MB/min")
        + f", each group >= {limits.factor:g} x before",
    )


def _groups(world: World) -> Iterator[tuple[Key, Sequence[FunctionFacts]]]:
    """Yield the log groups with known figures, each with the functions that write there."""
    writers = writers_by_group(world.functions)
    known = {key for key in world.series if key.kind == LOG_GROUP}
    known |= {group_of(world.functions[key]) for key in world.logs if key in world.functions}
    return ((group, writers[group]) for group in sorted(known) if group in writers)


def _intake(
    context: EvaluationContext, group: Key, writers: Sequence[FunctionFacts], over: Window
) -> _Intake | None:
    """Return the ingested bytes now and before; None without a baseline or without a point in the window."""
    series = context.world.metric(group, "IncomingBytes")
    begin = over.start - context.limits.log_storm.baseline_min * MINUTE
    known, now = series.window(begin, over.start), series.window(over.start, over.end)
    if len(known) < BASELINE_POINTS or not now:
        return None
    # A mean would take the storm in after some minutes, and the storm would end by itself.
    per_min, before = sum(now) / over.minutes, quantile(sorted(known), 0.25)
    runs = [context.world.metric(f.key, "Invocations") for f in writers]
    run = sum(_mean(one.window(over.start, over.end)) for one in runs)
    earlier = (sorted(one.window(begin, over.start)) for one in runs)
    run_before = sum(quantile(one, 0.25) for one in earlier if one)
    explained = run > 0 and run_before > 0 and per_min / run < PER_INVOCATION_RISE * before / run_before
    return _Intake(per_min, before, explained)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _dropped(context: EvaluationContext, writers: Sequence[FunctionFacts]) -> list[Failed]:
    since = context.log_since(context.limits.log_storm.window_min)
    tails = (context.world.logs.get(f.key) for f in writers)
    return [
        f
        for tail in tails
        if tail is not None
        for f in digest(tail).since(since).failures
        if f.signature == "logs_dropped"
    ]


def _finding(
    context: EvaluationContext,
    group: Key,
    writers: Sequence[FunctionFacts],
    over: Window,
    intake: _Intake | None,
    dropped: list[Failed],
    factor: float,
) -> Finding:
    limits = context.limits.log_storm
    natural = intake is not None and intake.with_traffic and not dropped
    severity: Severity = "info" if natural else "warning"
    evidence: list[tuple[str, float | int | str | None]] = [
        ("log_group", group.id),
        ("functions", ", ".join(f.name for f in writers[:5])),
        ("logs_dropped", len(dropped)),
        ("window_min", over.minutes),
    ]
    if intake is not None:
        now, before = f"{intake.per_min / 1e6:.1f}", f"{intake.before_per_min / 1e6:.1f}"
        prices = Burning(context).prices(group.scope)
        usd = intake.usd_per_hour(prices)
        title = f"{group.id} takes in {now} MB/min, before {before}: {usd:.2f} USD/h"
        formula = multiple(
            context, intake.per_min / 1e6, limits.factor, intake.before_per_min / 1e6, "{:.1f} MB/min"
        )
        formula += ", the quieter quarter of "
        formula += f"{limits.baseline_min} min before"
        since = float(over.start)
        evidence += [
            ("incoming_bytes_per_min", round(intake.per_min)),
            ("incoming_before_bytes_per_min", round(intake.before_per_min)),
            ("usd_per_hour", round(usd, 4)),
            ("prices", _priced_as(prices)),
            ("explained_by", "more traffic" if natural else None),
            ("baseline_min", limits.baseline_min),
        ]
    else:
        title = f"{group.id} loses lines: Lambda dropped log output {len(dropped)} times"
        formula = f"{len(dropped)} platform.logsDropped >= 1 over {limits.window_min} min"
        since = min(f.at for f in dropped)
    return Finding(
        NAME,
        severity,
        Ref(group, _arn(group, writers[0]), group.id),
        title,
        since,
        tuple(evidence),
        SUGGESTS,
        formula,
        tuple(f.key for f in writers),
    )


def _priced_as(prices: Prices) -> str:
    """Return whose price of ingested logs counts: the region's, or us-east-1's where that is not known."""
    return "us-east-1's" if "log_gb" in prices.borrowed else prices.region


def _arn(group: Key, writer: FunctionFacts) -> str:
    arn = parse_arn(writer.arn)
    partition = arn.partition if arn else "aws"
    return f"arn:{partition}:logs:{group.scope.region}:{group.scope.account}:log-group:{group.id}"


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=250,
    says="a log group takes in far more than before, or Lambda drops lines",
    formula=(
        "IncomingBytes per minute over {window_min} final minutes >= {factor:g} x the quieter quarter of "
        "the {baseline_min} minutes before, and {min_bytes_per_min:.0f} bytes/min, also of several groups "
        "together; or platform.logsDropped in the log"
    ),
    source="AWS/Logs IncomingBytes of the functions' log groups; log tail; the region's price per GB",
    traps=(
        "more traffic logs more: where bytes per invocation did not rise it is information; a group "
        "that was silent has no baseline (silent); the price is the list price of the first tier"
    ),
    suggests=SUGGESTS,
)
