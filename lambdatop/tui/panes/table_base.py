"""A pane around a keyed table: filter, order, title and details are the same for all of them."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.widget import Widget

from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.frame import EMPTY_FRAME, Frame
from lambdatop.tui.panes.base import Pane
from lambdatop.tui.search import Filter
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, spans
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.keyed_table import KeyedTable
from lambdatop.tui.widgets.rows import Rows

R = TypeVar("R")


class TablePane(Pane, Generic[R]):
    """Subclasses replace `rows()`, `text_of()` and the class variables."""

    COLUMNS: ClassVar[tuple[Column, ...]] = ()  # type: ignore[type-arg]
    SORT: ClassVar[str] = ""
    WHAT: ClassVar[str] = "rows"

    def main(self) -> Widget:
        """The table."""
        self._made_for: tuple[Snapshot, Filter] | None = None
        self._made = self.rows(EMPTY_FRAME), self.rows(EMPTY_FRAME)
        self.table: KeyedTable[R] = KeyedTable(
            self.columns(),
            id=f"{self.PANE}-table",
            sort=self.SORT,
            pin_when=self.means_something,
            stale=self.is_stale,
        )
        return self.table

    def columns(self) -> tuple[Column[R], ...]:
        """The columns."""
        return self.COLUMNS

    def rows(self, frame: Frame) -> Rows[R]:
        """All rows, before the filter."""
        return Rows((), hash)

    def text_of(self, row: R) -> str:
        """What the filter looks at."""
        return str(row)

    def is_stale(self, row: R, frame: Frame) -> bool:
        """Whether a row's data is old."""
        return False

    def means_something(self, row: R) -> bool:
        """Whether the order means something yet, judged by the first row."""
        return True

    def extra_notes(self, frame: Frame) -> tuple[str, ...]:
        """More words under the title."""
        return ()

    def ages(self, frame: Frame) -> Spans:
        """How old the data is."""
        return self.source_ages(frame, *self.SOURCES)

    def detail(self, frame: Frame) -> Spans:
        """Words about the selected row."""
        return ()

    def middle(self, shown: int, total: int, frame: Frame) -> Spans:
        """What stands behind the name in the title."""
        count = f"{shown:,} of {total:,}" if shown != total else f"{total:,}"
        return spans((count, "muted"))

    def paint(self, frame: Frame) -> None:
        """Paint a frame."""
        rows, kept = self._rows_of(frame)
        table = self.table
        table.say_when_empty(self.waiting(frame, self.WHAT, *self.SOURCES))
        table.show_rows(kept, frame, greyed=bool(self.troubles(frame)))
        self.show_title(self.middle(len(kept), len(rows), frame), self.ages(frame))
        self.show_note(frame, *self.extra_notes(frame))
        self.show_detail(self.detail(frame))

    def forget_rows(self) -> None:
        """Make the rows anew, though neither snapshot nor filter changed."""
        self._made_for = None

    def _rows_of(self, frame: Frame) -> tuple[Rows[R], Rows[R]]:
        """All rows and those that the filter keeps; made once per snapshot, shown at every tick."""
        made_for = (frame.snapshot, self.filter)
        if self._made_for != made_for:
            rows = self.rows(frame)
            filter_ = self.filter
            kept = rows.only(lambda row: filter_.matches(self.text_of(row))) if filter_.active else rows
            self._made_for, self._made = made_for, (rows, kept)
        return self._made

    def source_ages(self, frame: Frame, *names: str) -> Spans:
        """`metrics 12s  functions 3m`."""
        pieces: list[Span] = []
        for name in names:
            row = frame.source(name)
            if row is not None and row.age_s is not None:
                slot = "stale" if frame.is_stale(frame.age(row.age_s), name) else "muted"
                gap = [Span("  ")] if pieces else []
                pieces += [*gap, Span(f"{name} {fmt.age(frame.age(row.age_s))}", slot)]
        return tuple(pieces)

    def on_keyed_table_cursor_moved(self, event: KeyedTable.CursorMoved) -> None:
        """Another row: its details, and whoever else wants to know."""
        event.stop()
        self.show_detail(self.detail(self.frame))
        self.post_message(self.SelectionChanged(self))

    def sort_next(self) -> None:
        """Order by the next column."""
        self.table.sort_next()

    def sort_reverse(self) -> None:
        """Turn the order round."""
        self.table.sort_reverse()
