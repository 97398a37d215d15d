"""The part of `fold` that is about metrics: their points, who ran lately, and the plan of looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from lambdatop.domain import events as ev
from lambdatop.domain.series import EMPTY
from lambdatop.domain.world import Activity, World

KEPT_S = 3 * 3600.0
"""How much of a series a partial answer leaves: it may be shorter than what detail has brought."""


def _metrics(world: World, event: ev.MetricsObserved) -> World:
    series, series_at = dict(world.series), dict(world.series_at)
    at = dict(world.metrics_at)
    oldest = event.end - KEPT_S if event.partial else event.start
    for key, points in event.data:
        # Not every answer holds every series, so which one is older is told for each of them.
        if event.at >= series_at.get(key, 0.0):
            series[key] = series.get(key, EMPTY).replace(event.start, event.end, points).since(oldest)
            series_at[key] = event.at
        if not event.partial:
            at[key.key] = max(event.at, at.get(key.key, 0.0))
    return replace(
        world,
        series=MappingProxyType(series),
        series_at=MappingProxyType(series_at),
        metrics_at=MappingProxyType(at),
    )


def _activity(world: World, event: ev.ActivityObserved) -> World:
    known = world.activity.get(event.scope)
    if known is not None and event.at < known.at:
        return world
    found = {**world.activity, event.scope: Activity(event.at, frozenset(event.functions))}
    return replace(world, activity=MappingProxyType(found))


def _planned(world: World, event: ev.LooksPlanned) -> World:
    return replace(world, looking=event.looking)


STEPS: Mapping[type[ev.Event], Callable[[World, Any], World]] = {
    ev.MetricsObserved: _metrics,
    ev.ActivityObserved: _activity,
    ev.LooksPlanned: _planned,
}
