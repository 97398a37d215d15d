"""Ask for one value."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from lambdatop.tui.closing import Modal
from lambdatop.tui.style.spans import spans
from lambdatop.tui.style.theme import inks_of


class AskScreen(Modal[str | None]):
    """Gives back what was typed, None for Esc."""

    BINDINGS = [Binding("escape", "dismiss(None)", show=False)]  # noqa: RUF012 (Textual declares it so)
    AUTO_FOCUS = "#value"

    def __init__(self, question: str, placeholder: str) -> None:
        super().__init__()
        self._question = question
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        """Yield question and line."""
        inks = inks_of(self.app)
        with Vertical(id="dialog"):
            yield Static(inks.content(spans(self._question)), id="title", markup=False)
            yield Input(placeholder=self._placeholder, id="value", compact=True)
            keys = spans(("Enter", "accent"), (" go on  ", "muted"), ("Esc", "accent"), (" cancel", "muted"))
            yield Static(inks.content(keys), markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text."""
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())
