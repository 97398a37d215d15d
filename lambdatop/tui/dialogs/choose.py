"""Show a small list to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from lambdatop.tui.closing import Modal
from lambdatop.tui.style.spans import spans
from lambdatop.tui.style.theme import inks_of
from lambdatop.tui.widgets.options import Options

T = TypeVar("T")


class ChooseScreen(Modal[T | None], Generic[T]):
    """Gives back the chosen value, None for Esc. `on_highlight` is called while moving."""

    BINDINGS = [  # noqa: RUF012 (Textual declares it so)
        Binding("escape", "dismiss(None)", show=False),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
    ]
    AUTO_FOCUS = "#options"

    def __init__(
        self,
        question: str,
        options: Sequence[tuple[str, T]],
        *,
        current: int = 0,
        on_highlight: Callable[[T], None] | None = None,
    ) -> None:
        super().__init__()
        self._question = question
        self._options = tuple(options)
        self._current = current
        self._on_highlight = on_highlight

    def compose(self) -> ComposeResult:
        """Yield question and list."""
        inks = inks_of(self.app)
        with Vertical(id="dialog"):
            yield Static(inks.content(spans((self._question, "accent"))), id="title", markup=False)
            made = [Option(Content(inks.text(label))) for label, _ in self._options]
            yield Options(*made, id="options", markup=False)
            keys = spans(("Enter", "accent"), (" choose  ", "muted"), ("Esc", "accent"), (" cancel", "muted"))
            yield Static(inks.content(keys), markup=False)

    def on_mount(self) -> None:
        """Start at the current value."""
        self.query_one(OptionList).highlighted = self._current

    def action_move(self, step: int) -> None:
        """Move by the letter keys as well."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if step > 0 else options.action_cursor_up)()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Preview the highlighted option."""
        event.stop()
        if self._on_highlight is not None and self.is_active:  # a closed list must not show another theme
            self._on_highlight(self._options[event.option_index][1])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the selected option."""
        event.stop()
        self.dismiss(self._options[event.option_index][1])
