"""Textual's DataTable with the same rows: `data_table.py ROWS SHARE [cells]`.

`rows`: a share of all rows changes each second, in all of its figures; `cells`: that share of the cells.
"""

from __future__ import annotations

import sys
from random import Random

from bench.baselines.rows import COLUMNS, NAMES, changed, words
from textual.app import App, ComposeResult
from textual.widgets import DataTable


class TableApp(App[None]):
    """A table and nothing else."""

    def __init__(self, count: int, share: float, cells: bool) -> None:
        super().__init__()
        self._count, self._share, self._cells = count, share, cells
        self._random, self._tick = Random(8), 0

    def compose(self) -> ComposeResult:
        """Yield the table."""
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        """Fill it."""
        table = self.query_one(DataTable)
        for title in COLUMNS:
            table.add_column(title, key=title)
        for number in range(self._count):
            table.add_row(*words(number, 0), key=str(number))
        if self._share:
            self.set_interval(1.0, self.change)

    def change(self) -> None:
        """Advance by one second."""
        self._tick += 1
        table = self.query_one(DataTable)
        rows = range(self._count) if self._cells else changed(self._count, self._share, self._random)
        for number in rows:
            made = words(number, self._tick)
            for column in range(NAMES, len(COLUMNS)):
                if not self._cells or self._random.random() < self._share:
                    table.update_cell(str(number), COLUMNS[column], made[column])


if __name__ == "__main__":
    TableApp(int(sys.argv[1]), float(sys.argv[2]), "cells" in sys.argv).run()
