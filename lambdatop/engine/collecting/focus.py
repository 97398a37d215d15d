"""What people look at and what burns: the part of a View that is not the World."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import EventSink, View
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.state.events import Event, LooksPlanned
from lambdatop.domain.state.world import World
from lambdatop.engine.collecting.live_policy import LivePolicy
from lambdatop.engine.collecting.publisher import Publisher

FULL_S = 300.0
"""A full look that could not be completed for so long is not wanted any more."""


class Attention:
    """Whose logs are shown and how, whose rows are shown, and whether somebody wants everything now."""

    def __init__(self, clock: Clock, publisher: Publisher, *, live_in_incidents: bool) -> None:
        self._clock, self._publisher = clock, publisher
        self._watched: frozenset[Key] = frozenset()
        self._live = LivePolicy(live_in_incidents)
        self._visible: frozenset[Key] = frozenset()
        self._full_until = 0.0

    def watch(self, keys: frozenset[Key], live: bool | None) -> bool:
        """Logs that are shown, and whether live (None: where an incident is open); whether that is news."""
        news = (keys, live) != (self._watched, self._live.asked)
        self._watched, self._live.asked = keys, live
        return news

    def look(self, rows: frozenset[Key], *, full: bool) -> bool:
        """Rows that are shown; `full`: everything once. Whether there is something to ask at once."""
        news = full or not rows <= self._visible
        self._visible = rows
        if full:
            self._full_until = self._clock.now() + FULL_S
        return news

    def noting(self, post: EventSink) -> EventSink:
        """`post`, but a full look ends with the round that completed it, before another one begins."""

        def noted(events: Sequence[Event]) -> None:
            if any(isinstance(e, LooksPlanned) and e.full for e in events):
                self._full_until = 0.0
            post(events)

        return noted

    def view(self) -> View:
        """What a source may look at now."""
        now, latest = self._clock.now(), self._publisher.latest
        burning = (f for i in latest.incidents if i.severity != "info" for f in i.functions)
        return View(
            now,
            _without_lines(self._publisher.world),
            self._watched,
            live=self._live.keys(self._watched, latest),
            visible=self._visible,
            hot=frozenset(burning),
            full=now < self._full_until,
        )


def _without_lines(world: World) -> World:
    """The World, but of logs only how far they are: a long round would hold the lines of its beginning."""
    logs = {key: replace(tail, lines=(), burst=()) for key, tail in world.logs.items()}
    return replace(world, logs=MappingProxyType(logs))
