"""Check every answer against its model before anything reads it; all values from AWS pass here.

The SDK's JSON parser returns whatever an answer holds: a text for a number, a number of 330 digits, `NaN`.
One such value in one record would break what is computed of all of them, so that record is left out, counted
and reported; where the answer as a whole is not valid, the read fails. Missing members are not checked here:
whoever reads the answer handles them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lambdatop.aws.facts.resources import DIGITS, LARGEST, finite
from lambdatop.domain.errors import SourceError
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.units import plural

LATEST_S = 253_402_300_799
"""The end of the year 9999, s since the epoch: later times are not valid."""
LEAST_FIGURE, MOST_FIGURE = 1e-9, 1e15
"""Limits of a metric's value other than 0, for metrics that are read here: ms, bytes, counts and shares of a
minute or an hour. CloudWatch itself takes any of -2^360 to 2^360, of which no sum, product or ratio is safe
(docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html)."""


DECODED = "policyDocumentType"
"""The text in IAM's answers that the SDK decodes from JSON before these checks (botocore's handlers)."""
SERIES = "MetricDataResult"
POINTS = ("Timestamps", "Values")
"""The two lists of a series of CloudWatch, of which each entry belongs to one of the other."""

BAD = object()
"""Replaces a value that does not fit the model."""


class Sound(list[Any]):
    """A list whose entries were checked already."""


class Whole(dict[str, Any]):
    """An answer in which a required member may be missing: reading that member raises SourceError."""

    def __init__(self, name: str, answer: Mapping[str, Any]) -> None:
        super().__init__(answer)
        self._name = name

    def __missing__(self, member: str) -> Any:
        raise SourceError(f"{self._name}: the answer lacks {member}.", code="unsound")


class Oddities:
    """How many records were left out, by operation and member."""

    def __init__(self) -> None:
        self.left_out: Counter[tuple[str, str]] = Counter()

    @property
    def sentence(self) -> str:
        """What was left out, "" when nothing was."""
        parts = [
            f"{plural(count, 'record')} of {operation} ({member})"
            for (operation, member), count in sorted(self.left_out.items())
        ]
        return f"left out, for values that AWS never sends: {', '.join(parts)}" if parts else ""

    def check(self, parsed: Any, model: Any, **_: Any) -> None:
        """Check an answer and leave bad records out of its lists.

        Raises:
            SourceError: the answer itself is not valid.
        """
        shape = model.output_shape
        if shape is None or not isinstance(parsed, dict) or "Error" in parsed:
            return
        name = f"{model.service_model.service_name}:{model.name}"
        for member, value in parsed.items():
            inner = shape.members.get(member)
            if inner is None:
                continue
            found = parsed[member] = self._sound(value, inner, name, member)
            if found is BAD:
                raise SourceError(
                    f"{name}: the answer holds a value of {clean_name(member)} that AWS never sends; "
                    "it was not taken.",
                    code="unsound",
                )

    def _sound(self, value: Any, shape: Any, name: str, member: str) -> Any:
        """Return the value in the type of the model; `BAD` where it cannot have that type."""
        kind = shape.type_name
        if kind == "structure":
            return self._structure(value, shape, name)
        if kind == "list":
            return value if type(value) is Sound else self._list(value, shape, name, member)
        if kind == "map":
            return self._map(value, shape, name, member)
        take = _SCALARS.get(kind)
        return value if take is None else take(value, shape)

    def _structure(self, value: Any, shape: Any, name: str) -> Any:
        if shape.serialization.get("eventstream"):
            return value  # its parts come later, and are checked then (`event_stream.py`)
        if not isinstance(value, dict):
            return BAD
        for inner, part in value.items():
            known = shape.members.get(inner)
            if known is None:
                continue
            found = self._sound(part, known, name, inner)
            if found is BAD:
                return BAD
            value[inner] = found
        return self._series(value, name) if shape.name == SERIES else value

    def _series(self, result: dict[str, Any], name: str) -> dict[str, Any]:
        """Return a series without impossible points; without any where its lists differ in length."""
        values = result.get("Values", [])
        stamps = result.get("Timestamps", [None] * len(values))
        if len(stamps) != len(values):
            self.left_out[(name, "Values")] += 1
            return result | {"Timestamps": [], "Values": [], "StatusCode": "Unsound"}
        points = [(at, v) for at, v in zip(stamps, values, strict=True) if at is not BAD and is_figure(v)]
        if len(points) < len(values):
            self.left_out[(name, "Values")] += len(values) - len(points)
            result |= {"Timestamps": [at for at, _ in points], "Values": [v for _, v in points]}
        return result

    def _map(self, value: Any, shape: Any, name: str, member: str) -> Any:
        if not isinstance(value, dict):
            return BAD
        found = {key: self._sound(part, shape.value, name, member) for key, part in value.items()}
        return BAD if BAD in found.values() or not all(isinstance(key, str) for key in found) else found

    def _list(self, value: Any, shape: Any, name: str, member: str) -> Any:
        if not isinstance(value, list):
            return BAD
        found = [self._sound(part, shape.member, name, member) for part in value]
        if member in POINTS:
            return found  # the two lists belong together: see `_series`
        kept = [part for part in found if part is not BAD]
        if len(kept) < len(found):
            self.left_out[(name, member)] += len(found) - len(kept)
        return kept


def is_figure(value: Any) -> bool:
    """Return whether it can be the value of a metric."""
    return type(value) in (int, float) and (value == 0 or LEAST_FIGURE <= value <= MOST_FIGURE)


def whole(text: Any) -> int | None:
    """Return a whole number, at least 0, from a text or a number; None for anything else."""
    if isinstance(text, str):
        return int(text) if text.isascii() and text.isdigit() and len(text) < DIGITS else None
    return text if type(text) is int and 0 <= text <= LARGEST else None


def _integer(value: Any, shape: Any) -> Any:
    """Return a whole number, which some servers send as text or with a point; few members may be negative."""
    if isinstance(value, str) or (type(value) is float and value.is_integer()):
        value = whole(value if isinstance(value, str) else int(value))
    if type(value) is not int or not -LARGEST <= value <= LARGEST:
        return BAD
    least = shape.metadata.get("min")
    return value if value >= 0 or least is None or least < 0 else BAD


def _moment(value: Any, _: Any) -> Any:
    sound = isinstance(value, datetime) or (finite(value) and 0 <= value <= LATEST_S)
    return value if sound else BAD


def _text(value: Any, shape: Any) -> Any:
    if shape.name == DECODED and isinstance(value, dict):
        return value
    if type(value) is int and finite(value):
        return str(value)
    return value if isinstance(value, str) else BAD


def _truth(value: Any, _: Any) -> Any:
    return value if type(value) is bool else BAD


def _number(value: Any, _: Any) -> Any:
    return value if finite(value) else BAD


_SCALARS: Mapping[str, Callable[[Any, Any], Any]] = {
    "string": _text,
    "character": _text,
    "boolean": _truth,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "timestamp": _moment,
}
