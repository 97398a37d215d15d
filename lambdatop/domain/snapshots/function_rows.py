"""Make one function's row: its figures over the last final minutes. Pure."""

from __future__ import annotations

from lambdatop.domain.facts.durable import COUNTED, METRIC, DurableFigures
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import or_none
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.figures import rates
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.figures.function_cost import Burning
from lambdatop.domain.figures.heat import heat
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import SEVERITIES, Finding
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import FunctionRow
from lambdatop.domain.state.world import World

_NO_SPARK = (None,) * rates.SPARK_MINUTES

_COUNTED = {
    "invocations_per_min": "Invocations",
    "errors_per_min": "Errors",
    "throttles_per_min": "Throttles",
}

QUIET_S = 3 * 3600.0
"""ListMetrics leaves out what has published nothing for so long."""


def function_row(
    world: World,
    facts: FunctionFacts,
    now: float,
    settings: Settings,
    findings: tuple[Finding, ...] = (),
    burning: Burning | None = None,
) -> FunctionRow:
    """Return all figures of one function over the last final minutes."""
    key = facts.key
    fetched = _fetched(world, key)
    if key not in world.series and key not in world.logs and not findings:
        return _silent_row(
            world, facts, fetched, burning or Burning(evaluation_context(world, now, settings))
        )
    full = rates.window(min(now, fetched or now), settings.metrics.rate_min, settings.metrics)
    over = rates.known_window(world, key, "Invocations", "Sum", full)
    over = over or rates.known_window(world, key, "Throttles", "Sum", full)
    reserved = world.reserved.get(key)
    figures = _figures(world, facts, over) if over and fetched else _idle(world, key, fetched, full.end)
    account = world.accounts.get(key.scope)
    burning = burning or Burning(evaluation_context(world, now, settings))
    burn = None if fetched is None else burning.of(facts, over)
    invocations = world.metric(key, "Invocations")
    errors = world.metric(key, "Errors")
    return FunctionRow(
        facts=facts,
        reserved=reserved,
        reserved_known=key in world.reserved,
        **figures,
        burn=burn,
        durable=durable_figures(world, facts, over) if facts.durable else None,
        burn_usd_per_hour=None if burn is None else burn.total,
        cold_start_rate=cold_start_rate(world, key),
        heat=heat(
            invocations_per_min=figures["invocations_per_min"],
            error_rate=figures["error_rate"],
            throttles_per_min=figures["throttles_per_min"],
            duration_max_ms=figures["duration_max_ms"],
            timeout_s=facts.longest_run_s,
            concurrency_max=figures["concurrency_max"],
            reserved=reserved,
            account_limit=or_none(account.concurrency_limit) if account else None,
            limits=settings.detectors,
        ),
        as_of=fetched,
        spark=rates.spark(invocations, full.end),
        errors_spark=rates.spark(errors, full.end),
        invocations_trend=rates.trend(invocations, full.end),
        errors_trend=rates.trend(errors, full.end),
        duration_trend=rates.gauge_trend(world.metric(key, "Duration", "Maximum"), full.end),
        findings=len(findings),
        worst=SEVERITIES[max(f.rank for f in findings)] if findings else "",
    )


def _silent_row(world: World, facts: FunctionFacts, fetched: float | None, burning: Burning) -> FunctionRow:
    """Return the row of a function without any published metric: most of a large account."""
    key, zero = facts.key, None if fetched is None else 0.0
    burn = None if fetched is None else burning.of(facts, None)
    return FunctionRow(
        facts=facts,
        reserved=world.reserved.get(key),
        reserved_known=key in world.reserved,
        invocations_per_min=zero,
        errors_per_min=zero,
        throttles_per_min=zero,
        burn=burn,
        durable=DurableFigures() if facts.durable else None,
        burn_usd_per_hour=None if burn is None else burn.total,
        as_of=fetched,
        spark=_NO_SPARK,
        errors_spark=_NO_SPARK,
    )


def _fetched(world: World, key: Key) -> float | None:
    """Return as of when its figures are known.

    Its last detail, or a later answer that it has not run for hours.
    """
    fetched, told = world.metrics_at.get(key), world.activity.get(key.scope)
    if told is None or key in told.functions or told.at <= (fetched or 0.0):
        return fetched
    runs = world.metric(key, "Invocations").times
    return fetched if runs and runs[-1] > told.at - QUIET_S else told.at


def _idle(world: World, key: Key, fetched: float | None, end: int) -> dict[str, float | None]:
    """Return the rates without a point in the window.

    Zero for an idle function, None for one never asked about, or where a series was not answered.
    """
    listed = fetched is not None and fetched != world.metrics_at.get(key)  # it has not run for hours
    zero = {
        name: 0.0 if listed or (fetched is not None and _answered(world, key, metric, end)) else None
        for name, metric in _COUNTED.items()
    }
    return {
        **zero,
        "error_rate": None,
        "duration_max_ms": None,
        "duration_p99_ms": None,
        "concurrency_max": None,
        "iterator_age_ms": None,
        "async_amplification": None,
    }


def _figures(world: World, facts: FunctionFacts, over: Window) -> dict[str, float | None]:
    key = facts.key
    start, end = over.start, over.end
    invocations = world.metric(key, "Invocations").sum(start, end)
    errors = world.metric(key, "Errors").sum(start, end)
    received = world.metric(key, "AsyncEventsReceived").sum(start, end)
    attempts = world.metric(key, "AsyncEventAge", "SampleCount").sum(start, end)
    minutes = max(1, over.minutes)
    # CloudWatch answers each series for itself: none of its points is zero only where it was answered.
    counted = {
        name: world.metric(key, metric).sum(start, end) / minutes
        if _answered(world, key, metric, end)
        else None
        for name, metric in _COUNTED.items()
    }
    known = None not in (counted["invocations_per_min"], counted["errors_per_min"])
    return {
        **counted,
        "error_rate": errors / invocations if invocations and known else None,
        "duration_max_ms": world.metric(key, "Duration", "Maximum").max(start, end),
        "duration_p99_ms": world.metric(key, "Duration", "p99").max(start, end),
        "concurrency_max": world.metric(key, "ConcurrentExecutions", "Maximum").max(start, end),
        "iterator_age_ms": world.metric(key, "IteratorAge", "Maximum").max(start, end),
        "async_amplification": attempts / received if received else None,
    }


def _answered(world: World, key: Key, metric: str, end: int) -> bool:
    """Return whether the sums of a metric are known up to `end` (s since the epoch)."""
    at = world.asked_at(SeriesKey(key, metric, "Sum"))
    return at is not None and at >= end


def durable_figures(world: World, facts: FunctionFacts, over: Window | None) -> DurableFigures:
    """Return what the executions of a durable function did a minute; None for what was not answered."""
    key, found = facts.key, list[float | None]()
    for what in COUNTED:
        if over is None or not _answered(world, key, f"{METRIC}{what}", over.end):
            found.append(None)
        else:
            total = world.metric(key, f"{METRIC}{what}").sum(over.start, over.end)
            found.append(total / max(1, over.minutes))
    return DurableFigures(*found)


def cold_start_rate(world: World, key: Key) -> float | None:
    """Return share of REPORT lines with an init duration in the tail; None without at least one report."""
    tail = world.logs.get(key)
    reports = [line.report for line in tail.lines if line.report and line.kind == "report"] if tail else []
    return sum(r.init_ms is not None for r in reports) / len(reports) if reports else None
