"""Show a keyed table in a pane: filter, order, title and details are the same for all of them."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.widget import Widget

from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.frame import BAD, EMPTY_FRAME, Frame
from lambdatop.tui.panes.base import Pane, reason
from lambdatop.tui.panes.spec import PaneSpec
from lambdatop.tui.search import Filter
from lambdatop.tui.selection import NOTHING, Selection
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, spans
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.keyed_table import KeyedTable
from lambdatop.tui.widgets.rows import Rows

R = TypeVar("R")


class TablePane(Pane, Generic[R]):
    """A pane of rows by its spec; subclasses replace what depends on state of their own."""

    spec: PaneSpec[R]

    def main(self) -> Widget:
        """Return the table."""
        self._made_for: tuple[Snapshot, Filter] | None = None
        self._made = self.rows(EMPTY_FRAME), self.rows(EMPTY_FRAME)
        self.table: KeyedTable[R] = KeyedTable(
            self.columns(),
            id=f"{self.spec.name}-table",
            sort=self.spec.sort,
            pin_when=self.spec.ranked,
            stale=self.spec.is_stale,
        )
        return self.table

    def columns(self) -> tuple[Column[R], ...]:
        """Return the columns."""
        return self.spec.columns

    def rows(self, frame: Frame) -> Rows[R]:
        """Return all rows, before the filter."""
        return self.spec.rows(frame.snapshot)

    def extra_notes(self, frame: Frame) -> tuple[str, ...]:
        """Return more words under the title."""
        return ()

    def ages(self, frame: Frame) -> Spans:
        """Return how old the data is."""
        return self.source_ages(frame, *self.spec.sources)

    def detail(self, frame: Frame) -> Spans:
        """Return words about the selected row."""
        row = self.table.cursor_row
        return () if row is None else self.spec.detail(row, frame)

    def selection(self) -> Selection:
        """Return what the row under the cursor stands for."""
        row = self.table.cursor_row
        return NOTHING if row is None else self.spec.selection(row)

    def middle(self, shown: int, total: int, frame: Frame) -> Spans:
        """Return what stands behind the name in the title."""
        count = f"{shown:,} of {total:,}" if shown != total else f"{total:,}"
        return (*spans((count, "muted")), *self.spec.counted(frame.snapshot))

    def paint(self, frame: Frame) -> None:
        """Paint a frame."""
        rows, kept = self._rows_of(frame)
        table = self.table
        besides = self.spec.besides
        table.set_empty_text(self.waiting(frame, self.spec.what, *self.spec.sources, besides=besides))
        table.show_rows(kept, frame, greyed=bool(self.troubles(frame)))
        self.show_title(self.middle(len(kept), len(rows), frame), self.ages(frame))
        rows_besides = (row for name in besides if (row := frame.source(name)) is not None)
        missing = (reason(row, frame.age(row.age_s)) for row in rows_besides if row.state in BAD)
        self.show_note(frame, *missing, *self.extra_notes(frame))
        self.show_detail(self.detail(frame))

    def forget_rows(self) -> None:
        """Compute the rows again, though neither snapshot nor filter changed."""
        self._made_for = None

    def _rows_of(self, frame: Frame) -> tuple[Rows[R], Rows[R]]:
        """Return all rows and those that the filter keeps; made once per snapshot, shown at every tick."""
        made_for = (frame.snapshot, self.filter)
        if self._made_for != made_for:
            rows = self.rows(frame)
            filter_, text_of = self.filter, self.spec.text_of
            kept = rows.only(lambda row: filter_.matches(text_of(row))) if filter_.active else rows
            self._made_for, self._made = made_for, (rows, kept)
        return self._made

    def source_ages(self, frame: Frame, *names: str) -> Spans:
        """Return `metrics 12s  functions 3m`."""
        pieces: list[Span] = []
        for name in names:
            row = frame.source(name)
            if row is not None and row.age_s is not None:
                slot = "stale" if frame.is_stale(frame.age(row.age_s), name) else "muted"
                gap = [Span("  ")] if pieces else []
                pieces += [*gap, Span(f"{name} {fmt.age(frame.age(row.age_s))}", slot)]
        return tuple(pieces)

    def on_keyed_table_cursor_moved(self, event: KeyedTable.CursorMoved) -> None:
        """Show the details of another row, and announce it."""
        event.stop()
        self.show_detail(self.detail(self.frame))
        self.post_message(self.SelectionChanged(self))

    def sort_next(self) -> None:
        """Order by the next column."""
        self.table.sort_next()

    def sort_reverse(self) -> None:
        """Reverse the order."""
        self.table.sort_reverse()
