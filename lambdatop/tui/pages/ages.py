"""Say which figures are old."""

from __future__ import annotations

from lambdatop.domain.state.snapshot import FunctionRow
from lambdatop.tui.frame import Frame

LATE = 2.0
"""A row that has missed so many of its slow reads is old."""


def metrics_old(row: FunctionRow, frame: Frame) -> bool:
    """Return whether its metrics are old, by the pace at which rows on screen are asked for now."""
    looking, age = frame.snapshot.looking, frame.since(row.as_of)
    if looking is None or looking.detail_s <= looking.wire_s:
        return frame.is_stale(age, "metrics")
    return age is not None and age > LATE * looking.detail_s
