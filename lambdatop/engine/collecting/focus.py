"""Keep what people look at and which functions are hot: the part of a View that is not the World."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from msgspec.structs import replace

from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import EventSink, View
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.sources import LOOKED_UP
from lambdatop.domain.state.events import Event, PollsPlanned
from lambdatop.domain.state.world import World
from lambdatop.engine.collecting.live_policy import LivePolicy
from lambdatop.engine.collecting.publisher import Publisher

FULL_S = 300.0
"""A full read that could not be completed for so long, s, is cancelled."""


READ_AGAIN_S = 60.0
"""How long after the last look the callers of a function are looked for again when it is opened, s."""


class Attention:
    """Whose logs are shown and how, whose rows are shown, and whether a full read was asked for."""

    def __init__(self, clock: Clock, publisher: Publisher, *, live_in_incidents: bool) -> None:
        self._clock, self._publisher = clock, publisher
        self._watched: frozenset[Key] = frozenset()
        self._live = LivePolicy(live_in_incidents)
        self._visible: frozenset[Key] = frozenset()
        self._full_until = 0.0
        self._looked_at = 0.0

    def watch(self, keys: frozenset[Key], live: bool | None) -> bool:
        """Set the logs that are shown, and whether live (None: where an incident is open).

        Return whether that is new.
        """
        news = (keys, live) != (self._watched, self._live.asked)
        self._watched, self._live.asked = keys, live
        return news

    def to_look_up(self) -> tuple[str, ...]:
        """Return the sources to be asked at once for the functions that are watched now.

        None before the first answer, which is on its way, and for a while after each look.
        """
        told = self._publisher.world.callers_at
        newest = max((*told.values(), self._looked_at), default=0.0)
        now = self._clock.now()
        if not self._watched or not told or now - newest < READ_AGAIN_S:
            return ()
        self._looked_at = now
        return LOOKED_UP

    def set_visible(self, rows: frozenset[Key], *, full: bool) -> bool:
        """Set the rows that are shown; `full`: everything once.

        Return whether there is something to ask at once.
        """
        news = full or not rows <= self._visible
        self._visible = rows
        if full:
            self._full_until = self._clock.now() + FULL_S
        return news

    def noting(self, post: EventSink) -> EventSink:
        """Return a sink like `post` that ends a full read with the round that completed it."""

        def noted(events: Sequence[Event]) -> None:
            if any(isinstance(e, PollsPlanned) and e.full for e in events):
                self._full_until = 0.0
            post(events)

        return noted

    def view(self) -> View:
        """Return what a source may read now."""
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
    """Return the World with logs reduced to their positions, so that a long round holds no old lines."""
    logs = {key: replace(tail, lines=(), burst=()) for key, tail in world.logs.items()}
    return replace(world, logs=MappingProxyType(logs))
