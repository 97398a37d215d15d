"""CloudWatch's statistics over the raw values of a period. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

_PERCENTILE = re.compile(r"^p(\d{1,2}(?:\.\d{1,10})?|100)$")

_PLAIN: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": math.fsum,
    "Average": lambda values: math.fsum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "SampleCount": lambda values: float(len(values)),
}


class UnknownStatistic(ValueError):
    """The statistic is not one that this layer computes."""


def check(name: str) -> None:
    """Raise UnknownStatistic unless ``name`` is Sum, Average, Minimum, Maximum, SampleCount or pNN."""
    if name not in _PLAIN and not _PERCENTILE.match(name):
        raise UnknownStatistic(f"The value {name} for parameter Stat is not supported.")


def compute(values: Sequence[float], name: str) -> float:
    """Return one statistic of a non-empty sequence.

    Percentiles interpolate linearly between the two nearest ranks; with one value it is that value.
    """
    check(name)
    plain = _PLAIN.get(name)
    if plain is not None:
        return float(plain(values))
    rank = float(name[1:]) / 100 * (len(values) - 1)
    ordered = sorted(values)
    low, high = math.floor(rank), math.ceil(rank)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (rank - low))
