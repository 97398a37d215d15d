"""Fold events about cost: prices, and past hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.facts.cost_history import BurnHistory
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.world import World


def _prices(world: World, event: ev.PricesObserved) -> World:
    known = world.prices.get(event.scope)
    if known is not None and event.as_of < known[0]:
        return world
    found = {**world.prices, event.scope: (event.as_of, event.figures)}
    return replace(world, prices=MappingProxyType(found))


def _history(world: World, event: ev.BurnHistoryObserved) -> World:
    known = world.burn_history.get(event.scope)
    if known is not None and event.at < known.at:
        return world
    found = {**world.burn_history, event.scope: BurnHistory(event.at, event.hours)}
    return replace(world, burn_history=MappingProxyType(found))


STEPS: Mapping[type[ev.Event], Callable[[World, Any], World]] = {
    ev.PricesObserved: _prices,
    ev.BurnHistoryObserved: _history,
}
