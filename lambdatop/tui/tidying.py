"""Looking for cyclic garbage when nobody types: with 100,000 log lines held, keys wait 0.3 s for it.

It cannot wait for quiet for ever: each screen that is closed and each round that fails leaves cycles behind,
10 MB a minute where somebody is busy in an incident.
"""

from __future__ import annotations

import gc
from time import monotonic

from textual import events
from textual.app import App

LOOK_S = 60.0
PAUSE_S = 0.3
"""Between two keys, this much later than the last one, nobody sees a short look."""
SHORT_S = 0.05
QUIET_S = 120.0
SHARE = 1_000.0
"""A long look is not taken before a thousand times its length has passed: a tenth of a percent of the CPU."""
LATEST_S = 1_800.0
"""After so long a pause between two keys must do for a long look, too."""


class Tidying(App[None]):
    """Mixed into the console, whose young objects alone are looked at otherwise (see `cli/console.py`)."""

    _typed_at = 0.0
    _tidied_at = 0.0
    _took_s = 0.0

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
        """Look for cycles, unless somebody would notice; whether it was done.

        A look that was short the last time is taken in every pause between two keys, a long one when nobody
        has typed for two minutes.
        """
        now = monotonic()
        since = now - self._tidied_at
        short = self._took_s <= SHORT_S
        quiet_s = PAUSE_S if short or since >= LATEST_S else QUIET_S
        if now - self._typed_at < quiet_s or (not short and since < SHARE * self._took_s):
            return False
        gc.collect()
        self._tidied_at = monotonic()
        self._took_s = self._tidied_at - now
        return True
