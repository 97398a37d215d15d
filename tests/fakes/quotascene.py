"""An account of 1,000 with two functions, for tests of quota rows."""

from __future__ import annotations

from fakes.worlds import (
    NOW,
    PROMPT,
    SCOPE,
    function,
    points,
)

from lambdatop.domain.facts.function import AccountFacts, FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.quotas.rows import quota_rows
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.domain.state.world import EMPTY_WORLD, World


def world(*more: ev.Event, functions: tuple[FunctionFacts, ...] | None = None) -> World:
    """Return an account of 1,000 with 900 unreserved."""
    account = AccountFacts(1000, 900, 300 << 30, 5 << 30, 2)
    listed = (function(), function("thumbnailer")) if functions is None else functions
    return fold_all(
        EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, listed), ev.AccountObserved(SCOPE, NOW, account), *more]
    )


def rows(given: World) -> dict[str, QuotaRow]:
    return {r.name: r for r in quota_rows(given, NOW, PROMPT)}


def level(key: Key, *values: float, metric: str = "ConcurrentExecutions") -> ev.MetricPoints:
    return points(key, metric, list(values), "Maximum")


def reserved(**amounts: int | None) -> ev.ConcurrencyObserved:
    return ev.ConcurrencyObserved(
        SCOPE, NOW, tuple((Key(SCOPE, "function", n.replace("_", "-")), v) for n, v in amounts.items())
    )
