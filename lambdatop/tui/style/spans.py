"""Hold text in pieces, each with the theme's slot for its colour.

Renderers of panes and headers are pure functions that return `Spans`; only the widgets turn slots into
colours. So nothing made from data is ever parsed as markup, and a theme change repaints everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, chop_cells


class Span(NamedTuple):
    """Some text and the slot of its colour ("" = the foreground).

    `link` is an address that was made of checked parts only (`tui/pages/console_links.py`), "" for none.
    """

    text: str
    slot: str = ""
    link: str = ""


Spans = tuple[Span, ...]

MATCH = "match"
"""No slot of a theme file: what a search has found, the accent reversed."""

SEVERITY_SLOT = {"critical": "critical", "warning": "warning", "info": "info", "": ""}
SEVERITY_WORD = {"critical": "CRIT", "warning": "WARN", "info": "INFO"}


def spans(*parts: str | tuple[str, str] | Span) -> Spans:
    """Return spans from plain strings and (text, slot) pairs; empty texts are left out."""
    made = [Span(p) if isinstance(p, str) else p if isinstance(p, Span) else Span(*p) for p in parts]
    return tuple([s for s in made if s.text])


def width_of(pieces: Iterable[Span]) -> int:
    """Return the cells that the pieces take."""
    return sum(cell_len(p.text) for p in pieces)


def plain(pieces: Iterable[Span]) -> str:
    """Return the text alone."""
    return "".join(p.text for p in pieces)


def clip(text: str, width: int, ellipsis: str = "…") -> str:
    """Return `text` in at most `width` cells, with an ellipsis when something was cut."""
    if cell_len(text) <= width:
        return text
    if width <= cell_len(ellipsis):
        return ellipsis[:width] if width > 0 else ""
    return chop_cells(text, width - cell_len(ellipsis))[0] + ellipsis


def fit(pieces: Sequence[Span], width: int, align: str = "left", ellipsis: str = "…") -> Spans:
    """Return the pieces in exactly `width` cells: padded on the other side, or cut with an ellipsis."""
    used = width_of(pieces)
    if used <= width:
        pad = Span(" " * (width - used))
        return (pad, *pieces) if align == "right" else (*pieces, pad)
    kept: list[Span] = []
    left = width
    for piece in pieces:
        length = cell_len(piece.text)
        if length >= left and not (length == left and piece is pieces[-1]):
            cut = piece._replace(
                text=clip(piece.text + " ", left, ellipsis) if length >= left else piece.text
            )
            kept.append(cut)
            left -= cell_len(cut.text)
            break
        kept.append(piece)
        left -= length
    return (*kept, Span(" " * left)) if left > 0 else tuple(kept)


_WORD = re.compile(r"\s*\S+|\s+")
"""A word with the blanks before it."""


def wrapped(pieces: Iterable[Span], width: int, indent: int) -> list[Spans]:
    """Return the pieces in lines of at most `width` cells, all but the first indented.

    Lines are broken at blanks, a word that is longer than a line anywhere. At least two cells beside the
    indentation are used, however narrow it is.
    """
    width, margin = max(width, indent + 2), Span(" " * indent)
    lines: list[list[Span]] = [[]]
    used = 0
    for piece in pieces:
        for word in _WORD.findall(piece.text):
            if used and used + cell_len(word) > width:
                lines.append([margin])
                used, word = indent, word.lstrip()
            while cell_len(word) > width - used:
                head = chop_cells(word, width - used)[0]
                lines[-1].append(piece._replace(text=head))
                lines.append([margin])
                used, word = indent, word[len(head) :]
            if word:
                lines[-1].append(piece._replace(text=word))
                used += cell_len(word)
    return [tuple(line) for line in lines]


def line_of(pieces: Spans, y: int, width: int) -> Spans:
    """Return line `y` of what stands in an empty pane: an error in it must be readable to its end."""
    lines = wrapped(pieces, width, 2) if y >= 0 else []
    return lines[y] if 0 <= y < len(lines) else ()


class Item(NamedTuple):
    """One part of a bar: what it says, and its rank (0 stays longest; the highest leaves first)."""

    pieces: Spans
    rank: int = 0


def bar(left: Sequence[Item], right: Sequence[Item], width: int, gap: int = 2) -> Spans:
    """Return items left and right in `width` cells, without the least important ones when space is short."""
    kept_left, kept_right = [i for i in left if i.pieces], [i for i in right if i.pieces]
    while (kept_left or kept_right) and _needed(kept_left, kept_right, gap) > width:
        last = max((*kept_left, *kept_right), key=lambda i: i.rank)
        if len(kept_left) + len(kept_right) == 1:
            break
        (kept_left if any(i is last for i in kept_left) else kept_right).remove(last)
    first, second = _join(kept_left, gap), _join(kept_right, gap)
    room = max(0, width - width_of(second))
    return (*fit(first, room), *fit(second, min(width, width_of(second))))


def _needed(left: Sequence[Item], right: Sequence[Item], gap: int) -> int:
    both = gap if left and right else 0
    return width_of(_join(left, gap)) + width_of(_join(right, gap)) + both


def _join(items: Sequence[Item], gap: int) -> Spans:
    joined: list[Span] = []
    for item in items:
        if joined:
            joined.append(Span(" " * gap))
        joined.extend(item.pieces)
    return tuple(joined)
