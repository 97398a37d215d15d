"""Find what a counter did all at once, by its own history. Pure.

A burst is a jump that stays, or growth minute by minute; silence comes after steady traffic.
"""

from __future__ import annotations

from itertools import pairwise
from math import inf
from statistics import fmean

from msgspec import Struct

from lambdatop.domain.facts.series import MINUTE, Series

HISTORY_MIN = 60
LEAST_HISTORY_MIN = 10
LATEST_MIN = 15
"""A jump that is older than this has become what is usual."""
STAYS_MIN = 2
GROWS_MIN = 3
EACH_GROWS = 1.2
"""So many minutes in a row grow, each by this factor at least, for counts of a few waver."""
OF_GROWTH = 0.33
"""Growth begins from nothing, so that less than a jump is enough to be sure, as a part of its factor."""

SLOW_MIN = 15
EACH_PART_GROWS = 1.6
"""Slow growth has each part of SLOW_MIN grow so: a straight line of ten times in all ends with 1.4."""

STEADY_MIN = 45
QUIET_MIN = 5
STEADY = 0.9
"""Share of the minutes before that had invocations."""
LEAST_PER_MIN = 5.0


class Burst(Struct, frozen=True):
    """From at most `before` a minute to `now`, since a moment (s since the epoch).

    `steps` are the minutes of growth, oldest first, or of `slow` growth the means at its ends and thirds; ()
    for a jump.
    """

    before: float
    now: float
    since: float
    steps: tuple[float, ...] = ()
    slow: bool = False

    @property
    def words(self) -> str:
        """`20 -> 36 -> 65 -> 117 a minute`, or `2 -> 3000 a minute`."""
        values = self.steps or (self.before, self.now)
        return f"{' -> '.join(f'{value:.0f}' for value in values)} a minute"


def burst(
    series: Series, end: int, factor: float, growth: float, least: float, asked_from: int | None = None
) -> Burst | None:
    """Return the burst in the minutes before `end` (s since the epoch), None without one.

    A jump is `factor` times the most of the hour before, for STAYS_MIN minutes or more; growth is `growth`
    times the minute before, on average of GROWS_MIN minutes, or `factor` times over SLOW_MIN minutes. None
    counts below `least` a minute. `asked_from` is the first minute that was asked for (s since the epoch),
    None where that is not known or the function did not exist: without points it did not run since then,
    and whoever rests may well begin with `least`.
    """
    newest = series.sum(end - MINUTE, end)
    if newest < least:  # most functions end here
        return None
    needed = LEAST_HISTORY_MIN + STAYS_MIN
    minutes = min(HISTORY_MIN, (end - series.times[0]) // MINUTE)
    if minutes < needed:
        minutes = 0 if asked_from is None else min(HISTORY_MIN, (end - asked_from) // MINUTE)
        if minutes < needed or newest < factor * least:
            return None
        growth = inf
    long_ago = series.max(end - minutes * MINUTE, end - LATEST_MIN * MINUTE) or 0.0
    if newest < min(1.0, OF_GROWTH) * factor * long_ago:  # neither can be
        return None
    counts = [value or 0.0 for value in series.grid(end - minutes * MINUTE, minutes)]
    return (
        _growth(counts, end, factor, growth)
        or _jump(counts, end, factor, least)
        or (_slow_growth(counts, end, factor) if growth < inf else None)
    )


def _growth(counts: list[float], end: int, factor: float, growth: float) -> Burst | None:
    steps = counts[-GROWS_MIN - 1 :]
    before = max(counts[:-GROWS_MIN])
    if any(b < EACH_GROWS * max(a, 1.0) for a, b in pairwise(steps)):
        return None
    if steps[-1] < max(growth**GROWS_MIN * max(steps[0], 1.0), OF_GROWTH * factor * before):
        return None
    return Burst(before, steps[-1], float(end - (GROWS_MIN + 1) * MINUTE), tuple(steps))


def _slow_growth(counts: list[float], end: int, factor: float) -> Burst | None:
    """Return growth over SLOW_MIN minutes whose parts all grow, as those of a loop do, not of a line."""
    if len(counts) < SLOW_MIN + LEAST_HISTORY_MIN:
        return None
    lately = counts[-SLOW_MIN - 1 :]
    parts = tuple(fmean(part) for part in (lately[:3], lately[4:7], lately[9:12], lately[-3:]))
    before = max(counts[:-SLOW_MIN])
    if any(b < EACH_PART_GROWS * max(a, 1.0) for a, b in pairwise(parts)):
        return None
    if parts[-1] < factor * max(parts[0], 1.0) or parts[-1] < OF_GROWTH * factor * before:
        return None
    return Burst(before, counts[-1], float(end - SLOW_MIN * MINUTE), parts, slow=True)


def _jump(counts: list[float], end: int, factor: float, least: float) -> Burst | None:
    for since in range(STAYS_MIN, min(LATEST_MIN, len(counts) - LEAST_HISTORY_MIN) + 1):
        before, after = max(counts[:-since]), min(counts[-since:])
        if after >= least and after >= factor * max(before, 1.0):
            return Burst(before, counts[-1], float(end - since * MINUTE))
    return None


def went_silent(series: Series, until: float, settle_s: float) -> float | None:
    """Return the invocations per minute before it went silent; None where it did not, or never ran steadily.

    `until` is the time up to which the counter was asked for, s since the epoch; `settle_s` how old a minute
    must be to be final: CloudWatch's delay, and runs that are still going on.
    """
    quiet = int(until - settle_s) // MINUTE * MINUTE - QUIET_MIN * MINUTE
    if not series.times or series.times[-1] < quiet - STEADY_MIN * MINUTE:
        return None
    last = last_run(series)
    if last is None or last >= quiet:
        return None
    before = [value or 0.0 for value in series.grid(last + MINUTE - STEADY_MIN * MINUTE, STEADY_MIN)]
    busy = sum(value > 0 for value in before)
    mean = sum(before) / STEADY_MIN
    return mean if busy >= STEADY * STEADY_MIN and mean >= LEAST_PER_MIN else None


def last_run(series: Series) -> int | None:
    """Return the last minute with invocations (s since the epoch)."""
    pairs = zip(reversed(series.times), reversed(series.values), strict=True)
    return next((at for at, value in pairs if value > 0), None)
