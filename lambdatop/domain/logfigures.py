"""Figures of one function out of its log: cold starts, environments, what it costs. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from lambdatop.domain.function import FunctionFacts
from lambdatop.domain.logdigest import Digest, Reported, digest
from lambdatop.domain.pricing import burn_usd
from lambdatop.domain.world import LogTail

WINDOW_S = 900.0
"""Window of the figures unless told otherwise, in s."""
GAP_S = 10.0
"""An environment without a START for this long after its initialisation was made ahead of requests, in s.

Telemetry section 12: below 1 s the request waited for it; 10 s is the threshold in common use.
"""
INIT_LIMIT_S = 10.0
"""Longest initialisation on demand; stands in where no line says how long it took, in s."""


@dataclass(frozen=True, slots=True)
class LogFigures:
    """What the log says about one function between `since` and `until` (s since the epoch).

    Attributes:
        since: begin of the window, or the tail's first line when that is later.
        until: end of the window.
        complete: whether the tail holds every line of the window that was asked for.
        requests: executions with a REPORT.
        cold_start_share: share of those with an initialisation, 0..1; None without any.
        environments: distinct log streams with a line in the window.
        proactive_inits: initialisations in the window that no START followed within GAP_S. Provisioned
            concurrency and SnapStart do so by design.
        billed_ms: sum of the billed durations in ms, initialisation and restore included as AWS bills them.
        unbilled_reports: REPORTs that name no billed duration (managed instances); not in `billed_ms`.
        usd: what the window cost at list price: billed ms x memory of each REPORT, and the requests.
        usd_per_hour: the same per hour; None for an empty window.
    """

    since: float
    until: float
    complete: bool
    requests: int
    cold_start_share: float | None
    environments: int
    proactive_inits: int
    billed_ms: float
    unbilled_reports: int
    usd: float
    usd_per_hour: float | None


def log_figures(tail: LogTail, facts: FunctionFacts, until: float, window_s: float = WINDOW_S) -> LogFigures:
    """The figures of the last `window_s` seconds before `until` (s since the epoch)."""
    whole = digest(tail)
    begin = until - window_s
    # A tail that dropped lines knows nothing of the time before its first one.
    cut = bool(tail.lines) and tail.lines[0].seq > 1 and whole.first_at > begin
    since = whole.first_at if cut else begin
    reports = [r for r in whole.reports if since <= r.at <= until]
    cold = sum(1 for r in reports if r.report.init_ms is not None)
    billed = [r for r in reports if r.report.billed_ms is not None]
    usd = _usd(billed, facts)
    return LogFigures(
        since,
        until,
        tail.complete and not cut,
        len(reports),
        cold / len(reports) if reports else None,
        len({line.stream for line in tail.lines if since <= line.at <= until}),
        _proactive(whole, since, until),
        sum(r.report.billed_ms or 0.0 for r in billed),
        len(reports) - len(billed),
        usd,
        usd * 3600 / (until - since) if until > since else None,
    )


def _usd(reports: list[Reported], facts: FunctionFacts) -> float:
    """Exact to the REPORT: its own memory counts, because a deployment may have changed it."""
    billed: dict[int, list[float]] = defaultdict(list)
    for reported in reports:
        billed[int(reported.report.memory_mb or facts.memory_mb)].append(reported.report.billed_ms or 0.0)
    return sum(
        burn_usd(replace(facts, memory_mb=size), sum(times), len(times)) for size, times in billed.items()
    )


def _proactive(whole: Digest, since: float, until: float) -> int:
    seen = whole.environments
    init_s = max((e.init_ms / 1000 for e in seen if e.init_ms is not None), default=INIT_LIMIT_S)
    early = [e for e in seen if e.init_at is not None and since <= e.init_at <= until]
    return sum(1 for e in early if (gap := e.idle_s(until, init_s)) is not None and gap > GAP_S)
