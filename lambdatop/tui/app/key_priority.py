"""Act on a key that has come before painting the next frame.

The app hands a key to the widget with the focus, and what that widget does not take comes back to the app,
from parent to parent: a dozen turns of the loop, in which a picture that new data asks for would be painted
first, without what the key does, and another one after it. So pictures wait for the key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack

from textual import events
from textual.app import App
from textual.widgets import Input

TURNS = 40
"""Turns of the loop that a picture waits at most: a widget that keeps the key for itself does not say so."""


class KeyFirst(App[None]):
    """Mixed into the console."""

    _waiting: ExitStack | None = None
    _acted = False

    answered: Callable[[], object] = staticmethod(lambda: None)
    """Is told when the first picture after a key was handed to the terminal."""

    def post_display_hook(self) -> None:
        """Note that a frame was shown."""
        super().post_display_hook()
        if self._acted:
            self._acted = False
            self.answered()

    async def on_event(self, event: events.Event) -> None:
        """Handle every event."""
        came_back = isinstance(event, events.Key) and event.is_forwarded
        if isinstance(event, events.Key) and not came_back and self._may_come_back():
            self._waiting = ExitStack()
            self._waiting.enter_context(self.batch_update())
            self._wait(TURNS)
        await super().on_event(event)
        if came_back:
            self._go_on()

    def _may_come_back(self) -> bool:
        """Return whether frames may be shown again; what is typed into a line stays there."""
        return self._waiting is None and bool(self.screen_stack) and not isinstance(self.focused, Input)

    def _wait(self, turns: int) -> None:
        if turns == 0:
            self._go_on()
        elif self._waiting is not None:
            asyncio.get_running_loop().call_soon(self._wait, turns - 1)

    def _go_on(self) -> None:
        """Show frames again."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._acted = True
            waiting.close()
            if self.screen_stack:
                self.screen.check_idle()
