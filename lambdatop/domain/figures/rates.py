"""Compute the figures of a row from minute series: rates, windows, trends, sparklines."""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.facts.series import MINUTE, Series, final_end
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state.snapshot import Trend
from lambdatop.domain.state.world import World

SPARK_MINUTES = 30
TREND_MINUTES = 3

Points = tuple[tuple[float, float], ...]
"""(s since the epoch, value), oldest first."""


class Window(Struct, frozen=True):
    """The final minutes in [start, end), s since the epoch; `minutes` of them."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        """Length in minutes."""
        return (self.end - self.start) // MINUTE


def window(now: float, minutes: int, settings: MetricSettings) -> Window:
    """Return the window of the last `minutes` final minutes."""
    end = final_end(now, settings.publish_delay_s)
    return Window(end - minutes * MINUTE, end)


def known_window(world: World, key: Key, metric: str, stat: str, full: Window) -> Window | None:
    """Return `full`, shortened to where the series begins; None when it has no point before the end.

    Without this a function that exists for one minute would show a third of its rate.
    """
    series = world.metric(key, metric, stat)
    if not series.times or series.times[0] >= full.end:
        return None
    return Window(max(full.start, series.times[0]), full.end)


def trend(series: Series, end: int) -> Trend:
    """Return the direction of the last TREND_MINUTES against as many before; under 20 % is flat.

    A missing minute of a counter means nothing happened in it, so it counts as zero here.
    """
    recent = series.sum(end - TREND_MINUTES * MINUTE, end)
    before = series.sum(end - 2 * TREND_MINUTES * MINUTE, end - TREND_MINUTES * MINUTE)
    if not series.times or series.times[0] >= end - TREND_MINUTES * MINUTE:
        return ""
    if recent > before * 1.2:
        return "up"
    return "down" if recent < before * 0.8 else "flat"


def gauge_trend(series: Series, end: int, minutes: int = TREND_MINUTES) -> Trend:
    """Return the direction of a gauge (maximum per minute); under 20 % is flat, no points no direction."""
    recent = series.max(end - minutes * MINUTE, end)
    before = series.max(end - 2 * minutes * MINUTE, end - minutes * MINUTE)
    if recent is None or before is None:
        return ""
    if recent > before * 1.2:
        return "up"
    return "down" if recent < before * 0.8 else "flat"


def began(series: Series, end: int, quiet_min: int = 3) -> int | None:
    """Start of the minute in which what goes on now began: the run of minutes above zero before `end`.

    A quiet stretch of up to `quiet_min` minutes does not end it. None when nothing goes on.
    """
    first: int | None = None
    for at, value in zip(reversed(series.times), reversed(series.values), strict=True):
        if at >= end or value <= 0:
            continue
        if at < (end if first is None else first) - (quiet_min + 1) * MINUTE:
            break
        first = at
    return first


def spark(series: Series, end: int) -> tuple[float | None, ...]:
    """Return the last SPARK_MINUTES final minutes, oldest first, None where there is no point."""
    return series.grid(end - SPARK_MINUTES * MINUTE, SPARK_MINUTES)


def points_of(series: Series, over: Window) -> Points:
    """Return the points of a window."""
    pairs = zip(series.times, series.values, strict=True)
    return tuple((float(t), v) for t, v in pairs if over.start <= t < over.end)


def slope_per_min(points: Points) -> float | None:
    """Return the least-squares slope per minute of (s, value) points; None below two distinct times."""
    if len(points) < 2:
        return None
    n = len(points)
    mean_t = sum(t for t, _ in points) / n
    mean_v = sum(v for _, v in points) / n
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    if spread == 0:
        return None
    return sum((t - mean_t) * (v - mean_v) for t, v in points) / spread * MINUTE
