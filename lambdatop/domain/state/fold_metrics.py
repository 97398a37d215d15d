"""Fold events about metrics: points, which functions ran lately, and the polling plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.facts.series import EMPTY, NO_SERIES, KnownSeries, Series, Stat
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.events import MetricPoints
from lambdatop.domain.state.world import Activity, World

KEPT_S = 3 * 3600.0
"""How much of a series a partial answer leaves: it may be shorter than what detail has brought."""


def _metrics(world: World, event: ev.MetricsObserved) -> World:
    answered: dict[Key, list[MetricPoints]] = {}
    for told in event.data:
        answered.setdefault(told.series.key, []).append(told)
    alike = _Alike()
    fresh = {
        key: alike.of(*_updated(world.series.get(key, NO_SERIES), event, points))
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


def replaced(series: Series, event: ev.MetricsObserved, told: MetricPoints) -> Series:
    """Return the series after an answer.

    Its window is replaced, and points older than the history are dropped.
    """
    oldest = event.end - KEPT_S if event.partial else event.start
    found = series.replace(event.start, event.end, told.points).since(oldest)
    return found if found.times else EMPTY


_POINTS = attrgetter("times")


class _Alike:
    """Makes once what many series of an answer share: when they were asked for, and series without points."""

    def __init__(self) -> None:
        self._silent: dict[tuple[tuple[Stat, float], ...], KnownSeries] = {}

    def of(self, series: dict[Stat, Series], at: dict[Stat, float]) -> KnownSeries:
        """Return what is known of one resource."""
        when = tuple(at.items())
        silent = self._silent.get(when)
        if silent is None:
            nothing = MappingProxyType(dict.fromkeys(at, EMPTY))
            silent = self._silent[when] = KnownSeries(nothing, MappingProxyType(at))
        runs = any(map(_POINTS, series.values()))
        return KnownSeries(MappingProxyType(series), silent.at) if runs else silent


def _updated(
    known: KnownSeries, event: ev.MetricsObserved, points: Iterable[MetricPoints]
) -> tuple[dict[Stat, Series], dict[Stat, float]]:
    """Return what is known of one resource after an answer: its series, and when each was asked for.

    Not every answer holds every series, so the age is kept for each of them.
    """
    series, at = dict(known.series), dict(known.at)
    for told in points:
        stat = (told.series.metric, told.series.stat)
        if event.at >= at.get(stat, 0.0):
            series[stat] = replaced(series.get(stat, EMPTY), event, told)
            at[stat] = event.at
    return series, at


def _activity(world: World, event: ev.ActivityObserved) -> World:
    known = world.activity.get(event.scope)
    if known is not None and event.at < known.at:
        return world
    found = {**world.activity, event.scope: Activity(event.at, frozenset(event.functions))}
    return replace(world, activity=MappingProxyType(found))


def _planned(world: World, event: ev.PollsPlanned) -> World:
    return replace(world, polling=event.polling)


STEPS: Mapping[type[ev.Event], Callable[[World, Any], World]] = {
    ev.MetricsObserved: _metrics,
    ev.ActivityObserved: _activity,
    ev.PollsPlanned: _planned,
}
