"""Compare what lambdatop shows with what boto3 reads from the same server, value by value. Pure.

A value has a place: `("function", "orders-worker", "memory_mb")`. `UNREAD` stands where boto3 gets no answer,
and where lambdatop says that something is not known: there, and only there, it may say so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

Place = tuple[str, str, str]
Values = dict[Place, Any]


class Unread(Enum):
    """No value at all: not even none."""

    UNREAD = "not known"


UNREAD = Unread.UNREAD


class Compared(NamedTuple):
    """How many values were held against each other, and what differed, in sentences."""

    values: int
    differences: tuple[str, ...]

    def __add__(self, other: Compared) -> Compared:  # type: ignore[override]
        """Return both together."""
        return Compared(self.values + other.values, self.differences + other.differences)


NOTHING = Compared(0, ())


def compare(
    shown: Values, before: Values, after: Values | None = None, *, only: Collection[str] = ()
) -> Compared:
    """Compare what is shown with what boto3 read `before` and `after` it: one of both has to be shown.

    Args:
        shown: What lambdatop shows.
        before: What boto3 read before lambdatop ran.
        after: What it read afterwards; servers run functions meanwhile, so counts may move.
        only: The fields that this form shows; all by default.
    """
    later = before if after is None else after
    values, differences = 0, []
    for place in sorted({*before, *later, *shown}):
        if only and place[2] not in only:
            continue
        values += 1
        words = _differs(place, shown, before, later)
        if words:
            differences.append(f"{' '.join(place)}: {words}")
    return Compared(values, tuple(differences))


def _differs(place: Place, shown: Values, before: Values, after: Values) -> str:
    read = [values[place] for values in (before, after) if place in values]
    if not read:
        return f"shown is {shown[place]!r}, and boto3 reads no such thing"
    if place not in shown:
        return f"not shown, boto3 reads {read[0]!r}"
    value = shown[place]
    if any(_same(value, one) for one in read) or _between(value, read):
        return ""
    return f"shown is {_word(value)}, boto3 reads {' then '.join(dict.fromkeys(map(_word, read)))}"


def _same(shown: Any, read: Any) -> bool:
    if isinstance(shown, float) or isinstance(read, float):
        both = isinstance(shown, int | float) and isinstance(read, int | float)
        return both and abs(float(shown) - float(read)) <= 1e-6 * max(1.0, abs(float(read)))
    return bool(shown == read) and type(shown) is type(read)


def _between(value: Any, read: list[Any]) -> bool:
    """Return whether a count lies between what was read before and after."""
    counts = all(isinstance(one, int) and not isinstance(one, bool) for one in (value, *read))
    return counts and min(read) <= value <= max(read)


def _word(value: Any) -> str:
    return value.value if isinstance(value, Unread) else repr(value)


def unsaid(missing: Iterable[str], said: str) -> tuple[str, ...]:
    """Return the actions that the server does not answer and that the output does not name."""
    return tuple(f"{action} is not answered, and nothing says so" for action in missing if action not in said)


def merged(*parts: Mapping[Place, Any]) -> Values:
    """Return all values of several parts."""
    return {place: value for part in parts for place, value in part.items()}
