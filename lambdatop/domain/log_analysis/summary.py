"""Summarize the tail of one function's log at the moment of a snapshot. Pure.

It is computed when somebody asks for it, not for every snapshot: of ten thousand functions a console shows
the log of one, which it learns line by line instead (`reader.py`).
"""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.cost.burn import AccountBurn
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.log_analysis.digest import events
from lambdatop.domain.log_analysis.figures import WINDOW_S, Exact, LogFigures, exact_burn, log_figures
from lambdatop.domain.log_analysis.fingerprints import ErrorKind, digest_errors
from lambdatop.domain.log_analysis.requests import requests
from lambdatop.domain.log_analysis.tenants import TenantRequests, by_tenant
from lambdatop.domain.loglines.records import join
from lambdatop.domain.loglines.tail import LogTail


class LogSummary(Struct, frozen=True):
    """What the last minutes of a tail hold, up to its last reading.

    `exact` is what they cost per published hour, as estimates are; None without a billed REPORT. `lines` and
    `kinds` (of errors) are those of the window of `figures`; so are `tenants`, () without tenant isolation.
    """

    figures: LogFigures
    exact: Exact | None
    lines: int
    kinds: tuple[ErrorKind, ...]
    tenants: tuple[TenantRequests, ...] = ()


def log_summary(tail: LogTail | None, facts: FunctionFacts, account: AccountBurn) -> LogSummary | None:
    """Return what a tail teaches; None for one that was not read.

    The cost is by the prices and the compression of time that the estimate of the `account` was made with.
    """
    if tail is None or not tail.at:
        return None
    # A stamp may be ahead of our clock; nothing is known of what was written after the last reading.
    until = max((tail.at, *(line.at for line in tail.lines)))
    prices = account.prices_of(facts.key.scope.region)
    figures = log_figures(tail, facts, until, prices=prices)
    times, recent = account.times, figures
    if times != 1:
        recent = log_figures(tail, facts, until, WINDOW_S / times, prices)
    records = [r for r in join(events(tail)) if r.at >= figures.since]
    return LogSummary(
        figures,
        exact_burn(recent, times),
        sum(1 for line in tail.lines if line.at >= figures.since),
        digest_errors(records),
        by_tenant(requests(records)) if facts.per_tenant else (),
    )
