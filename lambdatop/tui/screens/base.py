"""Hold what every full screen has: header, banner, hints, and the newest frame for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual import events
from textual.app import ComposeResult
from textual.geometry import Size
from textual.reactive import reactive
from textual.screen import Screen

from lambdatop.domain.keys import Key
from lambdatop.domain.sections import section
from lambdatop.tui.closing import ClosesOnce
from lambdatop.tui.frame import EMPTY_FRAME, Frame
from lambdatop.tui.host import Host, host_of
from lambdatop.tui.hotkeys import Hotkey, in_scope
from lambdatop.tui.panes.logs import LogsPane
from lambdatop.tui.selection import NOTHING, Selection
from lambdatop.tui.style.spans import Spans, fit
from lambdatop.tui.widgets.header import Lines, banners, first_line, hints_line, second_line

COMPACT_BELOW = (100, 30)
WIDE_FROM = 150
ELSEWHERE = ("next_pane", "previous_pane", "zoom", "filter", "sort", "reverse", "open", "expand")
"""Actions of the dashboard that mean nothing on screens that only share its Esc."""


def layout_for(width: int, height: int) -> str:
    """Return `compact` (one pane at a time), `medium` (stacked) or `wide` (side by side)."""
    if width < COMPACT_BELOW[0] or height < COMPACT_BELOW[1]:
        return "compact"
    return "wide" if width >= WIDE_FROM else "medium"


class FrameScreen(ClosesOnce[None], Screen[None]):
    """Base of dashboard, function, journal and help."""

    frame: reactive[Frame] = reactive(EMPTY_FRAME, repaint=False)
    _failure = ""
    _laid_out: tuple[str, Size] | None = None

    def compose(self) -> ComposeResult:
        """Yield header, banner, body, hints."""
        yield Lines(self._header, id="header").data_bind(FrameScreen.frame)
        yield Lines(self._banner, id="banner").data_bind(FrameScreen.frame)
        yield from self.body()
        yield Lines(self._hints, id="hints").data_bind(FrameScreen.frame)

    def body(self) -> ComposeResult:
        """Yield the widgets between banner and hints."""
        yield from ()

    @property
    def console_app(self) -> Host:
        """The app, by what its parts use of it."""
        return host_of(self)

    def selection(self) -> Selection:
        """Return what mutation keys act on."""
        return NOTHING

    @property
    def watched(self) -> tuple[Key, ...]:
        """The functions whose logs are shown, () on a screen without a log."""
        logs = self.query(LogsPane) if self.is_mounted else ()
        return next((pane.functions for pane in logs), ())

    def action_mitigate(self, name: str) -> None:
        """Start a mitigation of what is selected; nothing is sent before the dialog says so."""
        self.console_app.mitigation_flow.mitigate(name, self.selection())

    def action_who(self) -> None:
        """Show who changed what is selected.

        The mapping or queue where the row names one, else the function.
        """
        chosen = self.selection()
        key = chosen.mapping or chosen.queue or chosen.function
        if key is None:
            self.console_app.show_message("Select a function first.", "warning")
        else:
            self.console_app.ask_who(key, chosen.name if key == chosen.function else key.id)

    def action_executions(self) -> None:
        """Show the running durable executions of the selected function; they are asked for then."""
        function = self.selection().function
        rows = (row.facts for row in self.console_app.frame.snapshot.functions if row.key == function)
        facts = next(rows, None)
        if function is None:
            self.console_app.show_message("Select a function first.", "warning")
        elif facts is not None and not facts.durable:
            self.console_app.show_message(f"{function.id} is not a durable function.", "warning")
        else:
            self.console_app.open_executions(function)

    def undo(self) -> None:
        """Undo the newest change of what this screen is about: of all, unless a screen is about one thing."""
        self.console_app.mitigation_flow.undo(None)

    def hotkeys(self) -> Iterator[Hotkey]:
        """Yield the entries whose hints are shown."""
        return in_scope("everywhere")

    @property
    def layout_name(self) -> str:
        """The layout for the present size."""
        return layout_for(self.app.size.width, self.app.size.height)

    def on_mount(self) -> None:
        """Take the newest frame at once."""
        self.lay_out()
        self.frame = self.console_app.frame
        self.show_or_report(self.frame)

    def watch_frame(self, frame: Frame) -> None:
        """Show a new frame (the watcher also runs before there are children)."""
        if self.is_mounted:
            self.show_or_report(frame)

    def show_or_report(self, frame: Frame) -> None:
        """Show a frame; where that fails the screen stays as it was, and a toast says so once."""
        section("this screen", lambda: self.show(frame), self._show_failure)

    def _show_failure(self, sentence: str) -> None:
        if sentence != self._failure:
            self._failure = sentence
            self.console_app.show_message(sentence, "error")

    def show(self, frame: Frame) -> None:
        """Paint what is not bound to the frame by itself."""

    def on_screen_resume(self) -> None:
        """Show the newest frame in the size of now, after coming back."""
        self.lay_out()
        self.frame = self.console_app.frame

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for another size; a start reports the same size three times."""
        if self._laid_out != (self.layout_name, self.app.size):
            self.lay_out()

    def lay_out(self) -> None:
        """Put the layout's class on the screen."""
        name = self.layout_name
        self._laid_out = (name, self.app.size)
        for layout in ("compact", "medium", "wide"):
            self.set_class(layout == name, f"-{layout}")

    def refresh_lines(self) -> None:
        """Make header, banner and hints anew, also when no new frame has come."""
        for lines in self.query(Lines):
            lines.refresh_lines()

    def _header(self, frame: Frame, width: int) -> Sequence[Spans]:
        app = self.console_app
        return first_line(frame, app.mode, app.notice, width), second_line(frame, width)

    def _banner(self, frame: Frame, width: int) -> Sequence[Spans]:
        return [fit(line, width) for line in banners(frame)]

    def _hints(self, frame: Frame, width: int) -> Sequence[Spans]:
        app = self.console_app
        usable = app.mode != "read-only"
        hints = [
            (h.shown.split(" ")[0], h.label, h.footer, usable or not h.is_mutation)
            for h in sorted(self.hotkeys(), key=lambda h: h.footer)
            if h.footer
        ]
        return [hints_line(hints, width)]
