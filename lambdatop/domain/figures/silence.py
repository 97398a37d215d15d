"""Find functions that stopped: steady traffic for most of an hour, and then none. Pure."""

from __future__ import annotations

from lambdatop.domain.facts.series import MINUTE, Series

HISTORY_MIN = 45
QUIET_MIN = 5
STEADY = 0.9
"""Share of the minutes before that had invocations."""
LEAST_PER_MIN = 5.0


def went_silent(series: Series, until: float, settle_s: float) -> float | None:
    """Return the invocations per minute before it went silent; None where it did not, or never ran steadily.

    `until` is the time up to which the counter was asked for, s since the epoch; `settle_s` how old a minute
    must be to be final: CloudWatch's delay, and runs that are still going on.
    """
    quiet = int(until - settle_s) // MINUTE * MINUTE - QUIET_MIN * MINUTE
    if not series.times or series.times[-1] < quiet - HISTORY_MIN * MINUTE:
        return None
    last = last_run(series)
    if last is None or last >= quiet:
        return None
    before = [value or 0.0 for value in series.grid(last + MINUTE - HISTORY_MIN * MINUTE, HISTORY_MIN)]
    busy = sum(value > 0 for value in before)
    mean = sum(before) / HISTORY_MIN
    return mean if busy >= STEADY * HISTORY_MIN and mean >= LEAST_PER_MIN else None


def last_run(series: Series) -> int | None:
    """Return the last minute with invocations (s since the epoch)."""
    pairs = zip(reversed(series.times), reversed(series.values), strict=True)
    return next((at for at, value in pairs if value > 0), None)
