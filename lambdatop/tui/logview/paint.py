"""Colour log lines by the slots of the theme."""

from __future__ import annotations

from rich.style import Style
from textual.strip import Strip

from lambdatop.tui.style.spans import MATCH, Span, Spans
from lambdatop.tui.style.theme import Inks


def painted(pieces: Spans, inks: Inks, base: Style, width: int, cursor: int, greyed: bool) -> Strip:
    """Return one row of the screen; `cursor` as inks have it.

    Of old lines only matches keep their colour.
    """
    if greyed:
        pieces = tuple(Span(text, slot if slot == MATCH else "stale") for text, slot in pieces)
    segments, rest = inks.segments(pieces, base, cursor)
    return Strip(segments).adjust_cell_length(width, rest)
