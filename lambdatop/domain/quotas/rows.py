"""Make the quota rows: what runs out next and when, the nearest to its limit first."""

from __future__ import annotations

import math

from msgspec.structs import replace

from lambdatop.domain.cooperative import GiveWay, no_pause
from lambdatop.domain.quotas.account import account_rows
from lambdatop.domain.quotas.environments import environment_rows
from lambdatop.domain.quotas.functions import function_rows
from lambdatop.domain.quotas.scope_view import ScopeView, view
from lambdatop.domain.quotas.sources import source_rows
from lambdatop.domain.quotas.static import static_rows
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import QUOTAS
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.domain.state.world import World


def quota_rows(
    world: World, now: float, settings: Settings, give_way: GiveWay = no_pause
) -> tuple[QuotaRow, ...]:
    """Return all rows, the nearest to its limit first; of equally near ones those that fill soonest.

    `give_way` is called after each.
    """
    rows: list[QuotaRow] = []
    scopes = dict.fromkeys((*world.accounts, *(k.scope for k in world.functions), *world.quota_limits))
    for scope in scopes:
        at = view(world, scope, now, settings)
        why = _why_assumed(world, at)
        for kind in (account_rows, environment_rows, function_rows, source_rows, static_rows):
            for row in kind(at):
                rows.append(_explained(row, why) if row.assumed else row)
                give_way()
    return tuple(sorted(rows, key=nearness))


def _why_assumed(world: World, at: ScopeView) -> str:
    """Return in words why Service Quotas returned no limit."""
    if at.limits.gap:
        return at.limits.gap
    health = world.sources.get(QUOTAS.name)
    if health is not None and health.report.error:
        return health.report.error.partition(": ")[0].rstrip(".")
    return "Service Quotas does not list it" if at.limits.at else "Service Quotas has not answered yet"


def _explained(row: QuotaRow, why: str) -> QuotaRow:
    """Return the row with the reason why its limit is assumed.

    A limit without a quota code cannot be read at all.
    """
    words = f"limit assumed ({why if row.code else 'documented, no API tells it'})"
    return replace(row, note=f"{row.note}; {words}" if row.note else words)


def nearness(row: QuotaRow) -> tuple[float, bool, bool, float, str]:
    """Return the sort key by nearness to the limit.

    Its share, then AWS's limits before own ones, then the sooner. What fills within the hour, by a trend of
    sufficient confidence, counts as 80 to 100 % used.
    """
    soonest = row.exhausted_range_s[0] if row.exhausted_range_s else math.inf
    near = row.share if row.share is not None else 0.0
    if soonest < 3600 and row.confidence != "low":
        near = max(near, 1 - 0.2 * soonest / 3600)
    return (-round(min(near, 1.0), 2), row.own, row.fixed, soonest, row.name)
