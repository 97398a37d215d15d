"""Quota rows: what runs out. This version: account and reserved concurrency, code storage."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.rates import slope_per_min, window
from lambdatop.domain.scope import Key, Scope
from lambdatop.domain.settings import Settings
from lambdatop.domain.snapshot import QuotaRow
from lambdatop.domain.world import World

NEAR_RESERVED = 0.5
"""A function's own reservation is listed once this share of it is in use."""


def quota_rows(world: World, now: float, settings: Settings) -> tuple[QuotaRow, ...]:
    """Account quotas first, then reserved functions by how full they are."""
    rows: list[QuotaRow] = []
    for scope in world.accounts:
        rows += _account(world, scope, now, settings)
        rows += sorted(_reserved(world, scope, now, settings), key=lambda r: -r.used / max(r.limit, 1))
    return tuple(rows)


def _account(world: World, scope: Scope, now: float, settings: Settings) -> Iterator[QuotaRow]:
    account = world.accounts[scope]
    age = max(0.0, now - world.accounts_at.get(scope, now))
    key = Key(scope, "account", scope.account)
    claimed, trend, note = _claimed(world, key, now, settings)
    reserved = account.concurrency_limit - account.unreserved
    used = claimed if claimed is not None else float(reserved)
    if claimed is None:
        note = "ClaimedAccountConcurrency not published: reservations only"
    yield _row(
        ("concurrent executions", "L-B99A9384", "account"),
        used,
        float(account.concurrency_limit),
        "environments",
        "GetAccountSettings, ClaimedAccountConcurrency",
        trend,
        age,
        note,
    )
    yield _row(
        ("reserved by functions", "", "account"),
        float(reserved),
        float(account.concurrency_limit),
        "environments",
        "GetAccountSettings",
        None,
        age,
        f"{account.unreserved} left for unreserved functions",
    )
    yield _row(
        ("code storage", "L-2ACBD22F", "account"),
        float(account.code_size_bytes),
        float(account.code_size_limit_bytes),
        "bytes",
        "GetAccountSettings",
        None,
        age,
        f"{account.function_count} functions",
    )


def _claimed(
    world: World, key: Key, now: float, settings: Settings
) -> tuple[float | None, float | None, str]:
    over = window(now, 5, settings.metrics)
    for metric in ("ClaimedAccountConcurrency", "ConcurrentExecutions"):
        series = world.metric(key, metric, "Maximum")
        values = series.window(over.start, over.end)
        if values:
            points = [
                (float(t), v) for t, v in zip(series.times, series.values, strict=True) if t >= over.start
            ]
            note = "" if metric.startswith("Claimed") else "executing only: what is claimed is not published"
            return values[-1], slope_per_min(tuple(points)), note
    return None, None, ""


def _reserved(world: World, scope: Scope, now: float, settings: Settings) -> Iterator[QuotaRow]:
    over = window(now, 5, settings.metrics)
    for key, reserved in world.reserved.items():
        if key.scope != scope or not reserved or key not in world.functions:
            continue
        used = world.metric(key, "ConcurrentExecutions", "Maximum").max(over.start, over.end)
        if used is None or used < reserved * NEAR_RESERVED:
            continue
        yield _row(
            (f"reserved of {key.id}", "", "function"),
            used,
            float(reserved),
            "environments",
            "GetFunctionConcurrency, ConcurrentExecutions",
            None,
            max(0.0, now - world.metrics_at.get(key, now)),
            "",
        )


def _row(
    names: tuple[str, str, str],
    used: float,
    limit: float,
    unit: str,
    source: str,
    trend: float | None,
    age: float,
    note: str,
) -> QuotaRow:
    headroom = limit - used
    eta = headroom / trend * 60 if trend and trend > 0.05 and headroom > 0 else None
    name, code, scope = names
    return QuotaRow(name, code, scope, used, limit, unit, source, headroom, trend, eta, age, note)
