"""Hold series while a round runs: those of the World, with this round's answers over them.

The engine folds every answer into the World, once. A round brings tens of thousands of series, of which the
plan reads some hundred before it ends: only those are put together here, when they are asked for.
"""

from __future__ import annotations

from lambdatop.domain.facts.series import Series, SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.state.events import ActivityObserved, Event, MetricPoints, MetricsObserved
from lambdatop.domain.state.fold_metrics import replaced
from lambdatop.domain.state.world import World


class Answers:
    """Series and activity as `fold` would leave them; made for one round."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._new: dict[SeriesKey, list[tuple[MetricsObserved, MetricPoints]]] = {}
        self._made: dict[SeriesKey, tuple[int, Series]] = {}
        self._active = {scope: known.functions for scope, known in world.activity.items()}

    def take(self, event: Event) -> None:
        """Take an event of this round; ignore events that the plan does not need."""
        if isinstance(event, MetricsObserved):
            for points in event.data:
                self._new.setdefault(points.series, []).append((event, points))
        elif isinstance(event, ActivityObserved):
            self._active[event.scope] = frozenset(event.functions)

    def metric(self, key: Key, name: str, stat: str = "Sum") -> Series:
        """Return one series, empty when nothing is known."""
        which = SeriesKey(key, name, stat)
        answers = self._new.get(which, ())
        count, series = self._made.get(which, (0, None))
        if series is None or count != len(answers):
            series = self._world.metric(key, name, stat)
            for event, points in answers:
                series = replaced(series, event, points)
            if answers:
                self._made[which] = len(answers), series
        return series

    def answered(self, series: SeriesKey) -> bool:
        """Return whether a series was ever answered, with points or without."""
        return series in self._new or self._world.asked_at(series) is not None

    def active(self, scope: Scope) -> frozenset[Key] | None:
        """Return the functions that ran lately, None before the first answer."""
        return self._active.get(scope)
