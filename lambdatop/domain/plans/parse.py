"""Settings as people type them, with the ranges of AWS's model."""

from __future__ import annotations

from lambdatop.domain.errors import UsageError

NONE = ("none", "null", "absent")
DIGITS = 18
"""No setting has more."""
YES, NO = ("true", "yes", "on"), ("false", "no", "off")


def is_number(digits: str) -> bool:
    """Whether `int` takes them: not each digit of Unicode is one to it, and it refuses thousands of them."""
    return digits.isascii() and digits.isdigit() and len(digits) <= DIGITS


def number(name: str, value: object, least: int, most: int) -> int:
    """A whole number in a range; raises UsageError."""
    text = str(value).strip()
    digits = text[1:] if text.startswith("-") else text
    if not is_number(digits):
        raise UsageError(f"{name} must be a whole number from {least:,} to {most:,}, not {text[:40]!r}.")
    if not least <= int(text) <= most:
        raise UsageError(f"{name} must be from {least:,} to {most:,}, not {text}.")
    return int(text)


def number_or_none(name: str, value: object, least: int, most: int) -> int | None:
    """`none` or a whole number in a range; raises UsageError."""
    if value is None or (isinstance(value, str) and value.strip().lower() in NONE):
        return None
    return number(name, value, least, most)


def switch(name: str, value: object) -> bool:
    """Yes or no; raises UsageError."""
    text = str(value).strip().lower()
    if text not in (*YES, *NO):
        raise UsageError(f"{name} must be true or false, not {value!r}.")
    return text in YES
