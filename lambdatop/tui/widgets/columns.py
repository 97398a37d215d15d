"""Describe columns of a table: what they show, how they sort, which a narrow screen drops. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from msgspec import Struct

from lambdatop.tui.frame import Frame
from lambdatop.tui.style.spans import Span, Spans, fit
from lambdatop.tui.style.theme import SORT_DOWN, SORT_UP
from lambdatop.tui.widgets.rows import Rows

R = TypeVar("R")

WIDE_GAP_FROM = 150
NARROWEST = 8
LUXURY = 5
"""Columns from this rank on are shown only when flexible columns have the width they wish for."""


class Column(Struct, Generic[R], frozen=True):
    """One column. `cell` gets row, frame and width in cells; `title` carries the unit.

    `rank` 0 is never dropped, the highest is dropped first; `flex` shares the width that is left over,
    and `wish` is the width from which on there is room for luxuries.
    `sort` gives the value to order by (None last), the largest first when `descending`. `help` explains the
    column on the page of keys, where its title does not.
    """

    id: str
    title: str
    width: int
    cell: Callable[[R, Frame, int], Spans]
    align: Literal["left", "right"] = "right"
    rank: int = 0
    flex: int = 0
    wish: int = 0
    sort: Callable[[R], Any] | None = None
    descending: bool = True
    help: str = ""


class Placed(NamedTuple):
    """A column that is shown, with its width in cells."""

    column: Column[Any]
    width: int


def place(columns: Sequence[Column[Any]], width: int) -> tuple[tuple[Placed, ...], int]:
    """Return the columns that fit into `width` cells, and the gap between them."""
    gap = 2 if width >= WIDE_GAP_FROM else 1
    kept = list(columns)
    while len(kept) > 1 and _needed(kept, gap) > width:
        worst = max(c.rank for c in kept)
        if worst == 0:
            break
        kept.remove([c for c in kept if c.rank == worst][-1])
    spare = max(0, width - sum(c.width for c in kept) - gap * (len(kept) - 1))
    shares = sum(c.flex for c in kept)
    placed = []
    for column in kept:
        extra = spare * column.flex // shares if shares else 0
        placed.append(Placed(column, column.width + extra))
    return _squeezed(placed, width, gap), gap


def _squeezed(placed: list[Placed], width: int, gap: int) -> tuple[Placed, ...]:
    """Return the flexible columns shrunk, down to a few cells, before the last columns are cut off."""
    over = sum(p.width for p in placed) + gap * (len(placed) - 1) - width
    result = []
    for column, wide in placed:
        give = min(max(0, over), max(0, wide - NARROWEST)) if column.flex else 0
        over -= give
        result.append(Placed(column, wide - give))
    return tuple(result)


def _needed(columns: Sequence[Column[Any]], gap: int) -> int:
    luxury = any(c.rank >= LUXURY for c in columns)
    widths = (max(c.width, c.wish) if luxury else c.width for c in columns)
    return sum(widths) + gap * (len(columns) - 1)


def header(placed: Sequence[Placed], gap: int, sorted_by: str, descending: bool) -> Spans:
    """Return the line of titles; the sorted column carries a marker."""
    pieces: list[Span] = []
    for column, width in placed:
        if pieces:
            pieces.append(Span(" " * gap))
        title = (Span(column.title, "muted"),)
        if column.id == sorted_by:
            title = (Span(column.title + (SORT_DOWN if descending else SORT_UP), "accent"),)
        pieces.extend(fit(title, width, column.align))
    return tuple(pieces)


def in_order(rows: Rows[R], column: Column[R] | None, descending: bool) -> Rows[R]:
    """Return rows in the order of one column; equal and unknown values keep the order they came in."""
    if column is None or column.sort is None:
        return rows
    return rows.by(column.sort, (column.id, descending))
