"""Compute figures of one function from its log: cold starts, environments, cost. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import fsum, inf

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.cost.prices import Prices
from lambdatop.domain.cost.pricing import burn_usd
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import or_none
from lambdatop.domain.log_analysis.digest import Environment, Reported, after, digest
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogTail

WINDOW_S = 600.0
"""Window of the figures unless told otherwise, in s: as far back as a tail reaches when it begins. A longer
one would count minutes that nobody read as minutes without requests."""
GAP_S = 10.0
"""An environment without a START for this long after its initialisation was made ahead of requests, in s.

Below 1 s the request waited for it; 10 s is the threshold in common use.
"""
INIT_LIMIT_S = 10.0
"""Longest initialisation on demand; stands in where no line says how long it took, in s."""


class LogFigures(Struct, frozen=True):
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

    @property
    def billed_usd_per_hour(self) -> float | None:
        """The cost per hour; None without a single REPORT that has a billed time."""
        return self.usd_per_hour if self.requests > self.unbilled_reports else None


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
    usd = figures.billed_usd_per_hour
    if usd is None:
        return None
    whole = figures.complete and not figures.unbilled_reports
    return Exact(usd / times, (figures.until - figures.since) * times, whole)


def log_figures(
    tail: LogTail,
    facts: FunctionFacts,
    until: float,
    window_s: float = WINDOW_S,
    prices: Prices | None = None,
) -> LogFigures:
    """Return the figures of the last `window_s` seconds before `until` (s since the epoch).

    Without `prices`, the table's of the function's region apply.
    """
    whole = digest(tail)
    begin = until - window_s
    # A tail that dropped lines knows nothing of the time before its first one.
    cut = bool(tail.lines) and tail.lines[0].seq > 1 and whole.first_at > begin
    since = whole.first_at if cut else begin
    reports = [r for r in whole.reports if since <= r.at <= until]
    return _figures(
        reports, whole.environments, facts, since, until, prices, complete=tail.complete and not cut
    )


class FigureBook:
    """What figures are made of, as lines come: in the order of each stream, in any pieces.

    It remembers `most` REPORTs and as many environments; those without a line for longest leave first.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._reports: list[Reported] = []
        self._environments: dict[str, Environment] = {}
        self._known_from = -inf

    def take(self, lines: Iterable[LogLine]) -> None:
        """Add lines."""
        for line in lines:
            seen = self._environments.get(line.stream)
            self._environments[line.stream] = after(seen, line)
            if line.kind == "report" and line.report is not None:
                insort(self._reports, Reported(line.at, line.request_id, line.stream, line.report), key=_at)
        if self._most is not None and len(self._reports) > self._most:
            self.forget(self._reports[len(self._reports) // 2].at)
        if self._most is not None and len(self._environments) > self._most:
            newest = sorted(self._environments.values(), key=lambda e: e.last_at)[-(self._most // 2) :]
            self.forget(newest[0].last_at)

    def forget(self, before: float) -> None:
        """Drop everything before a moment (s since the epoch), which is never asked for again."""
        self._known_from = max(self._known_from, before)
        del self._reports[: bisect_left(self._reports, before, key=_at)]
        self._environments = {n: e for n, e in self._environments.items() if e.last_at >= before}

    def found(
        self,
        facts: FunctionFacts,
        since: float,
        until: float,
        *,
        complete: bool = True,
        prices: Prices | None = None,
    ) -> LogFigures:
        """Return the figures between two moments (s since the epoch), as far back as they are kept."""
        begin = max(since, min(self._known_from, until))
        low, high = bisect_left(self._reports, begin, key=_at), bisect_right(self._reports, until, key=_at)
        reports, known = self._reports[low:high], tuple(self._environments.values())
        return _figures(reports, known, facts, begin, until, prices, complete=complete and begin == since)


def _at(reported: Reported) -> float:
    return reported.at


def _figures(
    reports: Sequence[Reported],
    environments: Sequence[Environment],
    facts: FunctionFacts,
    since: float,
    until: float,
    prices: Prices | None,
    *,
    complete: bool,
) -> LogFigures:
    cold = sum(1 for r in reports if r.report.init_ms is not None)
    billed = [r for r in reports if r.report.billed_ms is not None and (r.report.memory_mb or facts.priced)]
    usd = _usd(billed, facts, prices)
    return LogFigures(
        since,
        until,
        complete,
        len(reports),
        cold / len(reports) if reports else None,
        sum(1 for e in environments if e.last_at >= since and e.first_at <= until),
        _proactive(environments, since, until),
        fsum(r.report.billed_ms or 0.0 for r in billed),
        len(reports) - len(billed),
        usd,
        usd * 3600 / (until - since) if until > since else None,
    )


def _usd(reports: list[Reported], facts: FunctionFacts, prices: Prices | None) -> float:
    """Return the USD, exact to the REPORT.

    Its own memory size counts, because a deployment may have changed it. Each of `reports` has one, or the
    function's is known, or memory has no price (managed instances).
    """
    billed: dict[int, list[float]] = defaultdict(list)
    for reported in reports:
        size = reported.report.memory_mb or or_none(facts.memory_mb) or 0
        billed[int(size)].append(reported.report.billed_ms or 0.0)
    return fsum(
        burn_usd(replace(facts, memory_mb=size), fsum(times), len(times), prices)
        for size, times in billed.items()
    )


def _proactive(seen: Sequence[Environment], since: float, until: float) -> int:
    init_s = max((e.init_ms / 1000 for e in seen if e.init_ms is not None), default=INIT_LIMIT_S)
    early = [e for e in seen if e.init_at is not None and since <= e.init_at <= until]
    return sum(1 for e in early if (gap := e.idle_s(until, init_s)) is not None and gap > GAP_S)
