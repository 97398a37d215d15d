"""Log lines in colour: the slots of the theme, and matches as the accent, reversed."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lambdatop.tui.ink import Span, Spans
from lambdatop.tui.theme import Inks
from lambdatop.tui.widgets.log_lines import MATCH

_REVERSED = Style(reverse=True)


def painted(pieces: Spans, inks: Inks, base: Style, width: int, cursor: int, greyed: bool) -> Strip:
    """One row of the screen; `cursor` as inks have it."""
    segments: list[Segment] = []
    for text, slot in pieces:
        if slot == MATCH:
            made, _ = inks.segments([Span(text, "accent")], base, cursor)
            segments += [Segment(s.text, (s.style or base) + _REVERSED) for s in made]
        else:
            segments += inks.segments([Span(text, "stale" if greyed else slot)], base, cursor)[0]
    return Strip(segments).adjust_cell_length(width, inks.segments((), base, cursor)[1])
