"""Lay out the confirm dialog, and keep what matters visible on small screens."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from lambdatop.tui.closing import Modal
from lambdatop.tui.host import Host, host_of
from lambdatop.tui.style.spans import Spans

BORDERS, TITLE_LINES, STATUS_AND_BUTTONS = 2, 2, 2


class Dialog(Modal[None]):
    """Title, a body that scrolls, a line to type into, a status and two buttons."""

    def compose(self) -> ComposeResult:
        """Yield title, scrolling body, line to type into, status and buttons that always stay visible."""
        with Vertical(id="dialog"):
            yield Static("", id="title", markup=False)
            with VerticalScroll(id="body"):
                yield Static("", id="text", markup=False)
                yield Vertical(id="alternatives")
                yield Static("", id="rest", markup=False)
            # Selecting on focus would let the second letter replace the first.
            yield Input(id="typed", compact=True, select_on_focus=False)
            yield Static("", id="status", markup=False)
            with Horizontal(id="buttons"):
                yield Button(Content("Cancel"), id="cancel")  # Content: labels of type str are markup
                yield Button(Content("Confirm"), id="confirm", disabled=True)

    @property
    def console_app(self) -> Host:
        """The app, by what its parts use of it."""
        return host_of(self)

    @property
    def _width(self) -> int:
        return max(30, min(100, self.app.size.width) - 5)

    def _put(self, selector: str, pieces: Spans) -> None:
        static = self.query_one(selector, Static)
        if pieces and pieces[-1].text == "\n":
            pieces = pieces[:-1]
        static.update(self.console_app.inks.content(pieces))
        static.display = bool(pieces)

    def on_resize(self) -> None:
        """Fit the body to another height."""
        self._limit_body()

    def _limit_body(self) -> None:
        """Limit the body, which scrolls: line, status and buttons stay visible."""
        typed = int(self.query_one("#typed", Input).display)
        rest = BORDERS + TITLE_LINES + typed + STATUS_AND_BUTTONS
        self.query_one("#body").styles.max_height = max(3, self.app.size.height - rest)
