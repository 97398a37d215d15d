"""Collect cyclic garbage when nobody types: with 100,000 log lines held, keys would wait 0.3 s for it.

It cannot wait for ever until nobody types: each frame, each closed screen and each failed round leaves
cycles behind, 10 MB a minute where somebody works on an incident. So there are three kinds of passes. A young
pass collects what was made since the last one: it runs as soon as that takes some milliseconds, and finds
most. A short pass collects what was made since the last short or full pass, and freezes what is still in use;
it takes some milliseconds however much is held, and runs between two keys. A full pass covers everything and
waits until nobody types.
"""

from __future__ import annotations

import gc
from time import monotonic

from textual import events
from textual.app import App

from lambdatop.tui._textual import keep_strips_out_of_circles

YOUNG_S = 0.05
MANY = 6_000
"""New objects after which a young pass runs: some 5 ms. A fast log makes as many in a tenth of a second."""
ANSWER_S = 0.02
"""No pass runs so long, s, after a key: the key is being handled."""
EVERY_S, OFTEN_S = 15.0, 2.0
SHORT_S = 0.008
"""A short pass that took longer than this, s, because of a fast log, runs more often: it then covers less."""
PAUSE_S = 0.3
"""So long, s, after the last key a short pass disturbs nobody."""
QUIET_S = 120.0
SHARE = 1_000.0
"""A full pass does not run before a thousand times its length has passed: a tenth of a percent of the CPU."""
LATEST_S = 1_800.0
"""After so long, s, a full pass runs in a pause between two keys, too."""


class Tidying(App[None]):
    """Mixed into the console, where Python's own collection is off (see `cli/commands/console.py`)."""

    _typed_at = 0.0
    _whole_at = 0.0
    _took_s = 0.0
    _pause_s = EVERY_S

    def begin_tidying(self) -> None:
        """Begin to wait for quiet moments."""
        keep_strips_out_of_circles()
        self._typed_at = self._whole_at = monotonic()
        self.set_timer(EVERY_S, self._tidy_soon)
        self.set_interval(YOUNG_S, self._young_pass)

    def _tidy_soon(self) -> None:
        """Collect now, or in the first pause between two keys."""
        self.set_timer(self._pause_s if self.tidy() else PAUSE_S, self._tidy_soon)

    def _young_pass(self) -> None:
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
