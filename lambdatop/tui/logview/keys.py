"""Handle the keys of the log: search, switches, failures, secrets, copying and saving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from lambdatop.domain.search.patterns import Pattern
from lambdatop.tui.bindings import bindings
from lambdatop.tui.logview.lines import Shown
from lambdatop.tui.widgets.navigation import Moving

if TYPE_CHECKING:
    from lambdatop.tui.logview.buffer import LogBook


class LogKeys(Moving, Widget):
    """Mix-in of the log tail: the keys of the scope `log`."""

    BINDINGS: ClassVar[list[BindingType]] = [*Moving.BINDINGS, *bindings("log")]

    book: LogBook
    cursor: Shown | None
    wrap = False
    stamps = True
    errors_only = False
    by_request = False
    revealed: Shown | None = None
    open_search: Callable[[], None] = staticmethod(lambda: None)
    """Opens the search line, at once: what is typed right behind the key belongs into it."""

    class Said(Message):
        """A sentence for a person."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Reveal(Message):
        """The secrets of a line are to be shown."""

        def __init__(self, shown: Shown) -> None:
            super().__init__()
            self.shown = shown

    class Copy(Message):
        """Lines that are to go to the clipboard; the first is the marked one."""

        def __init__(self, lines: list[Shown]) -> None:
            super().__init__()
            self.lines = lines

    class Save(Message):
        """What is shown is to go to a file."""

    class Live(Message):
        """Lines are to come through Live Tail, or not any more."""

    class Kinds(Message):
        """Errors by kind are to be queried from Logs Insights."""

    # -- of the tail -----------------------------------------------------------------------------

    def ask(self) -> None:
        """Apply the changed switches."""

    def repaint(self) -> None:
        """Repaint all lines."""

    def jump(self, index: int) -> None:
        """Mark a line of the view."""

    def current(self) -> Shown | None:
        """Return the marked line."""
        return None

    def _index(self) -> int:
        return 0

    def _sweep(self) -> None:
        """Search older lines."""

    # -- search ----------------------------------------------------------------------------------

    def look_for(self, pattern: Pattern | None) -> None:
        """Highlight a pattern, or nothing any more."""
        self.book.look_for(pattern)
        self.repaint()
        self._sweep()

    def place_of_hit(self) -> tuple[int, int]:
        """Return which match is marked (0: none), counted from the oldest, and how many there are."""
        hits = self.book.hits
        at = self.book.hit_index(self.cursor) if self.cursor is not None else len(hits)
        return (at + 1 if at < len(hits) and hits[at] is self.cursor else 0), len(hits)

    def action_search_log(self) -> None:
        """Type what to look for."""
        self.open_search()

    def action_match(self, step: int | str) -> None:
        """Move to the next match: -1 older, 1 newer.

        Following stops there.
        """
        if self.book.search is None:
            self.post_message(self.Said("No search yet: press f."))
            return
        older = int(step) < 0
        hits = self.book.hits
        at = self.book.hit_index(self.cursor) if self.cursor is not None else len(hits)
        if older:
            at -= 1
            while at < 0 and self.book.busy:
                before = len(self.book.hits)
                self.book.go_on()
                at = len(self.book.hits) - before - 1
        elif at < len(hits) and hits[at] is self.cursor:
            at += 1
        if 0 <= at < len(self.book.hits):
            self.jump(self.book.index_of(self.book.hits[at]))
        else:
            self.post_message(self.Said("No older match." if older else "No newer match."))

    def action_error(self, step: int | str) -> None:
        """Move to the next failure: -1 older, 1 newer."""
        found = self.book.error_from(self._index() + (self.cursor is None), int(step))
        if found is None:
            self.post_message(self.Said("No older error." if int(step) < 0 else "No newer error."))
        else:
            self.jump(found)

    # -- switches --------------------------------------------------------------------------------

    def action_wrap_log(self) -> None:
        """Wrap long lines, or cut them."""
        self._switch("wrap")

    def action_stamps(self) -> None:
        """Show or hide times."""
        self._switch("stamps")

    def action_errors_only(self) -> None:
        """Show failures only, or everything."""
        self._switch("errors_only")

    def action_by_request(self) -> None:
        """Show the lines of a request together, or in order of arrival."""
        self._switch("by_request")

    def _switch(self, name: str) -> None:
        setattr(self, name, not getattr(self, name))
        self.ask()

    # -- one line --------------------------------------------------------------------------------

    def _mark(self) -> Shown | None:
        """Return the marked line; while following, mark the last one and stop following."""
        shown = self.current()
        if shown is not None and self.cursor is None:
            self.jump(len(self.book.view) - 1)
        return shown

    def action_reveal(self) -> None:
        """Show the secrets of the marked line while it is on the screen, or hide them again."""
        shown = self._mark()
        if shown is not None:
            self.post_message(self.Reveal(shown))

    def action_copy_line(self) -> None:
        """Copy the marked line."""
        shown = self._mark()
        if shown is not None:
            self.post_message(self.Copy([shown]))

    def action_copy_event(self) -> None:
        """Copy the whole event of the marked line."""
        shown = self._mark()
        if shown is not None:
            self.post_message(self.Copy(self.book.event_of(shown)))

    def action_live(self) -> None:
        """Switch Live Tail on or off."""
        self.post_message(self.Live())

    def action_kinds(self) -> None:
        """Ask Logs Insights for the kinds of failures."""
        self.post_message(self.Kinds())

    def action_save_log(self) -> None:
        """Write what is shown to a file."""
        self.post_message(self.Save())
