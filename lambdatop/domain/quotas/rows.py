"""Quota rows: what runs out next and when, the nearest to its limit first."""

from __future__ import annotations

import math
from dataclasses import replace

from lambdatop.domain.cooperative import Breathe, no_breath
from lambdatop.domain.quotas.account import account_rows
from lambdatop.domain.quotas.functions import function_rows
from lambdatop.domain.quotas.scope_view import Look, look
from lambdatop.domain.quotas.sources import source_rows
from lambdatop.domain.quotas.static import static_rows
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import QUOTAS
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.domain.state.world import World


def quota_rows(
    world: World, now: float, settings: Settings, breathe: Breathe = no_breath
) -> tuple[QuotaRow, ...]:
    """All rows, the nearest to its limit first; of equally near ones those that fill soonest.

    `breathe` is called after each.
    """
    rows: list[QuotaRow] = []
    scopes = dict.fromkeys((*world.accounts, *(k.scope for k in world.functions), *world.quota_limits))
    for scope in scopes:
        at = look(world, scope, now, settings)
        why = _why_assumed(world, at)
        for kind in (account_rows, function_rows, source_rows, static_rows):
            for row in kind(at):
                rows.append(_explained(row, why) if row.assumed else row)
                breathe()
    return tuple(sorted(rows, key=nearness))


def _why_assumed(world: World, at: Look) -> str:
    """Why Service Quotas did not tell, in words."""
    if at.limits.gap:
        return at.limits.gap
    health = world.sources.get(QUOTAS.name)
    if health is not None and health.report.error:
        return health.report.error.partition(": ")[0].rstrip(".")
    return "Service Quotas does not list it" if at.limits.at else "Service Quotas has not answered yet"


def _explained(row: QuotaRow, why: str) -> QuotaRow:
    """An assumed limit says why it is; what no quota code stands for is nowhere to be read."""
    words = f"limit assumed ({why if row.code else 'documented, no API tells it'})"
    return replace(row, note=f"{row.note}; {words}" if row.note else words)


def nearness(row: QuotaRow) -> tuple[float, bool, bool, float, str]:
    """Sorts by how near a limit is: its share, then AWS's limits before own ones, then the sooner.

    What fills within the hour, by a trend that may be trusted, counts as 80 to 100 % used.
    """
    soonest = row.exhausted_range_s[0] if row.exhausted_range_s else math.inf
    near = row.share if row.share is not None else 0.0
    if soonest < 3600 and row.confidence != "low":
        near = max(near, 1 - 0.2 * soonest / 3600)
    return (-round(min(near, 1.0), 2), row.own, row.fixed, soonest, row.name)
