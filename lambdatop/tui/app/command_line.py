"""Run `:` as a command line: `:login`, Enter executes it, however fast it is typed.

The palette takes keys once its line has the focus, and acts on Enter by what it has found so far. What is
typed before that is held back, and a word that is a command's name needs no search.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.command import CommandList, CommandPalette
from textual.css.query import NoMatches
from textual.widgets import Input
from textual.worker import Worker

from lambdatop.tui.app.type_ahead import DROPPED, LONGEST_S, TypeAhead
from lambdatop.tui.closing import ClosesOnce
from lambdatop.tui.hotkeys import BY_ID, Hotkey, in_scope
from lambdatop.tui.panes.registry import PANE_HOTKEYS
from lambdatop.tui.widgets.options import ClicksOnOptions, move_page

CHECK_S = 0.01
"""How often, s, it is checked whether the palette's line has the focus."""

COMMANDS: dict[str, Hotkey] = {
    **{h.id: h for h in PANE_HOTKEYS},
    **{h.id: h for h in in_scope("everywhere") if h.id not in ("palette", "quit_now")},
    "q": BY_ID["quit"],
}
"""What may be typed in full: the names of panes, and of what can be done everywhere."""

OPENERS = BY_ID["palette"].keys.split(",")


class Commands(CommandList, ClicksOnOptions):
    """What the palette has found."""


class Palette(ClosesOnce[None], CommandPalette):
    """Textual's palette, which does nothing once it is closed, and pages before its list is laid out."""

    BINDINGS = [  # noqa: RUF012 (Textual declares it so)
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Yield Textual's widgets, with a list that may be clicked at any time."""
        for widget in super().compose():
            yield Commands() if isinstance(widget, CommandList) else widget

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close it and end its search."""
        self.workers.cancel_node(self)
        return super().dismiss(result)

    def run_worker(self, work: Any, *args: Any, **options: Any) -> Worker[Any]:
        """Start a search; where its list is taken down meanwhile it ends without ending the console."""
        return super().run_worker(partial(_search, work), *args, **options)

    def action_page(self, direction: int) -> None:
        """Move a page down or up."""
        move_page(self.query_one(CommandList), direction)

    def on_click(self, event: events.Click) -> None:
        """Close on a click outside."""
        event.prevent_default()  # it would look up the place on a screen that may have shrunk since
        if event.widget is self:
            self.dismiss()


async def _search(work: Callable[[], Awaitable[None]]) -> None:
    with suppress(NoMatches):
        await work()


class CommandLine(TypeAhead):
    """Mixed into the console."""

    _early: tuple[events.Event, ...] = ()
    _checks = 0

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not isinstance(self.screen, CommandPalette):
            # Without Textual's id: the one before may not be gone yet, and two of one id end the console.
            self.push_screen(Palette())

    def held_back(self, event: events.Event) -> bool:
        """Keep a key for later while the palette opens; Enter waits for the keys before it."""
        if self._held is not None:  # everything behind what is held back waits for that
            return super().held_back(event)
        return self._for_palette(event) or super().held_back(event)

    def claimed(self, event: events.Event) -> bool:
        """Return whether an event that was held back opens the palette, or is typed into it."""
        return self._opens(event) or self._for_palette(event)

    def _opens(self, event: events.Event) -> bool:
        """Open the palette here and now: the focused widget would do it later, after what follows."""
        if not isinstance(event, events.Key) or event.is_forwarded or not self.screen_stack:
            return False
        if self.screen.is_modal or isinstance(self.focused, Input) or event.key not in OPENERS:
            return False
        self.action_command_palette()
        return True

    def _for_palette(self, event: events.Event) -> bool:
        if not isinstance(event, events.InputEvent | events.Paste) or event.is_forwarded:
            return False
        if not self.screen_stack or not isinstance(self.screen, CommandPalette):
            return False
        line = self.focused
        if self._early or not isinstance(line, Input):
            if not self._early:
                self._checks = 0
                self.set_timer(CHECK_S, self._deliver)
            self._early = (*self._early, event)
            return True
        if isinstance(event, events.Key) and event.key == "enter":
            # In the line's own queue, behind the keys that it has not acted upon yet.
            line.call_later(self._entered, line, event, self.wait_behind(line))
            return True
        return False

    async def _deliver(self) -> None:
        """Act on what was held back, in its order, once the palette's line has the focus or is gone."""
        if not self.screen_stack:  # the console has been quit meanwhile
            return
        if isinstance(self.screen, CommandPalette) and self.screen.is_mounted and self.focused is None:
            # It has lost the focus: whoever leaves the terminal takes it away, and some tell of no return.
            self.screen.set_focus(self.screen.query_one(Input))
        opening = isinstance(self.screen, CommandPalette) and not isinstance(self.focused, Input)
        self._checks += 1
        if opening and self._checks * CHECK_S < LONGEST_S:
            self.set_timer(CHECK_S, self._deliver)
            return
        early, self._early = self._early, ()
        if opening:
            self.notify(DROPPED, severity="warning", markup=False)
            return
        for event in early:
            if not self.held_back(event):
                await self.act_on(event)

    async def _entered(self, line: Input, event: events.Key, turn: int) -> None:
        if not self.screen_stack:
            return
        hotkey = COMMANDS.get(line.value.strip().lower().removeprefix(":"))
        if hotkey is None or not isinstance(self.screen, CommandPalette):
            await self.act_on(event)
            self.call_later(self._pass, turn, line)
        else:
            self.screen.dismiss()
            turn = self.wait_behind(self)  # no longer behind the line, which is gone
            self.call_later(self.run_hotkey, hotkey)
            self.call_later(self._pass, turn, self)

    async def run_hotkey(self, hotkey: Hotkey) -> None:
        """Do what an entry of the table does."""
        raise NotImplementedError
