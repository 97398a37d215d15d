"""Show a page of text beside a log: the base of the screens that show one thing in full."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from lambdatop.domain.keys import Key
from lambdatop.tui.bindings import bindings
from lambdatop.tui.frame import Frame
from lambdatop.tui.hotkeys import Hotkey, in_scope
from lambdatop.tui.panes.base import within_border
from lambdatop.tui.panes.logs import SPEC as LOGS
from lambdatop.tui.panes.logs import LogsPane
from lambdatop.tui.screens.base import FrameScreen
from lambdatop.tui.selection import NOTHING, newest_of
from lambdatop.tui.style.spans import Spans, spans
from lambdatop.tui.style.theme import inks_of
from lambdatop.tui.widgets.navigation import Moving


class Facts(Moving, VerticalScroll, inherit_bindings=False):
    """The page of facts, moved with the same keys as lists."""

    BINDINGS = Moving.BINDINGS
    _title = ""

    def put_title(self, title: str) -> None:
        """Show a title in the border, cut to its width."""
        self._title = title
        self.border_title = inks_of(self.app).content(within_border(self, spans(title)))

    def on_resize(self) -> None:
        """Cut the title for another width."""
        self.put_title(self._title)

    @property
    def page_lines(self) -> int:
        """Lines that fit on the screen."""
        return max(1, self.size.height)

    def step(self, lines: int) -> None:
        """Scroll."""
        self.scroll_to(y=max(0, min(self.max_scroll_y, self.scroll_offset.y + lines)), animate=False)


class SheetScreen(FrameScreen):
    """Page and log. Subclasses replace `page()`, `headline()` and, where it may change, `function`."""

    BINDINGS = bindings("dashboard", "target")
    AUTO_FOCUS = "#facts"
    HINTS: ClassVar[tuple[str, ...]] = ("back", "filter", "next_pane")
    SILENT: ClassVar[tuple[str, ...]] = ("zoom", "sort", "reverse", "open", "expand")
    """Actions of the dashboard that mean nothing here."""

    def __init__(self, function: Key | None) -> None:
        super().__init__()
        self.function = function

    def page(self, frame: Frame, width: int) -> Spans:
        """Return the text for a width in cells."""
        return ()

    def headline(self) -> str:
        """Return the text of the border."""
        return ""

    def body(self) -> ComposeResult:
        """Yield page and log."""
        with Container(id="sheet"):
            with Facts(id="facts"):
                yield Static("", markup=False)
            yield LOGS.make().data_bind(SheetScreen.frame)

    def on_mount(self) -> None:
        """Show the log of the function behind the page."""
        super().on_mount()
        self._show_logs(self.frame)

    def logs_wanted(self, frame: Frame) -> tuple[tuple[Key, ...], Hashable]:
        """Return whose logs stand beside the page, and what they have in common."""
        return ((self.function,) if self.function is not None else ()), None

    def _show_logs(self, frame: Frame) -> None:
        functions, about = self.logs_wanted(frame)
        if functions:
            self.query_one(LogsPane).select(functions, about)
            self.console_app.watch_logs()

    def on_resize(self, event: events.Resize) -> None:
        """Render the page for another width."""
        super().on_resize(event)
        self.show_or_report(self.frame)

    def show(self, frame: Frame) -> None:
        """Show the page of a frame."""
        self._show_logs(frame)
        width = self.app.size.width
        inner = width // 2 - 5 if self.layout_name == "wide" else width - 5
        pieces = self.page(frame, max(40, inner))
        self.query_one(Facts).put_title(self.headline())
        self.query_one("#facts Static", Static).update(self.console_app.inks.content(pieces))

    def hotkeys(self) -> Iterator[Hotkey]:
        """Yield mutations, and the few keys of the dashboard that apply here."""
        yield from (h for h in in_scope("dashboard") if h.id in self.HINTS)
        yield from in_scope("target", "everywhere")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the keys of panes."""
        return action not in self.SILENT

    def undo(self) -> None:
        """Undo the newest change that concerns what this page shows, and nothing else."""
        app = self.console_app
        selection = self.selection()
        about = {*self.about(), *app.mitigation_flow.related(selection.function)}
        about |= {key for key in (selection.mapping, selection.queue) if key is not None}
        entry = newest_of(selection.function, app.frame.snapshot, about)
        if entry is None:
            name = self.headline() if selection == NOTHING else selection.name
            app.show_message(f"There is nothing to undo of {name}; J shows what was changed.", "warning")
        else:
            app.mitigation_flow.undo(entry)

    def about(self) -> tuple[Key, ...]:
        """Return what this page is about besides the selection."""
        return ()

    def action_next_pane(self) -> None:
        """Switch between page and log."""
        tail = self.query_one("#logs-tail")
        (self.query_one("#facts") if tail.has_focus else tail).focus()

    def action_previous_pane(self) -> None:
        """Switch between page and log."""
        self.action_next_pane()

    def action_filter(self) -> None:
        """Filter the log."""
        self.query_one(LogsPane).open_filter()

    async def on_pane_filter_closed(self) -> None:
        """Return the focus from the filter line."""
        self.set_focus(self.query_one("#logs-tail"))
        await self.console_app.go_on()

    def action_back(self) -> None:
        """Clear the filter, or back to the dashboard."""
        if self.query_one(LogsPane).clear_filter():
            self.query_one("#logs-tail").focus()
        else:
            self.dismiss()
