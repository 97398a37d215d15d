"""Render the cost of functions as the JSON of a snapshot. Pure."""

from __future__ import annotations

from lambdatop.domain.cost.burn import AccountBurn
from lambdatop.domain.log_analysis.summary import LogSummary
from lambdatop.domain.state.snapshot import FunctionRow
from lambdatop.report.json.primitives import Json, finite, iso, plain


def burn_json(row: FunctionRow, summary: LogSummary | None) -> Json | None:
    """Return USD per hour by parts; null before there are metrics.

    `exact` (by the `summary` of its log) is per published hour, as the rest is. It is null without a single
    billed REPORT, and covers `exact_over_s`.
    """
    burn = row.burn
    if burn is None:
        return None
    exact = summary.exact if summary else None
    numbers: Json = {
        "duration": burn.duration,
        "requests": burn.requests,
        "ephemeral": burn.ephemeral,
        "provisioned": burn.provisioned,
        "logs": burn.logs,
        "durable": burn.durable,
        "exact": exact.usd_per_hour if exact else None,
        "exact_over_s": exact.over_s if exact else None,
        "exact_complete": exact.complete if exact else None,
        "waste": burn.wasted,
        "log_writers": burn.log_writers,
    }
    besides = [*row.facts.billed_besides, *burn.besides]
    return {**finite(numbers), "us_east_1_prices": sorted(burn.borrowed), "not_counted": besides}


def account_burn_json(burn: AccountBurn) -> Json:
    """Return the account's total, an estimate at list price."""
    return {
        "usd_per_hour": plain(burn.usd_per_hour),
        "wasted_usd_per_hour": plain(burn.wasted_usd_per_hour),
        "projected_usd": plain(burn.projected_usd),
        "projected_until": iso(burn.until),
        "vs_yesterday": plain(burn.vs_yesterday),
        "vs_week": plain(burn.vs_week),
        "prices_as_of": burn.prices.as_of,
        "price_region": burn.prices.price_region,
        "prices_set_by": list(burn.prices.set_by),
        "us_east_1_prices": sorted(burn.parts.borrowed),
        "functions_counted": burn.counted,
        "functions": burn.functions,
    }
