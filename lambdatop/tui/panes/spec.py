"""Describe a pane: its key, its place on the dashboard, its rows and columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct
from textual.widget import Widget

from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.frame import Frame
from lambdatop.tui.selection import NOTHING, Selection
from lambdatop.tui.style.spans import Spans
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.rows import Rows

R = TypeVar("R")
Place = Literal["left", "right", "bottom"]


def _no_rows(snapshot: Snapshot) -> Rows[Any]:
    return Rows((), hash)


class PaneSpec(Struct, Generic[R], frozen=True):
    """Everything about a pane but its state; each pane's module exports one as SPEC.

    `key` is the digit that shows it, and its place in the order of panes. `name` identifies it and is its
    command, `title` stands in its border, `does` is its line in the help. `place` is the part of the
    dashboard that it stands in, `share` its part of the room there; the largest stands on top.

    `widget` makes it: `TablePane`, or a class derived from `Pane` where it remembers or shows more than rows
    under columns. `sources` are the collectors without which its data is old: it greys, and says why.
    `besides` are those without which only some rows are missing: it says so, and what it shows stays valid.

    The rest is for tables. `what` names the rows in sentences, `rows` takes them from a snapshot, `text_of`
    is what the filter reads, `is_stale` says whether a row's data is old, and `ranked`, asked of the first
    row, whether the order means something yet. `sort` is the column that orders at first, where the rows do
    not come in order. `counted` stands behind the number of rows in the title, `detail` and `selection` are
    the words about a row and what mutation keys act on.
    """

    key: str
    name: str
    title: str
    does: str
    place: Place
    share: Literal[1, 2, 3]
    widget: Callable[[PaneSpec[Any]], Widget]
    sources: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    what: str = "rows"
    rows: Callable[[Snapshot], Rows[R]] = _no_rows
    columns: tuple[Column[R], ...] = ()
    sort: str = ""
    text_of: Callable[[R], str] = str
    is_stale: Callable[[R, Frame], bool] = lambda row, frame: False
    ranked: Callable[[R], bool] = lambda row: True
    counted: Callable[[Snapshot], Spans] = lambda snapshot: ()
    detail: Callable[[R, Frame], Spans] = lambda row, frame: ()
    selection: Callable[[R], Selection] = lambda row: NOTHING

    def make(self) -> Widget:
        """Return a new pane."""
        return self.widget(self)
