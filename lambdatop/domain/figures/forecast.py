"""Forecast when a limit is reached: a robust trend over minutes, and the range of times it allows. Pure.

The trend is Theil and Sen's: the median of the slopes between all pairs of points, so that a third of the
points may be wild without moving it far. Its range is from the lower to the upper quartile of these slopes;
what remains, divided by both ends, is the range of the time to exhaustion. A trend whose lower quartile is
not above zero does not grow for certain: then there may be a soonest moment but no latest one, and one whose
median is not above zero is "not growing", which is an answer too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from msgspec import Struct

Confidence = Literal["high", "medium", "low", ""]

FEWEST = 4
"""Points below which there is no trend."""

ENOUGH, MANY = 6, 10
STEADY, LOOSE = 0.5, 1.5
"""Spread of the slopes (interquartile range / median) up to which a trend is steady, or loose but one."""

LEAST_GROWTH = 0.0005
"""Growth per minute, as a share of what is used, below which it is noise: so it takes 33 h to double."""

FARTHEST_S = 30 * 86_400.0
"""A range that begins later than this says "not growing": nobody plans an incident a month ahead."""


class Trend(Struct, frozen=True):
    """Growth per minute: the middle and the quartiles of all slopes, over `points` points."""

    per_min: float
    low: float
    high: float
    points: int

    @property
    def confidence(self) -> Confidence:
        """How far it may be trusted, by the spread of its slopes and by the number of points."""
        if self.points < ENOUGH or self.per_min == 0 or self.low * self.per_min <= 0:
            return "low"
        spread = (self.high - self.low) / abs(self.per_min)
        if spread <= STEADY and self.points >= MANY:
            return "high"
        return "medium" if spread <= LOOSE else "low"


class Forecast(Struct, frozen=True):
    """A trend and what it means for what remains: `exhausted_in_s` and its range are None = not growing."""

    trend: Trend | None = None
    exhausted_in_s: float | None = None
    range_s: tuple[float, float] | None = None
    confidence: Confidence = ""


UNKNOWN = Forecast()
"""Too few points to say anything."""


def theil_sen(points: Sequence[tuple[float, float]]) -> Trend | None:
    """Return the trend of (s, value) points per minute; None with fewer than `FEWEST` of them.

    All pairs of at most 60 points are compared, 1,770 slopes.
    """
    if len(points) < FEWEST:
        return None
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) * 60 for a, b in combinations(points, 2) if b[0] != a[0])
    if not slopes:
        return None
    return Trend(quantile(slopes, 0.5), quantile(slopes, 0.25), quantile(slopes, 0.75), len(points))


def quantile(ordered: Sequence[float], q: float) -> float:
    """Return the q-quantile of sorted values, by linear interpolation."""
    at = q * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def forecast(points: Sequence[tuple[float, float]], headroom: float, used: float) -> Forecast:
    """Return when `headroom` is used up at the trend of the points; 0 s where nothing is left of it.

    Growth is compared with `used`: less than 0.05 % of it a minute is no growth.
    """
    trend = theil_sen(points)
    if trend is None:
        return UNKNOWN
    if trend.per_min <= max(0.0, used * LEAST_GROWTH):
        return Forecast(trend)
    if headroom <= 0:
        return Forecast(trend, 0.0, (0.0, 0.0), trend.confidence)
    left = headroom / trend.per_min * 60
    soonest = headroom / trend.high * 60
    latest = headroom / trend.low * 60 if trend.low > 0 else math.inf
    if soonest > FARTHEST_S:
        return Forecast(trend)
    return Forecast(trend, left, (soonest, latest), trend.confidence)
