"""Collect cyclic garbage when nobody types: with 100,000 log lines held, keys would wait 0.3 s for it.

It cannot wait for quiet for ever: each picture, each screen that is closed and each round that fails leaves
cycles behind, 10 MB a minute where somebody is busy in an incident. So there are three looks. A glance sees
what was made since the last glance: it comes as soon as that is enough for some milliseconds, and finds most.
A short look sees what was made since the last look, and sets aside what of it is still in use; it takes some
milliseconds however much is held, and is taken between two keys. A long one sees everything and waits for
quiet.
"""

from __future__ import annotations

import gc
from time import monotonic

from textual import events
from textual.app import App

from lambdatop.tui._textual import keep_strips_out_of_circles

GLANCE_S = 0.05
MANY = 6_000
"""Objects since the last glance, after which it is time for one: some 5 ms. A log that pours in makes them in
a tenth of a second."""
ANSWER_S = 0.02
"""So long after a key nobody looks at all: it is being answered."""
EVERY_S, OFTEN_S = 15.0, 2.0
SHORT_S = 0.008
"""A short look that took longer than this, because a log pours in, is taken more often: it then sees less."""
PAUSE_S = 0.3
"""Between two keys, this much later than the last one, nobody sees a short look."""
QUIET_S = 120.0
SHARE = 1_000.0
"""A long look is not taken before a thousand times its length has passed: a tenth of a percent of the CPU."""
LATEST_S = 1_800.0
"""After so long a pause between two keys must do for a long look, too."""


class Tidying(App[None]):
    """Mixed into the console, where nobody else looks (see `cli/commands/console.py`)."""

    _typed_at = 0.0
    _whole_at = 0.0
    _took_s = 0.0
    _pause_s = EVERY_S

    def begin_tidying(self) -> None:
        """Begin to wait for quiet moments."""
        keep_strips_out_of_circles()
        self._typed_at = self._whole_at = monotonic()
        self.set_timer(EVERY_S, self._tidy_soon)
        self.set_interval(GLANCE_S, self._glance)

    def _tidy_soon(self) -> None:
        """Collect now, or in the first pause between two keys."""
        self.set_timer(self._pause_s if self.tidy() else PAUSE_S, self._tidy_soon)

    def _glance(self) -> None:
        """Collect where there is enough, and no key is being answered."""
        if gc.get_count()[0] >= MANY and monotonic() - self._typed_at >= ANSWER_S:
            gc.collect(0)

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody uses the console."""
        if isinstance(event, events.InputEvent):
            self._typed_at = monotonic()
        await super().on_event(event)

    def tidy(self) -> bool:
        """Collect garbage unless somebody would notice; return whether it was done."""
        now = monotonic()
        still_s, since = now - self._typed_at, now - self._whole_at
        if still_s < PAUSE_S:
            return False
        if since >= LATEST_S or (still_s >= QUIET_S and since >= max(QUIET_S, SHARE * self._took_s)):
            gc.unfreeze()  # what was set aside may be in use no more
            gc.collect()
            self._whole_at = monotonic()
            self._took_s = self._whole_at - now
        else:
            gc.collect()
            took_s = max(1e-4, monotonic() - now)
            self._pause_s = min(EVERY_S, max(OFTEN_S, self._pause_s * SHORT_S / took_s))
        gc.freeze()
        return True
