"""Looking for cyclic garbage when nobody types: with 100,000 log lines held, keys wait 0.3 s for it."""

from __future__ import annotations

import gc
from time import monotonic

from textual import events
from textual.app import App

LOOK_S = 60.0
QUIET_S = 120.0
AGAIN_S = 1_800.0


class Tidying(App[None]):
    """Mixed into the console, whose young objects alone are looked at otherwise (see `cli/console.py`)."""

    _typed_at = 0.0
    _tidied_at = 0.0

    def begin_tidying(self) -> None:
        """Begin to wait for quiet moments."""
        self._typed_at = self._tidied_at = monotonic()
        self.set_interval(LOOK_S, self.tidy)

    async def on_event(self, event: events.Event) -> None:
        """Somebody is there."""
        if isinstance(event, events.InputEvent):
            self._typed_at = monotonic()
        await super().on_event(event)

    def tidy(self) -> bool:
        """Look for cycles, unless somebody has typed a moment ago or it was done lately; whether it was."""
        now = monotonic()
        if now - self._typed_at < QUIET_S or now - self._tidied_at < AGAIN_S:
            return False
        self._tidied_at = now
        gc.collect()
        return True
