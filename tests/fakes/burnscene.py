"""Functions that burn: worlds of ten minutes, and what a Snapshot says of them."""

from __future__ import annotations

import pytest
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, metrics, points

from lambdatop.domain.cost.burn import Burn
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.quota_limits import Provisioned
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, FunctionRow, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD, World

GROUP = Key(SCOPE, "log group", "/aws/lambda/orders-worker")
EXACT = pytest.approx


def snap(world: World, settings: Settings = PROMPT) -> Snapshot:
    return build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="t", mode="operator", settings=settings
    )


def row(snapshot: Snapshot, name: str = "orders-worker") -> FunctionRow:
    return next(r for r in snapshot.functions if r.facts.name == name)


def burn(world: World, settings: Settings = PROMPT, name: str = "orders-worker") -> Burn:
    found = row(snap(world, settings), name).burn
    assert found is not None
    return found


def ran(facts: FunctionFacts, *more: ev.MetricPoints, per_min: float = 100, ms: float = 60_000) -> World:
    """Return ten minutes of so many invocations a minute that run `ms` in total."""
    seen = (
        points(facts.key, "Invocations", [per_min] * 10),
        points(facts.key, "Duration", [ms] * 10),
        *more,
    )
    return fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (facts,)), metrics(*seen)])


def provisioned(world: World, *allocated: int) -> World:
    found = tuple(Provisioned(str(i), n, n, n, "READY") for i, n in enumerate(allocated))
    return fold(world, ev.ProvisionedObserved(SCOPE, NOW, ((WORKER, found),)))
