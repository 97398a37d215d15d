"""Show the command palette: the table of keys, found by words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from lambdatop.tui.host import host_of
from lambdatop.tui.hotkeys import Hotkey
from lambdatop.tui.logview.tail import LogTail
from lambdatop.tui.panes.registry import ALL_HOTKEYS

SKIP = ("moving", "dialog", "insights")


class HotkeyCommands(Provider):
    """Every key that means something on the screen below."""

    def _commands(self) -> Iterator[tuple[Hotkey, Callable[[], Awaitable[None]]]]:
        app = host_of(self.screen)
        for hotkey in ALL_HOTKEYS:
            if hotkey.scope == "log" and not isinstance(app.screen.focused, LogTail):
                continue
            if hotkey.scope not in SKIP and hotkey.id not in ("palette", "quit_now"):
                yield hotkey, partial(app.run_hotkey, hotkey)

    async def discover(self) -> Hits:
        """Yield all of them."""
        for hotkey, run in self._commands():
            yield DiscoveryHit(f"{hotkey.help}  ({hotkey.shown})", run)

    async def search(self, query: str) -> Hits:
        """Yield those that match.

        Texts come from our own table, so they hold no markup.
        """
        matcher = self.matcher(query)
        for hotkey, run in self._commands():
            text = f"{hotkey.help}  ({hotkey.shown})"
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, matcher.highlight(text), run)
