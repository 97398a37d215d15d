"""Parse spans of time on the command line."""

from __future__ import annotations

import argparse

from lambdatop.domain.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_S = 14 * 86_400


def parse_seconds(text: str) -> float:
    """Parse `30`, `30s`, `10m`, `2h` or `1d` as s.

    Raises:
        UsageError: it is something else, or longer than 14 days.
    """
    amount, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    if not (amount.isascii() and amount.isdigit()) or int(amount) * _UNITS[unit] > LONGEST_S:
        raise UsageError(f"{text!r} is not a duration; write 30s, 10m, 2h or 1d, at most 14d")
    return float(int(amount) * _UNITS[unit])


def seconds(text: str) -> float:
    """Parse seconds from 0 to a day, with a fraction; argparse turns the error into a usage message."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return value
