"""Parse settings as people type them, with the ranges of AWS's model."""

from __future__ import annotations

from lambdatop.domain.errors import UsageError

NONE = ("none", "null", "absent")
DIGITS = 18
"""No setting has more."""
YES, NO = ("true", "yes", "on"), ("false", "no", "off")


def is_number(digits: str) -> bool:
    """Return whether `int` accepts the digits: it refuses some digits of Unicode, and thousands of digits."""
    return digits.isascii() and digits.isdigit() and len(digits) <= DIGITS


def number(name: str, value: object, least: int, most: int) -> int:
    """Parse a whole number in a range; raise UsageError for anything else."""
    text = str(value).strip()
    digits = text[1:] if text.startswith("-") else text
    if not is_number(digits):
        raise UsageError(f"{name} must be a whole number from {least:,} to {most:,}, not {text[:40]!r}.")
    if not least <= int(text) <= most:
        raise UsageError(f"{name} must be from {least:,} to {most:,}, not {text}.")
    return int(text)


def number_or_none(name: str, value: object, least: int, most: int) -> int | None:
    """Parse `none` or a whole number in a range; raise UsageError for anything else."""
    if value is None or (isinstance(value, str) and value.strip().lower() in NONE):
        return None
    return number(name, value, least, most)


def switch(name: str, value: object) -> bool:
    """Parse yes or no; raise UsageError for anything else."""
    text = str(value).strip().lower()
    if text not in (*YES, *NO):
        raise UsageError(f"{name} must be true or false, not {value!r}.")
    return text in YES
