"""Write numbers as text: short, with their unit, and a dash for what is not known."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite

from lambdatop.domain import units

UNKNOWN = "-"


def number(value: float | None, digits: int = 1) -> str:
    """Return a plain number; whole ones without a point."""
    if value is None or not isfinite(value):
        return UNKNOWN
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.{digits}f}"


def percent(value: float | None) -> str:
    """Return a share (0..1) as per cent."""
    return UNKNOWN if value is None else f"{value * 100:.1f}%"


def millis(value: float | None) -> str:
    """Return milliseconds, as seconds from 10 s on."""
    if value is None:
        return UNKNOWN
    return f"{value / 1000:.1f}s" if value >= 10_000 else f"{value:.0f}ms"


def age(value: float | None) -> str:
    """Return seconds as 12s, 3m, 2h, 4d."""
    return UNKNOWN if value is None or not isfinite(value) else units.age(value)


def trend(value: float | None) -> str:
    """Return a change per minute with its sign."""
    return UNKNOWN if value is None else f"{value:+.1f}/min"


def range_of(range_s: tuple[float, float] | None, confidence: str) -> str:
    """Return a range of times with its confidence: `12m-40m (medium)`, `>12m (low)` without an end."""
    if range_s is None:
        return UNKNOWN
    soonest = units.about_age(range_s[0])
    latest = units.about_age(range_s[1]) if range_s[1] != float("inf") else ""
    words = f"{soonest}-{latest}" if latest else f">{soonest}"
    return f"{words if soonest != latest else soonest} ({confidence})"


def moment_ms(at: float) -> str:
    """Return seconds since the epoch as ISO-8601 UTC with milliseconds; a dash for what no calendar holds."""
    return units.iso(at, "milliseconds") or UNKNOWN


def moment_of_ms(at_ms: int) -> str:
    """Return milliseconds since the epoch as `moment_ms` does, made quickly."""
    try:
        return f"{_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"
    except (ValueError, OverflowError):
        return UNKNOWN


@lru_cache(maxsize=4096)
def _second(at: int) -> str:
    """Return minute's part of the text, cached: log lines come many to the second and differ in the end."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def moment(at: float | None) -> str:
    """Return seconds since the epoch as ISO-8601 UTC; a dash for what no calendar holds."""
    return UNKNOWN if at is None else units.iso(at) or UNKNOWN
