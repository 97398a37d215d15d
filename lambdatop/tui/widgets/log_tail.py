"""The log tail: a bounded ring of display lines, of which only the visible ones are styled.

Etiquette: it follows the end until somebody moves up; then it stands still with one line marked, counts
what arrives, and follows again from the last line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lambdatop.domain.scope import Key
from lambdatop.domain.world import LogTail as Tail
from lambdatop.tui.filtering import NO_FILTER, Filter
from lambdatop.tui.ink import Spans
from lambdatop.tui.theme import inks_of
from lambdatop.tui.widgets import log_book
from lambdatop.tui.widgets.log_book import LogBook
from lambdatop.tui.widgets.log_keys import LogKeys
from lambdatop.tui.widgets.log_lines import Shown, indent_of, marked, render, wrapped
from lambdatop.tui.widgets.log_paint import painted

PIECES, SLOW_PIECES, PAUSE_S = 8, 1, 0.02
"""Pieces of a sweep between two keys, and the pause after them."""


class LogTail(LogKeys, ScrollView, can_focus=True, inherit_bindings=False):
    """The newest lines of one function's log."""

    BINDINGS = LogKeys.BINDINGS

    class Changed(Message):
        """What the title says has changed: following, unseen lines, a search, what is shown."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._key: Key | None = None
        self._seq = 0
        self._source: Tail | None = None
        self.book = LogBook(log_book.KEEP)
        self.cursor: Shown | None = None
        self.following = True
        self.unseen = 0
        self.greyed = False
        self._empty: Spans = ()
        self._rows: list[tuple[Shown, Spans]] | None = None
        self._placing = False
        self._sweeping = False

    # -- content ---------------------------------------------------------------------------------

    def say_when_empty(self, words: Spans) -> None:
        """What stands here while there are no lines."""
        if words != self._empty:
            self._empty = words
            if not self.book.view:
                self.refresh()

    def show(
        self, key: Key | None, tail: Tail | None, filter_: Filter = NO_FILTER, *, greyed: bool = False
    ) -> None:
        """Lines of `key` that have come since the last call; another key starts anew."""
        if greyed != self.greyed:
            self.greyed = greyed
            self.refresh()
        if key != self._key or self._restarted(tail):
            self._key, self._seq = key, 0
            self.book.clear()
            self.revealed = self.cursor = None
            self.following, self.unseen = True, 0
            self.repaint()
        if filter_.text != self.book.filter.text:
            self.ask(filter_)
        if tail is None or (tail is self._source and self._seq):
            self._source = tail
            return
        self._source = tail
        self._append(tail)

    def _restarted(self, tail: Tail | None) -> bool:
        return tail is not None and tail.next_seq <= self._seq

    def _append(self, tail: Tail) -> None:
        new = tail.after(self._seq)
        if not new:
            return
        self._seq = new[-1].seq
        with self._standing_still():
            added = self.book.append(new)
            if added and not self.following:
                self.unseen += added
        if added:
            self.post_message(self.Changed())
        self._sweep()

    def ask(self, filter_: Filter | None = None) -> None:
        """Show what the filter and the switches leave, from the same line on where it is still there."""
        with self._standing_still():
            asked = self.book.filter if filter_ is None else filter_
            self.book.ask(asked, errors_only=self.errors_only, by_request=self.by_request)
        self.post_message(self.Changed())
        self._sweep()

    def _sweep(self) -> None:
        """Look at older lines in pieces small enough that no key waits for them."""
        if not self.book.busy or self._sweeping:
            return
        with self._standing_still():
            for _ in range(SLOW_PIECES if self.book.slow else PIECES):
                self.book.go_on()
        self.post_message(self.Changed())
        if self.book.busy:
            self._sweeping = True
            self.set_timer(PAUSE_S, self._sweep_on)

    def _sweep_on(self) -> None:
        self._sweeping = False
        self._sweep()

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        """Whatever changes meanwhile: the end stays in sight while following, else the line on top does."""
        view = self.book.view
        top = view[min(self.top, len(view) - 1)] if view and not self.following else None
        yield
        self.repaint()
        if self.following:
            self._to_end()
        elif top is not None or self.cursor is not None:
            # A line that is gone gives way to the one in its place.
            self._place(self.book.index_of(top or self.cursor or self.book.view[0]))

    def repaint(self) -> None:
        """Something may look different, or stand elsewhere."""
        self._rows = None
        height = self.end + self.size.height if self.wrap else len(self.book.view)
        size = Size(self.size.width, height)
        if size != self.virtual_size:  # setting it costs a layout
            self.virtual_size = size
        self.refresh()

    @property
    def line_count(self) -> int:
        """Display lines that are shown."""
        return len(self.book.view)

    # -- moving ----------------------------------------------------------------------------------

    @property
    def top(self) -> int:
        """Index of the line on top."""
        return int(self.scroll_offset.y)

    @property
    def end(self) -> int:
        """Index of the line on top when the last one is at the bottom."""
        count, height = len(self.book.view), self.size.height
        if not self.wrap:
            return max(0, count - height)
        rows = 0
        while count and rows < height:
            count -= 1
            rows += len(self._rows_of(self.book.view[count]))
        return count

    @property
    def page_lines(self) -> int:
        """Lines that fit on the screen."""
        return max(1, self.size.height)

    def current(self) -> Shown | None:
        """The marked line; while following the last one."""
        return self.book.view[self._index()] if self.book.view else None

    def _index(self) -> int:
        last = len(self.book.view) - 1
        return last if self.cursor is None else min(last, self.book.index_of(self.cursor))

    def step(self, lines: int) -> None:
        """Move the mark; upwards stops following, the last line resumes it."""
        last = len(self.book.view) - 1
        if last < 0:
            return
        target = max(0, min(last, self._index() + lines))
        if target == last and lines > 0:
            self._follow()
            return
        # Pages move the screen as well, single lines only as far as they must.
        self._stand(target, self.top + lines if abs(lines) > 1 else self.top)

    def jump(self, index: int) -> None:
        """Mark a line of the view, with some lines before and after it; following stops."""
        inside = self.top <= index < self.top + max(1, self.page_lines // (3 if self.wrap else 1))
        self._stand(index, self.top if inside else index - self.page_lines // 3)

    def _stand(self, index: int, top: int) -> None:
        self.cursor = self.book.view[index]
        self.following = False
        self._place(max(min(top, index), self._lowest(index)))
        self.repaint()
        self.post_message(self.Changed())

    def _lowest(self, index: int) -> int:
        """The line on top when line `index` is at the bottom."""
        if not self.wrap:
            return index - self.page_lines + 1
        rows = len(self._rows_of(self.book.view[index]))
        while index and rows < self.page_lines:
            rows += len(self._rows_of(self.book.view[index - 1]))
            index -= rows <= self.page_lines
        return index

    def _follow(self) -> None:
        self.cursor, self.following, self.unseen = None, True, 0
        self._to_end()
        self.repaint()
        self.post_message(self.Changed())

    def _to_end(self) -> None:
        self._place(self.end)

    def _place(self, top: int) -> None:
        self._placing = True
        try:
            self.scroll_to(y=max(0, min(self.end, top)), animate=False, force=True)
        finally:
            self._placing = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Also the wheel and the scroll bar stop and resume the following; the mark stays in sight."""
        super().watch_scroll_y(old_value, new_value)
        self._rows = None
        if self._placing or round(new_value) == round(old_value):
            return
        if round(new_value) >= self.end:
            # A screen that has grown moves upwards by itself, which says nothing.
            if self.following or new_value > old_value:
                self._follow()
        elif self.book.view:
            index, seen = self._index(), [shown for shown, _ in self._visible()]
            if self.book.view[index] not in seen:
                index = self.book.index_of(seen[0] if index < self.top else seen[-1])
            self.cursor, self.following = self.book.view[index], False
            self.repaint()
            self.post_message(self.Changed())

    def on_resize(self) -> None:
        """A tail that follows still follows in its new size."""
        self.repaint()
        if self.following:
            self._to_end()

    def reveal(self, shown: Shown | None) -> None:
        """Show the secrets of one line while it is on the screen; None hides them."""
        self.revealed = shown
        self.repaint()

    # -- painting --------------------------------------------------------------------------------

    def _pieces(self, shown: Shown) -> Spans:
        width = self.size.width
        pieces = render(shown, width, stamps=self.stamps, revealed=shown is self.revealed)
        return pieces if self.book.search is None else marked(pieces, self.book.search)

    def _rows_of(self, shown: Shown) -> list[Spans]:
        pieces = self._pieces(shown)
        if not self.wrap:
            return [pieces]
        width = max(1, self.size.width)
        return wrapped(pieces, width, self.page_lines, indent_of(width, stamps=self.stamps))

    def _visible(self) -> list[tuple[Shown, Spans]]:
        """The rows of the screen."""
        if self._rows is None:
            top, height = self.top, self.size.height
            at_end = self.wrap and top >= self.end
            rows: list[tuple[Shown, Spans]] = []
            for shown in self.book.view[top : top + height]:
                rows += [(shown, row) for row in self._rows_of(shown)]
                if len(rows) >= height and not at_end:
                    break
            self._rows = rows[-height:] if at_end else rows[:height]
            if self.revealed is not None and all(s is not self.revealed for s, _ in self._rows):
                self.revealed = None
        return self._rows

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        rows = self._visible()
        shown, pieces = rows[y] if y < len(rows) else (None, ())
        if not self.book.view and y == 0:
            pieces = self._empty
        cursor = 0 if shown is None or shown is not self.cursor else 1 + self.has_focus
        return painted(pieces, inks_of(self.app), self.rich_style, self.size.width, cursor, self.greyed)
