"""Write numbers, spans and sizes as text. Pure: units stand in column headers, so most results have none."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite

from lambdatop.domain import units
from lambdatop.domain.units import plural as plural

UNKNOWN = "\u2013"
"""What stands where a number is not known. Unknown is never shown as zero."""


def number(value: float | None) -> str:
    """Return a count or a rate: `0`, `3.4`, `812`, `12,345`, `123k`, `4.5M`."""
    if value is None or not isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.05:
        return "<0.1" if value > 0 else "-0.0"
    if size < 9.95 and value != int(value):
        return f"{value:.1f}"
    if size < 99_999.5:
        return f"{value:,.0f}"
    if size < 999_500:
        return f"{value / 1e3:.0f}k"
    return f"{value / 1e6:.1f}M" if size < 1e9 else f"{value / 1e9:.1f}G"


def rate(value: float | None) -> str:
    """Return a rate, with one decimal below ten, so that a column of rates lines up.

    `0`, `4.0`, `8.3`, `714`.
    """
    if value is not None and 0.05 <= value < 9.95:
        return f"{value:.1f}"
    return number(value)


def signed(value: float | None) -> str:
    """Return a change: `+12`, `-3.4`, `0`."""
    text = number(value)
    return f"+{text}" if value is not None and value > 0 else text


def percent(ratio: float | None) -> str:
    """Return a share 0..1 in percent without the sign: `0`, `0.4`, `12`, `100`."""
    if ratio is None:
        return UNKNOWN
    points = ratio * 100
    if points == 0:
        return "0"
    if points < 0.1:
        return "<0.1"
    return f"{points:.1f}" if points < 9.95 else f"{points:.0f}"


def millis(value: float | None) -> str:
    """Return milliseconds, whole: `8`, `2,998`."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def ratio(value: float | None) -> str:
    """Return a factor: `1.0`, `3.4`, `12`."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def age(seconds: float | None) -> str:
    """Return an age in its largest unit: `4s`, `12m`, `3h`, `9d`."""
    return units.age(seconds) if seconds is not None and isfinite(seconds) else UNKNOWN


def coarse_age(seconds: float | None) -> str:
    """Return an age that changes every ten seconds: `<10s`, `10s`, `90s`, `12m`.

    Fifty rows that tick are 600 B/s.
    """
    if seconds is None or seconds >= 100:
        return age(seconds)
    return age(seconds // 10 * 10) if seconds >= 10 else "<10s"


def span(seconds: float | None) -> str:
    """Return a duration in two units: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    return units.span(seconds) if seconds is not None and isfinite(seconds) else UNKNOWN


def size(value: float | None) -> str:
    """Return bytes with a binary unit: `0 B`, `12 KiB`, `75.0 GiB`."""
    return UNKNOWN if value is None else units.size(value)


def usd(value: float | None) -> str:
    """Return US dollars: `$0`, `$0.0042`, `$1.20`, `$1,204`."""
    return UNKNOWN if value is None else units.usd(value)


def usd_column(value: float | None) -> str:
    """Return US dollars with four decimals, so that a column of them lines up."""
    return UNKNOWN if value is None else f"${value:,.4f}"


def clock(at: float) -> str:
    """Return the time of day in UTC: `14:03:22`."""
    return _utc(at, "%H:%M:%S")


def clock_ms(at: float) -> str:
    """Return the time of day in UTC with milliseconds: `14:03:22.120`."""
    text = _utc(at, "%H:%M:%S.%f")
    return text if text == UNKNOWN else text[:-3]


def moment(at: float | None) -> str:
    """Return date and time in UTC: `2026-07-01 14:03:22Z`."""
    return UNKNOWN if at is None else _utc(at, "%Y-%m-%d %H:%M:%SZ")


def _utc(at: float, pattern: str) -> str:
    """Return the time, or a substitute for figures from outside that no calendar holds."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime(pattern)
    except (ValueError, OverflowError, OSError):
        return UNKNOWN
