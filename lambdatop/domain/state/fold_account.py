"""Fold events about the account: limits, provisioned concurrency, states, prices, past hours, our calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.cost.burn import BurnHistory
from lambdatop.domain.facts.quota_limits import QuotaLimits
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.world import World

CALLS_KEPT_S = 300.0
CALLS_APART_S = 10.0
"""Our own calls are remembered at moments at least this far apart, s: a rate needs no more."""


def _quotas(world: World, event: ev.QuotasObserved) -> World:
    known = world.quota_limits.get(event.scope)
    if known is not None and event.at < known.at:
        return world
    limits = QuotaLimits(event.at, event.limits, event.gap)
    return replace(world, quota_limits=MappingProxyType({**world.quota_limits, event.scope: limits}))


def _provisioned(world: World, event: ev.ProvisionedObserved) -> World:
    fresh = {
        k: (event.at, found)
        for k, found in event.provisioned
        if event.at >= world.provisioned.get(k, (0.0, ()))[0]
    }
    return replace(world, provisioned=MappingProxyType({**world.provisioned, **fresh}))


def _states(world: World, event: ev.StatesObserved) -> World:
    fresh = {k: (event.at, s) for k, s in event.states if event.at >= world.states.get(k, (0.0, None))[0]}
    return replace(world, states=MappingProxyType({**world.states, **fresh}))


def _providers(world: World, event: ev.CapacityProvidersListed) -> World:
    known = world.capacity_providers
    if any(at > event.at for key, (at, _) in known.items() if key.scope == event.scope):
        return world
    kept = {key: found for key, found in known.items() if key.scope != event.scope}
    fresh = {provider.key: (event.at, provider) for provider in event.providers}
    return replace(world, capacity_providers=MappingProxyType({**kept, **fresh}))


def calls_seen(
    known: tuple[tuple[float, int], ...], event: ev.SpendObserved
) -> tuple[tuple[float, int], ...]:
    """Return moments (s since the epoch) with the calls of Lambda's control plane so far, the newest last.

    Fewer calls than before are another process's: its count begins anew.
    """
    total = sum(count for name, count in event.calls if name.startswith("lambda."))
    kept = tuple(seen for seen in known if event.at - CALLS_KEPT_S <= seen[0] < event.at and seen[1] <= total)
    if len(kept) >= 2 and event.at - kept[-2][0] < CALLS_APART_S:
        kept = kept[:-1]
    return (*kept, (event.at, total))


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
    ev.QuotasObserved: _quotas,
    ev.ProvisionedObserved: _provisioned,
    ev.StatesObserved: _states,
    ev.CapacityProvidersListed: _providers,
    ev.PricesObserved: _prices,
    ev.BurnHistoryObserved: _history,
}
