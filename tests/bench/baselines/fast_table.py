"""textual-fastdatatable with the same rows: `fast_table.py ROWS SHARE [cells]`, as `data_table.py`."""

from __future__ import annotations

import sys
from random import Random

from bench.baselines.rows import COLUMNS, NAMES, changed, words
from textual.app import App, ComposeResult
from textual_fastdatatable import ArrowBackend, DataTable  # type: ignore[import-not-found]


class FastTableApp(App[None]):
    """A table and nothing else."""

    def __init__(self, count: int, share: float, cells: bool) -> None:
        super().__init__()
        self._count, self._share, self._cells = count, share, cells
        self._random, self._tick = Random(8), 0

    def compose(self) -> ComposeResult:
        """Yield the table."""
        made = [words(number, 0) for number in range(self._count)]
        columns = {title: [row[i] for row in made] for i, title in enumerate(COLUMNS)}
        yield DataTable(backend=ArrowBackend.from_pydict(columns), cursor_type="row")

    def on_mount(self) -> None:
        """Begin to change."""
        if self._share:
            self.set_interval(1.0, self.change)

    def change(self) -> None:
        """Advance by one second: visible rows only, as each update makes a whole column anew."""
        self._tick += 1
        table = self.query_one(DataTable)
        top = int(table.scroll_offset.y)
        seen = range(top, min(self._count, top + table.size.height))
        changing = set(changed(self._count, self._share, self._random)) if not self._cells else set(seen)
        for number in changing.intersection(seen):
            made = words(number, self._tick)
            for column in range(NAMES, len(COLUMNS)):
                if not self._cells or self._random.random() < self._share:
                    table.update_cell(number, column, made[column])


if __name__ == "__main__":
    FastTableApp(int(sys.argv[1]), float(sys.argv[2]), "cells" in sys.argv).run()
