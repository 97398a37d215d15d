"""Looking for cyclic garbage between keys: with 100,000 log lines held, keys wait 0.3 s for a look at all.

It cannot wait for quiet: each picture, each screen that is closed and each round that fails leaves cycles
behind, 10 MB a minute where somebody is busy in an incident. So there are two looks. A short one sees what
was made since the last look, and sets aside what of it is still in use: it comes as soon as that is enough
for some milliseconds, so that a key hardly notices. A long one sees everything and waits for a pause.
"""

from __future__ import annotations

import gc
from time import monotonic

from textual import events
from textual.app import App

from lambdatop.tui._private import keep_strips_out_of_circles

TICK_S, LOOK_S = 0.05, 15.0
MANY = 6_000
"""Objects since the last look, after which it is time for one: some 5 ms. A log that pours in makes them in a
tenth of a second, a calm account in more than LOOK_S."""
ANSWER_S = 0.02
"""So long after a key nobody looks: it is being answered."""
QUIET_S, LONG_S = 1.0, 120.0
SHARE = 1_000.0
"""A long look, in a pause of QUIET_S, is not taken before LONG_S and a thousand times its length have passed:
a tenth of a percent of the CPU, and of the keys. What was in use at a short look, and is not any more, waits
for it."""
LATEST_S, PAUSE_S = 1_800.0, 0.3
"""After so long a pause between two keys must do for a long look, too."""


class Tidying(App[None]):
    """Mixed into the console, where nobody else looks (see `cli/console.py`)."""

    _typed_at = 0.0
    _whole_at = 0.0
    _took_s = 0.0
    _looked_at = 0.0

    def begin_tidying(self) -> None:
        """Begin to wait for quiet moments."""
        keep_strips_out_of_circles()
        self._typed_at = self._whole_at = self._looked_at = monotonic()
        self.set_interval(TICK_S, self._tidy_when_due)

    def _tidy_when_due(self) -> None:
        """Where there is enough to look at, and no key is being answered."""
        if gc.get_count()[0] >= MANY or monotonic() - self._looked_at >= LOOK_S:
            self.tidy()

    async def on_event(self, event: events.Event) -> None:
        """Somebody is there."""
        if isinstance(event, events.InputEvent):
            self._typed_at = monotonic()
        await super().on_event(event)

    def tidy(self) -> bool:
        """Look for cycles, unless somebody would notice; whether it was done."""
        now = monotonic()
        still_s, since = now - self._typed_at, now - self._whole_at
        if still_s < ANSWER_S:
            return False
        latest = since >= LATEST_S and still_s >= PAUSE_S
        if latest or (still_s >= QUIET_S and since >= max(LONG_S, SHARE * self._took_s)):
            gc.unfreeze()  # what was set aside may be in use no more
            gc.collect()
            self._whole_at = monotonic()
            self._took_s = self._whole_at - now
        else:
            gc.collect()
        gc.freeze()
        self._looked_at = monotonic()
        return True
