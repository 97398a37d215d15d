"""Compute what a function cost exactly, from the billed time of its REPORT lines."""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.log_analysis.figures import LogFigures


class Exact(Struct, frozen=True):
    """What REPORT lines bill: USD per hour over the last `over_s` seconds.

    Not `complete`: lines are missing, so that it is at least that. Log ingestion and provisioned concurrency
    are in no REPORT and not in here.
    """

    usd_per_hour: float
    over_s: float
    complete: bool


def exact_burn(figures: LogFigures, times: float = 1.0) -> Exact | None:
    """Return the exact cost beside an estimate; None without a single REPORT that has a billed time.

    `times` is the demo's compression: published minutes pass so much faster than log lines are stamped. The
    estimate is per published hour, so this is, too.
    """
    if figures.usd_per_hour is None or figures.requests <= figures.unbilled_reports:
        return None
    whole = figures.complete and not figures.unbilled_reports
    return Exact(figures.usd_per_hour / times, (figures.until - figures.since) * times, whole)
