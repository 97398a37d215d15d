"""Tell the engine which rows are on screen, and ask for everything at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdatop.domain.keys import Key
from lambdatop.tui.host import Host
from lambdatop.tui.style import format as fmt

if TYPE_CHECKING:
    from textual.timer import Timer


HURRY_S, HURRY_TIMES = 0.015, 2_000
"""How often (s), and how many times at most, it is checked whether the first functions have come."""
AGAIN_S = 10.0
"""A full read that costs more than the hour's budget needs a second key within so long, s."""


class VisibleRowsFlow:
    """The rows reported last, and a costly full read that waits for its second key."""

    def __init__(self, app: Host) -> None:
        self._app = app
        self._rows: frozenset[Key] = frozenset()
        self._asked_at: float | None = None
        self._hurry: Timer | None = None

    def hurry(self) -> None:
        """Show the first functions as soon as they come, not half a second later."""
        self._hurry = self._app.set_interval(HURRY_S, self._first, repeat=HURRY_TIMES)

    def _first(self) -> None:
        """Show new snapshots at once, until one has functions."""
        app = self._app
        if app.engine.latest() is not app.frame.snapshot:
            app.take_snapshot()
        if self._hurry is not None and app.frame.snapshot.functions:
            self._hurry.stop()

    def rows(self, keys: frozenset[Key]) -> None:
        """Set the functions whose rows are on screen now.

        The engine is notified when they differ from before.
        """
        if keys != self._rows:
            self._rows = keys
            self._app.engine.set_visible(keys)

    def everything(self) -> None:
        """Read all series of all functions once, above the hour's budget at the second key; say the cost."""
        app, polling = self._app, self._app.frame.snapshot.polling
        if polling is None or polling.full_usd is None:
            app.show_message(
                "The cost of full detail is not known yet: no metrics have been read.", "warning"
            )
            return
        usd, budget = polling.full_usd, app.frame.snapshot.spend.budget_usd_per_hour
        words = f"all metrics of all functions once: {polling.full_units:,} series, {fmt.usd(usd)}"
        asked_at, now = self._asked_at, app.now()
        if 0 < budget < usd and not (asked_at is not None and now - asked_at <= AGAIN_S):
            self._asked_at = now
            more = f"more than the budget of an hour ({fmt.usd(budget)})"
            app.show_message(
                f"{words}, {more}. Press d again within {AGAIN_S:.0f} s to ask for it.", "warning"
            )
            return
        self._asked_at = None
        app.engine.set_visible(self._rows, full=True)
        app.show_message(f"Asking for {words}.")
