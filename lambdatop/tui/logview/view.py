"""Show a log and move through its lines, of which only the visible ones are styled.

Etiquette: it follows the end until somebody moves up; then it stands still with one line marked, counts
what arrives, and follows again from the last line.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from lambdatop.tui._textual import set_content_size
from lambdatop.tui.logview import buffer
from lambdatop.tui.logview.buffer import LogBook
from lambdatop.tui.logview.feed import labels
from lambdatop.tui.logview.keys import LogKeys
from lambdatop.tui.logview.lines import Shown, indent_of, marked, render, wrapped
from lambdatop.tui.style.spans import MATCH, Span, Spans, line_of
from lambdatop.tui.style.theme import Inks, inks_of
from lambdatop.tui.widgets.keyed_table import PlainLines


def painted(pieces: Spans, inks: Inks, base: Style, width: int, cursor: int, greyed: bool) -> Strip:
    """Return one row of the screen; `cursor` as inks have it.

    Of old lines only matches keep their colour.
    """
    if greyed:
        pieces = tuple(Span(p.text, p.slot if p.slot == MATCH else "stale") for p in pieces)
    segments, rest = inks.segments(pieces, base, cursor)
    return Strip(segments).adjust_cell_length(width, rest)


LABEL_SHARE = 5
"""A name takes at most a fifth of the width."""


class Row:
    """One row of the screen, and how it was painted last."""

    __slots__ = ("_cursor", "_strip", "pieces", "shown")

    def __init__(self, shown: Shown, pieces: Spans) -> None:
        self.shown = shown
        self.pieces = pieces
        self._cursor = 0
        self._strip: Strip | None = None

    def strip(self, cursor: int, paint: Callable[[Spans, int], Strip]) -> Strip:
        """Return the strip as it looks under this cursor."""
        if self._strip is None or cursor != self._cursor:
            self._strip, self._cursor = paint(self.pieces, cursor), cursor
        return self._strip


class LogView(LogKeys, PlainLines, can_focus=True, inherit_bindings=False):
    """Display lines of a book, some of them on the screen."""

    BINDINGS = LogKeys.BINDINGS

    class AtTop(Message):
        """The cursor is on the first line, so older lines may be wanted."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        # What the title says has changed. No message: the title comes with the lines, not a frame later.
        self.on_change: Callable[[], None] = lambda: None
        self.book = LogBook(buffer.KEEP)
        self.cursor: Shown | None = None
        self.following = True
        self.unseen = 0
        self.greyed = False
        self._names: tuple[str, ...] = ()
        self._labels: dict[str, str] = {}
        self._empty: Spans = ()
        self._rows: list[Row] | None = None
        self._made: dict[Shown, list[Row]] = {}
        self._dress: tuple[object, ...] = ()
        self._placing = False

    def repaint(self) -> None:
        """Repaint: something may look different, or stand elsewhere."""
        self._rows = None
        height = self.end + self.size.height if self.wrap else len(self.book.view)
        size = Size(self.size.width, height)
        if size != self.virtual_size:
            set_content_size(self, size)
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
        """Return the marked line; while following, the last one."""
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
        if target == 0 and lines < 0:
            self.post_message(self.AtTop())
        if target == last and lines > 0:
            self.follow()
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
        self.on_change()

    def _lowest(self, index: int) -> int:
        """Return the line on top when line `index` is at the bottom."""
        if not self.wrap:
            return index - self.page_lines + 1
        rows = len(self._rows_of(self.book.view[index]))
        while index and rows < self.page_lines:
            rows += len(self._rows_of(self.book.view[index - 1]))
            index -= rows <= self.page_lines
        return index

    def follow(self) -> None:
        """Follow the last line, and whatever comes after it."""
        self.cursor, self.following, self.unseen = None, True, 0
        self._to_end()
        self.repaint()
        self.on_change()

    def _to_end(self) -> None:
        self._place(self.end)

    def _place(self, top: int) -> None:
        self._placing = True
        try:
            self.scroll_to(y=max(0, min(self.end, top)), animate=False, force=True)
        finally:
            self._placing = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop or resume following by the wheel and the scroll bar, too; the mark stays visible."""
        super().watch_scroll_y(old_value, new_value)
        self._rows = None
        if self._placing or round(new_value) == round(old_value):
            return
        if round(new_value) >= self.end:
            # A screen that has grown moves upwards by itself, which says nothing.
            if self.following or new_value > old_value:
                self.follow()
        elif self.book.view:
            index, seen = self._index(), [row.shown for row in self._visible()]
            if seen and self.book.view[index] not in seen:  # a pane without a row shows no line at all
                index = self.book.index_of(seen[0] if index < self.top else seen[-1])
            self.cursor, self.following = self.book.view[index], False
            self.repaint()
            self.on_change()

    def on_resize(self) -> None:
        """Keep following in the new size."""
        self.name_lines(self._names)
        self.repaint()
        if self.following:
            self._to_end()

    def reveal(self, shown: Shown | None) -> None:
        """Show the secrets of one line while it is on the screen; None hides them."""
        self.revealed = shown
        self.repaint()

    def name_lines(self, names: tuple[str, ...]) -> None:
        """Show of each line whose it is, unless there is one function only."""
        self._names = names
        several = len(names) > 1
        self._labels = labels(names, max(6, self.size.width // LABEL_SHARE)) if several else {}

    # -- painting --------------------------------------------------------------------------------

    def _pieces(self, shown: Shown) -> Spans:
        width = self.size.width
        label = self._labels.get(shown.owner, "")
        pieces = render(shown, width, stamps=self.stamps, revealed=shown is self.revealed, label=label)
        return pieces if self.book.search is None else marked(pieces, self.book.search)

    def _rows_of(self, shown: Shown) -> list[Spans]:
        pieces = self._pieces(shown)
        if not self.wrap:
            return [pieces]
        width, label = max(1, self.size.width), self._labels.get(shown.owner, "")
        return wrapped(pieces, width, self.page_lines, indent_of(width, stamps=self.stamps, label=label))

    def _visible(self) -> list[Row]:
        """Return the rows of the screen; of lines that were there before only if they look different now."""
        if self._rows is None:
            top, height = self.top, self.size.height
            at_end = self.wrap and top >= self.end
            before, self._made = self._made_before(), {}
            rows: list[Row] = []
            for shown in self.book.view[top : top + height]:
                made = before.get(shown) or [Row(shown, pieces) for pieces in self._rows_of(shown)]
                self._made[shown] = made
                rows += made
                if len(rows) >= height and not at_end:
                    break
            self._rows = rows[-height:] if at_end else rows[:height]
            if self.revealed is not None and all(row.shown is not self.revealed for row in self._rows):
                self.revealed = None
        return self._rows

    def _made_before(self) -> dict[Shown, list[Row]]:
        asked = (self.size.width, self.stamps, self.wrap, self.revealed, self.book.search, self._labels)
        dress = (*asked, inks_of(self.app), self.base, self.greyed)
        if dress == self._dress:
            return self._made
        self._dress = dress
        return {}

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        rows = self._visible()
        if y < len(rows):
            row = rows[y]
            return row.strip(0 if row.shown is not self.cursor else 1 + self.has_focus, self._paint)
        return self._paint(() if self.book.view else line_of(self._empty, y, self.size.width), 0)

    def _paint(self, pieces: Spans, cursor: int) -> Strip:
        return painted(pieces, inks_of(self.app), self.base, self.size.width, cursor, self.greyed)
