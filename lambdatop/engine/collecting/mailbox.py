"""Pass events from the collectors to the fold loop; they wait for at most one turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lambdatop.domain.ports.aws import EventSink
from lambdatop.domain.state.events import Event


class Feed:
    """A mailbox of events. `post` never blocks; `take` returns everything that has come in.

    `record`, if there is one, sees all events in the order in which they are taken to be folded.
    """

    def __init__(self, record: EventSink | None = None) -> None:
        self._record = record
        self._events: list[Event] = []
        self._filled = asyncio.Event()

    def post(self, events: Sequence[Event]) -> None:
        """Add events in their order (from the engine's loop only)."""
        if events:
            self._events.extend(events)
            self._filled.set()

    async def take(self) -> tuple[Event, ...]:
        """Wait for events and take all of them."""
        await self._filled.wait()
        return self.take_now()

    def take_now(self) -> tuple[Event, ...]:
        """Take what is there, which may be nothing."""
        events, self._events = tuple(self._events), []
        self._filled.clear()
        if self._record is not None and events:
            self._record(events)
        return events
