"""Show a big table: a line-API widget whose cursor is a key, with one cached strip per row.

`DataTable` keeps an index as its cursor and repaints every visible row for one changed cell. Here the
cursor stands on a key, whatever is sorted or filtered around it, and only lines whose text changed are
painted again. Rows outside the screen cost nothing but their place in the order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lambdatop.tui._textual import paint_plainly, set_content_size
from lambdatop.tui.frame import EMPTY_FRAME, Frame
from lambdatop.tui.style.spans import Span, Spans, fit, line_of
from lambdatop.tui.style.theme import Inks, inks_of
from lambdatop.tui.widgets.columns import Column, Placed, header, in_order, place
from lambdatop.tui.widgets.navigation import Moving
from lambdatop.tui.widgets.rows import Rows


class PlainLines(ScrollView, inherit_bindings=False):
    """Lines without border and padding."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        paint_plainly(self)
        self._base: Style | None = None

    @property
    def base(self) -> Style:
        """What lines are painted on. It is made of the styles of all ancestors, which takes long."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        """Repaint for another theme."""
        super().notify_style_update()
        self._base = None


R = TypeVar("R")
HEADER = 1
KEPT_STRIPS = 1_000


class KeyedTable(Moving, PlainLines, Generic[R], can_focus=True, inherit_bindings=False):
    """A sorted table of rows with a cursor that follows its key."""

    BINDINGS = Moving.BINDINGS

    class CursorMoved(Message):
        """The cursor stands on another key (None: the table is empty)."""

        def __init__(self, table: KeyedTable[Any], key: Hashable | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

    class Opened(CursorMoved):
        """The row under the cursor was double-clicked."""

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        id: str | None = None,
        sort: str = "",
        pin_when: Callable[[R], bool] = lambda _: True,
        stale: Callable[[R, Frame], bool] = lambda _row, _frame: False,
    ) -> None:
        """Make a table; `pin_when` returns of the first row whether the order means something yet.

        Until then, and until the table has had the focus, the cursor stays on the first line; from then on,
        or from the first key, it stays on its key.
        """
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._sort = sort
        self._descending = True
        self._pin_when = pin_when
        self._stale = stale
        self._pinned = False
        self._given = self._rows = Rows[R]((), hash)
        self._at = 0
        self._frame = EMPTY_FRAME
        self._cursor: Hashable | None = None
        self._placed: tuple[tuple[Placed, ...], int] = ((), 1)
        self._layout_for: tuple[int, Inks] | None = None
        self._strips: dict[Hashable, tuple[object, Strip]] = {}
        self._painted: dict[int, object] = {}
        self._cells: dict[Hashable, tuple[Any, bool]] = {}
        self.greyed = False
        self._empty: Spans = ()

    @property
    def cursor_key(self) -> Hashable | None:
        """The key under the cursor."""
        return self._cursor

    @property
    def cursor_row(self) -> R | None:
        """The row under the cursor."""
        return None if self._cursor is None else self._rows[self._at]

    @property
    def row_keys(self) -> list[Hashable]:
        """Keys of all rows in their order."""
        return self._rows.keys()

    @property
    def visible_keys(self) -> list[Hashable]:
        """Keys of the rows on the screen."""
        return self._rows.keys(top := self.scroll_offset.y, top + self.page_lines)

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The column that orders the rows, and whether the largest stands first."""
        return self._sort, self._descending

    def set_empty_text(self, words: Spans) -> None:
        """Set the text shown while the table has no rows."""
        if words != self._empty:
            self._empty = words
            if not self._rows:
                self.refresh()

    def show_rows(self, rows: Rows[R], frame: Frame, *, greyed: bool = False) -> None:
        """Show new rows; the cursor stays on its key, only lines that differ are painted again."""
        same = rows is self._given
        self._given, self._frame, self._cells = rows, frame, {}
        self.greyed = greyed
        if same:
            self._repaint_changed()
        else:
            self._arrange()

    def sort_next(self) -> None:
        """Order by the next shown column that can be ordered by."""
        shown = [p.column for p in self._placed[0] if p.column.sort is not None]
        ids = [c.id for c in shown]
        if ids:
            following = (ids.index(self._sort) + 1) % len(ids) if self._sort in ids else 0
            self._sort, self._descending = ids[following], shown[following].descending
            self._arrange()
            self.refresh()

    def sort_reverse(self) -> None:
        """Turn the order round."""
        self._descending = not self._descending
        self._arrange()
        self.refresh()

    def move_to(self, key: Hashable) -> None:
        """Put the cursor on a key, if it is there."""
        index = self._rows.find(key)
        if index is not None:
            self._go(index)

    # -- order and cursor ------------------------------------------------------------------------

    def _arrange(self) -> None:
        column = next((c for c in self._columns if c.id == self._sort), None)
        was_visible = self._is_visible(self._at)
        self._rows = in_order(self._given, column, self._descending)
        if len(self._strips) > KEPT_STRIPS:
            self._strips.clear()
        self._settle_cursor()
        if (size := Size(self.size.width, len(self._rows) + HEADER)) != self.virtual_size:
            set_content_size(self, size)
            self.refresh()
        if was_visible and self._cursor is not None:
            self._scroll_to_row(self._at)
        self._repaint_changed()

    def _settle_cursor(self) -> None:
        """Keep the key; a key that is gone gives way to the row that stands where it stood."""
        if not self._rows:
            self._set_cursor(None, 0)
        elif not self._pinned:
            self._set_cursor(self._rows.key_at(0), 0)
            self._pin()
        else:
            index = self._rows.find(self._cursor, self._at) if self._cursor is not None else 0
            index = min(self._at, len(self._rows) - 1) if index is None else index
            self._set_cursor(self._rows.key_at(index), index)

    def _set_cursor(self, key: Hashable | None, index: int) -> None:
        self._at = index
        if key != self._cursor:
            self._cursor = key
            self.post_message(self.CursorMoved(self, key))

    def _go(self, index: int) -> None:
        self._pinned = True
        if not self._rows:
            return
        index = max(0, min(index, len(self._rows) - 1))
        before = self._at
        self._set_cursor(self._rows.key_at(index), index)
        self._scroll_to_row(index)
        for changed in {before, index}:
            self.refresh_line(changed + HEADER)

    def _is_visible(self, index: int) -> bool:
        return 0 <= index - self.scroll_offset.y < self.page_lines

    def _scroll_to_row(self, index: int) -> None:
        top = self.scroll_offset.y
        if index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif index >= top + self.page_lines:
            self.scroll_to(y=index - self.page_lines + 1, animate=False, force=True)

    @property
    def page_lines(self) -> int:
        """Rows that fit on the screen."""
        return max(1, self.size.height - HEADER)

    def step(self, lines: int) -> None:
        """Move the cursor."""
        self._go(self._at + lines)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points; a double click opens."""
        index = event.y - HEADER + self.scroll_offset.y
        if event.y >= HEADER and 0 <= index < len(self._rows):
            self._go(index)
            if event.chain == 2:
                self.post_message(self.Opened(self, self._cursor))

    # -- painting --------------------------------------------------------------------------------

    def _pin(self) -> None:
        """Let the cursor follow its key from now on: it has the focus, and the order means something."""
        self._pinned = self._pinned or bool(self.has_focus and self._rows and self._pin_when(self._rows[0]))

    def watch_has_focus(self, has_focus: bool) -> None:
        """Repaint the cursor, which looks different with the focus."""
        super().watch_has_focus(has_focus)
        self._pin()
        self._repaint_changed()

    def on_resize(self) -> None:
        """Keep the cursor visible when there is less room."""
        if self._cursor is not None:
            self._scroll_to_row(self._at)

    def _layout(self) -> tuple[Inks, int]:
        width, inks = self.scrollable_content_region.width, inks_of(self.app)
        if self._layout_for != (width, inks):
            self._layout_for = (width, inks)
            self._placed, self._cells = place(self._columns, width), {}
            self._strips.clear()
        return inks, width

    def _state(self, index: int) -> object:
        """Return everything that decides how a line looks.

        Cells are made once a frame, to compare and to paint.
        """
        key, row = self._rows.key_at(index), self._rows[index]
        said = self._cells.get(key)
        if said is None:
            cells = tuple(p.column.cell(row, self._frame, p.width) for p in self._placed[0])
            said = self._cells[key] = (cells, self._stale(row, self._frame))
        cursor = 0 if key != self._cursor else 2 if self.has_focus else 1
        return key, said[0], cursor, self.greyed or said[1]

    def _repaint_changed(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        self._layout()
        top = self.scroll_offset.y
        for y in range(self.page_lines):
            state = self._state(top + y) if top + y < len(self._rows) else None
            if self._painted.get(y) != state:
                self.refresh(Region(0, y + HEADER, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen: the titles, a row, or nothing."""
        inks, width = self._layout()
        if y < HEADER:
            return self._strip(header(*self._placed, *self.sorted_by), inks, width)
        index = self.scroll_offset.y + y - HEADER
        if index >= len(self._rows):
            self._painted[y - HEADER] = None
            words = () if self._rows else line_of(self._empty, y - HEADER - 1, width)
            return self._strip(fit(words, width), inks, width)
        state = self._state(index)
        self._painted[y - HEADER] = state
        return self._row_strip(state, inks, width)

    def _row_strip(self, state: Any, inks: Inks, width: int) -> Strip:
        key, cells, cursor, stale = state
        cached = self._strips.get(key)
        if cached is not None and cached[0] == state:
            return cached[1]
        placed, gap = self._placed[0], Span(" " * self._placed[1])
        pieces: list[Span] = []
        for (column, cell_width), cell in zip(placed, cells, strict=True):
            pieces += (gap,) if pieces else ()
            pieces += fit(cell, cell_width, column.align)
        if stale:
            pieces = [Span(p.text, "stale") for p in pieces]
        strip = self._strip(tuple(pieces), inks, width, cursor)
        self._strips[key] = (state, strip)
        return strip

    def _strip(self, pieces: Spans, inks: Inks, width: int, cursor: int = 0) -> Strip:
        segments, style = inks.segments(pieces, self.base, cursor)
        return Strip(segments).adjust_cell_length(width, style)

    def notify_style_update(self) -> None:
        """Repaint everything for a new theme."""
        super().notify_style_update()
        self._strips.clear()
        self._layout_for = None
