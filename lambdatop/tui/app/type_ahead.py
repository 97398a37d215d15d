"""Keys typed right behind a filter, which a slow line delivers in one piece: `/orders`, Enter, T.

A key that is handed on to the filter line is acted upon in that widget's own time. What follows its Enter
must neither land in the line nor act on rows that are not filtered yet: it is held back until they are.
"""

from __future__ import annotations

from typing import TypeGuard

from textual import events
from textual.app import App
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

LOOK_S = 0.1
"""How often it is looked whether what keys are held back for is still coming, s."""
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
    _held_for_s = 0.0
    _looking: Timer | None = None
    _acting = False

    def held_back(self, event: events.Event) -> bool:
        """Keep an event for later while a filter closes; begin to when this one is its Enter."""
        if not isinstance(event, events.InputEvent | events.Paste) or event.is_forwarded:
            return False
        if self._held is not None:
            self._held.append(event)
            return True
        opening = self.opening()
        if opening is not None:
            self._hold(event)
            opening.call_later(self.go_on)
            return True
        line = self.focused
        if isinstance(event, events.Key) and event.key == "enter" and _is_filter(line):
            self._hold()
            self._line = line
        return False

    def _hold(self, *those: events.Event) -> None:
        self._held = [*those]
        self._held_for_s = 0.0
        if self._looking is None:
            self._looking = self.set_interval(LOOK_S, self._look)

    async def _look(self) -> None:
        """Go on where nothing comes any more: the line has lost the focus, the screen was closed before."""
        self._held_for_s += LOOK_S
        waits = self.opening() is not None or (self._line is not None and self.focused is self._line)
        if not waits:
            await self.go_on()
        elif self._held_for_s > LONGEST_S:
            if self._held:
                self.notify(DROPPED, severity="warning", markup=False)
            self._release()

    async def go_on(self) -> None:
        """The rows are filtered and have the focus: act on what was held back, in its order."""
        self._line = None
        if self._acting:
            return
        self._acting = True
        try:
            while self._held:
                opening = self.opening()
                if opening is not None:
                    opening.call_later(self.go_on)
                    return
                await self.act_on(self._held.pop(0))
        finally:
            self._acting = False
        self._release()

    def _release(self) -> None:
        self._held = self._line = None
        if self._looking is not None:
            self._looking.stop()
            self._looking = None

    def opening(self) -> Screen[object] | None:
        """The screen on top, while it is put together."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        return screen if screen is not None and not screen.is_mounted else None

    async def act_on(self, event: events.Event) -> None:
        """What the app does with an event."""
        await super().on_event(event)


def _is_filter(line: Widget | None) -> TypeGuard[Input]:
    return isinstance(line, Input) and line.has_class("filter")
