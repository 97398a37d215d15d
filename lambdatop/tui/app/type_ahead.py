"""Hold back keys typed around a filter, which a slow line delivers at once: `2`, `/orders`, Enter, T.

A key that is handed on to a widget is acted upon in that widget's own time. A key that opens a line waits
for the keys before it: they may choose the pane whose line it is. What follows the Enter of a filter must
neither land in the line nor act on rows that are not filtered yet: it is held back until they are.
"""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from lambdatop.tui.hotkeys import BY_ID

OPENERS = {key for id_ in ("filter", "search", "palette") for key in BY_ID[id_].keys.split(",")}
"""Keys that open a line, into which the keys behind them are typed."""
CHECK_S = 0.1
"""How often, s, it is checked whether what keys are held back for is still coming."""
LONGEST_S = 10.0
"""Keys held back for longer are dropped: acted upon so late, they would surprise."""
DROPPED = f"The console was busy for {LONGEST_S:.0f} s; keys typed meanwhile were dropped."


class TypeAhead(App[None]):
    """Mixed into the console: holds input back between the Enter of a filter and the filtered rows.

    So it does while a screen is put together: keys act on parts of it, and none of them is there yet.
    """

    _held: list[events.Event] | None = None
    _line: Input | None = None
    """The filter line that was given its Enter."""
    _passing: DOMNode | None = None
    """Where it is waited for the keys before the first one held back."""
    _next: events.Event | None = None
    """A key that opens a line, and before which all others have been acted upon."""
    _held_for_s = 0.0
    _turn = 0
    """Which wait is on: what an earlier one still announces counts no more."""
    _checking: Timer | None = None
    _acting = False

    def held_back(self, event: events.Event) -> bool:
        """Keep an event for later while others must be acted upon first; begin to around a line."""
        if not isinstance(event, events.InputEvent | events.Paste) or event.is_forwarded:
            return False
        if self._held is not None:
            self._held.append(event)
            return True
        if self._must_wait(event):
            self._hold(event)
            return True
        if self._acts_late(event):
            self._hold()
        return False

    def claimed(self, event: events.Event) -> bool:
        """Return whether another receiver than the app has taken an event that was held back."""
        return False

    def _must_wait(self, event: events.Event) -> bool:
        """Return whether a screen must be put together, or keys acted upon, before an event.

        `_come` is called then.
        """
        opening = self.opening()
        if opening is not None:
            opening.call_later(self._come, self._begin_wait())
            return True
        if event is self._next or not isinstance(event, events.Key) or event.key not in OPENERS:
            return False
        if not self.screen_stack or isinstance(self.focused, Input):
            return False
        self._next = event
        self._pass(self._begin_wait(), self.focused or self.screen)
        return True

    def _acts_late(self, event: events.Event) -> bool:
        """Return whether a line acts on an event later than on what is typed into it.

        `_come` or `go_on` comes behind it. Keys that are no characters (Enter, Escape, Backspace) are looked
        up once they are back at the app.
        """
        line = self.focused if self.screen_stack else None
        if not isinstance(event, events.Key) or event.is_printable or not isinstance(line, Input):
            return False
        if event.key == "enter" and line.has_class("filter"):
            self._line = line
        else:
            self._passing = line
            self.call_later(self._pass, self._begin_wait(), line)
        return True

    def _begin_wait(self) -> int:
        self._turn += 1
        return self._turn

    def _pass(self, turn: int, node: DOMNode | None) -> None:
        """Continue once a node, and each one around it, has acted on the keys that it was given so far."""
        if turn != self._turn:
            return
        self._passing = node
        if node is None or node is self:
            self.call_later(self.call_later, self._come, turn)  # behind the focus that a key has asked for
        else:
            node.call_later(self._pass, turn, node.parent)

    async def _come(self, turn: int) -> None:
        """Continue where the wait that this was announced for is still the one that is on."""
        if turn == self._turn:
            await self.continue_now()

    def wait_behind(self, node: DOMNode) -> int:
        """Hold back what follows, until `_pass` is called with the number of this wait, which is returned."""
        self._passing = node
        if self._held is None:
            self._hold()
        return self._begin_wait()

    def _hold(self, *those: events.Event) -> None:
        self._held = [*those]
        self._held_for_s = 0.0
        if self._checking is None:
            self._checking = self.set_interval(CHECK_S, self._check_held)

    async def _check_held(self) -> None:
        """Continue where nothing follows any more.

        The line has lost the focus, the screen was closed before.
        """
        self._held_for_s += CHECK_S
        passing = self._passing is not None and self._passing.is_attached
        waits = passing or self.opening() is not None
        if not waits and (self._line is None or self.focused is not self._line):
            await self.continue_now()
        elif self._held_for_s > LONGEST_S:
            if self._held:
                self.notify(DROPPED, severity="warning", markup=False)
            self._release()

    async def go_on(self) -> None:
        """Act on what was held back behind a filter that is closed, unless it waits for something else."""
        if self._passing is None:
            await self.continue_now()

    async def continue_now(self) -> None:
        """Act on what was held back, in its order: what was waited for has come."""
        self._begin_wait()
        self._line = self._passing = None
        if self._acting:
            return
        self._acting = True
        try:
            while self._held:
                if self._must_wait(self._held[0]):
                    return
                event = self._held.pop(0)
                if not self.claimed(event):
                    self._acts_late(event)
                    await self.act_on(event)
                if self._line is not None or self._passing is not None:
                    self._held_for_s = 0.0
                    return
        finally:
            self._acting = False
        self._release()

    def _release(self) -> None:
        self._held = self._line = self._passing = self._next = None
        if self._checking is not None:
            self._checking.stop()
            self._checking = None

    def opening(self) -> Screen[object] | None:
        """Return the screen on top, while it is put together."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        return screen if screen is not None and not screen.is_mounted else None

    async def act_on(self, event: events.Event) -> None:
        """Do what the app does with an event."""
        await super().on_event(event)
