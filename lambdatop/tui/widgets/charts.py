"""Draw numbers as text: sparkline and gauge. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lambdatop.tui.style.spans import Span, Spans
from lambdatop.tui.style.theme import BAR, EMPTY, SPARK


def sparkline(values: Sequence[float | None], width: int, errors: Sequence[float | None] = ()) -> Spans:
    """Return all values as one line of `width` cells, scaled to their own maximum.

    Where there are more values than cells, a cell is the mean of its share. A missing minute is a blank, a
    zero the dot of an empty minute: they are not the same. Where at least a tenth of the events failed, the
    cell takes the error colour.
    """
    shown = resample(values, width)
    bad = resample(errors, width) if len(errors) == len(values) else [None] * len(shown)
    top = max((v for v in shown if v is not None), default=0.0)
    pieces = [Span(" " * (width - len(shown)))] if len(shown) < width else []
    for value, wrong in zip(shown, bad, strict=True):
        slot = "spark_error" if value and wrong and wrong >= value / 10 else "spark"
        piece = Span(_level(value, top), slot if value else "faint")
        if pieces and pieces[-1].slot == piece.slot:
            pieces[-1] = Span(pieces[-1].text + piece.text, piece.slot)
        else:
            pieces.append(piece)
    return tuple(pieces)


def resample(values: Sequence[float | None], width: int) -> list[float | None]:
    """Return at most `width` values: means of neighbours, None where none of them is known."""
    count = len(values)
    if count <= width or width <= 0:
        return list(values[: max(0, width)])
    means: list[float | None] = []
    for i in range(width):
        share = values[i * count // width : (i + 1) * count // width]
        known = [v for v in share if v is not None]
        means.append(sum(known) / len(known) if known else None)
    return means


def _level(value: float | None, top: float) -> str:
    if value is None:
        return " "
    if value <= 0 or top <= 0:
        return EMPTY
    return SPARK[min(len(SPARK) - 1, int(value / top * len(SPARK)))]


def gauge(share: float | None, width: int, slot: str = "") -> Spans:
    """Return a horizontal bar, `share` 0..1 of `width` cells; anything above zero shows at least a sliver."""
    if share is None:
        return (Span(" " * width),)
    steps = len(BAR)
    filled = round(max(0.0, min(1.0, share)) * width * steps)
    if share > 0:
        filled = max(1, filled)
    whole, part = divmod(filled, steps)
    text = BAR[-1] * whole + (BAR[part - 1] if part else "")
    rest = width - len(text)
    return (Span(text, slot), Span(EMPTY * rest, "faint")) if rest else (Span(text, slot),)
