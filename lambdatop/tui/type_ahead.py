"""Keys typed right behind a filter, which a slow line delivers in one piece: `/orders`, Enter, T.

A key that is handed on to the filter line is acted upon in that widget's own time. What follows its Enter
must neither land in the line nor act on rows that are not filtered yet: it is held back until they are.
"""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.screen import Screen
from textual.widgets import Input

LONGEST_S = 1.0
"""Whatever happens to the line: no key is held back for longer."""


class TypeAhead(App[None]):
    """Mixed into the console: holds input back between the Enter of a filter and the filtered rows.

    So it does while a screen is put together: keys act on parts of it, and none of them is there yet.
    """

    _held: list[events.Event] | None = None

    def held_back(self, event: events.Event) -> bool:
        """Keep an event for later while a filter closes; begin to when this one is its Enter."""
        if not isinstance(event, events.InputEvent | events.Paste) or event.is_forwarded:
            return False
        if self._held is not None:
            self._held.append(event)
            return True
        opening = self._opening()
        if opening is not None:
            self._held = [event]
            self._wait_for(opening)
            return True
        line = self.focused
        if isinstance(event, events.Key) and event.key == "enter" and _is_filter(line):
            self._held = []
            self.set_timer(LONGEST_S, self.go_on)
        return False

    async def go_on(self) -> None:
        """The rows are filtered and have the focus: act on what was held back, in its order."""
        while self._held:
            opening = self._opening()
            if opening is not None:
                self._wait_for(opening)
                return
            await self.act_on(self._held.pop(0))
        self._held = None

    def _opening(self) -> Screen[object] | None:
        """The screen on top, while it is put together."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        return screen if screen is not None and not screen.is_mounted else None

    def _wait_for(self, screen: Screen[object]) -> None:
        """Go on as the first thing that the screen does, or later on, should it be closed before."""
        screen.call_later(self.go_on)
        self.set_timer(LONGEST_S, self.go_on)

    async def act_on(self, event: events.Event) -> None:
        """What the app does with an event."""
        await super().on_event(event)


def _is_filter(line: object) -> bool:
    return isinstance(line, Input) and line.has_class("filter")
