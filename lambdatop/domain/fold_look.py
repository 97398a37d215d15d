"""The part of `fold` that is about metrics: their points, who ran lately, and the plan of looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from lambdatop.domain import events as ev
from lambdatop.domain.events import MetricPoints
from lambdatop.domain.scope import Key
from lambdatop.domain.series import EMPTY, NOTHING_TOLD, Told
from lambdatop.domain.world import Activity, World

KEPT_S = 3 * 3600.0
"""How much of a series a partial answer leaves: it may be shorter than what detail has brought."""


def _metrics(world: World, event: ev.MetricsObserved) -> World:
    oldest = event.end - KEPT_S if event.partial else event.start
    answered: dict[Key, list[MetricPoints]] = {}
    for told in event.data:
        answered.setdefault(told.series.key, []).append(told)
    fresh = {
        key: _told(world.series.get(key, NOTHING_TOLD), event, oldest, points)
        for key, points in answered.items()
    }
    at = dict(world.metrics_at)
    if not event.partial:
        at |= {key: max(event.at, at.get(key, 0.0)) for key in answered}
    return replace(
        world,
        series=MappingProxyType({**world.series, **fresh}),
        metrics_at=MappingProxyType(at),
    )


def _told(known: Told, event: ev.MetricsObserved, oldest: float, points: Iterable[MetricPoints]) -> Told:
    """What is known of one thing after an answer.

    Not every answer holds every series, so which one is older is told for each of them.
    """
    series, at = dict(known.series), dict(known.at)
    for told in points:
        stat = (told.series.metric, told.series.stat)
        if event.at >= at.get(stat, 0.0):
            series[stat] = series.get(stat, EMPTY).replace(event.start, event.end, told.points).since(oldest)
            at[stat] = event.at
    return Told(MappingProxyType(series), MappingProxyType(at))


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
