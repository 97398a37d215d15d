"""Write numbers as people read them, with their units: spans, ages, moments, sizes, US dollars, counts."""

from __future__ import annotations

from datetime import UTC, datetime


def span(seconds: float) -> str:
    """Return a time span for people: 45 s, 1 min 30 s, 12 min, 3 h 20 min, 2 d 4 h.

    What is left out is less than a tenth of what is said.
    """
    seconds = max(0, round(seconds))
    if seconds < 90:
        return f"{seconds} s"
    if seconds < 600:
        return _two(seconds // 60, "min", seconds % 60, "s")
    if seconds < 5400:
        return f"{seconds // 60} min"
    if seconds < 172_800:
        return _two(seconds // 3600, "h", seconds % 3600 // 60, "min")
    return _two(seconds // 86_400, "d", seconds % 86_400 // 3600, "h")


def about(seconds: float) -> str:
    """Return how long a trend takes, no finer than it is known: `12 min`, `3 h 20 min`, `14 h`, `12 d`.

    Its points are a minute apart, and its slope is an estimate: seconds would say more than anybody knows. It
    is rounded down, so that what is feared does not come earlier than said.
    """
    if seconds < 60:
        return "less than a minute"
    if seconds < 5400:
        return f"{int(seconds // 60)} min"
    if seconds < 36_000:
        return _two(int(seconds // 3600), "h", int(seconds % 3600 // 600) * 10, "min")
    if seconds < 172_800:
        return f"{int(seconds // 3600)} h"
    if seconds < 864_000:
        return _two(int(seconds // 86_400), "d", int(seconds % 86_400 // 3600), "h")
    return f"{int(seconds // 86_400)} d"


def minutes(seconds: float) -> int:
    """Return a forecast in s as whole minutes, in s: its points are a minute apart."""
    return round(seconds / 60) * 60


def about_age(seconds: float) -> str:
    """Return a forecast in its largest unit: <1m, 12m, 3h, 9d."""
    return "<1m" if seconds < 60 else f"{int(seconds // 60)}m" if seconds < 100 else age(seconds)


def _two(many: int, unit: str, few: int, smaller: str) -> str:
    return f"{many} {unit} {few} {smaller}" if few else f"{many} {unit}"


def age(seconds: float) -> str:
    """Return an age in its largest unit: 4s, 12m, 3h, 9d."""
    seconds = max(0.0, seconds)
    for limit, size, unit in ((100, 1, "s"), (6_000, 60, "m"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds // 86_400)}d"


def iso(at: float, timespec: str = "seconds") -> str | None:
    """Return s since the epoch as 2026-11-21T00:27:03Z; None for what no calendar holds.

    `timespec` is that of `datetime.isoformat`.
    """
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def size(count: float) -> str:
    """Return bytes with a binary unit: 0 B, 1.5 KiB, 12 KiB, 75.0 GiB."""
    if abs(count) < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB"):
        count /= 1024
        if abs(count) < 1024:
            return f"{count:.1f} {unit}" if abs(count) < 9.95 else f"{count:.0f} {unit}"
    count /= 1024
    return f"{count:,.1f} GiB" if abs(count) < 1024 else f"{count / 1024:,.1f} TiB"


def usd(value: float) -> str:
    """Return US dollars: $0, $0.0042, $1.20, $1,204."""
    if value == 0:
        return "$0"
    if value < 0.0001:
        return "<$0.0001"
    if value < 0.995:
        return f"${value:.4f}".rstrip("0")
    return f"${value:.2f}" if value < 1000 else f"${value:,.0f}"


def plural(count: int, word: str) -> str:
    """Return `1 finding`, `3 findings`."""
    return f"{count:,} {word if count == 1 else word + 's'}"
