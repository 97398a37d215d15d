"""Analyse the log of one function as its lines come, in small pieces between paints. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from lambdatop.domain.cost.burn import NO_BURN, AccountBurn
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.log_analysis.figures import WINDOW_S, Exact, LogFigures, exact_burn
from lambdatop.domain.log_analysis.fingerprints import ErrorKind
from lambdatop.domain.log_analysis.requests import FAILED, Request
from lambdatop.domain.log_analysis.study import LogStudy
from lambdatop.domain.log_analysis.tenants import TenantRequests, by_tenant
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.sections import section

PIECE = 100
"""Lines that are taken at once: about 3 ms."""
FRESH_S = 2.0
"""What was learned is summed up at most this often."""
SHOWN = 5
"""Kinds of errors, and requests, that the sheet lists."""


class Learned(Struct, frozen=True):
    """What is known of a log at a moment `at` (s since the epoch).

    `kinds` and `requests` are the first SHOWN; `errors` and `kind_count` count all of them, `failed`,
    `repeated` and `request_count` all requests that are remembered, `bad_left_out` those that failed or were
    repeated and are not in `requests`. `first_at` and `last_at` are stamps of lines; `missed` lines came too
    fast to be looked at. `exact` is what as many published minutes as `figures` has minutes of the clock cost
    per published hour, as estimates are; None without a billed REPORT. `tenants` are the first SHOWN of
    `tenant_count`, () for a function without tenant isolation.
    """

    at: float
    figures: LogFigures
    first_at: float
    last_at: float
    lines: int
    missed: int
    kinds: tuple[ErrorKind, ...]
    kind_count: int
    errors: int
    requests: tuple[Request, ...]
    request_count: int
    failed: int
    repeated: int
    bad_left_out: int
    exact: Exact | None
    tenants: tuple[TenantRequests, ...] = ()
    tenant_count: int = 0


class LogReader:
    """Follows one tail. `offer` takes what is new, `step` learns a piece of it, `learned` is the result.

    `failure` says that a piece could not be learned, or the sum not be made; what was learned before stays.
    """

    def __init__(self) -> None:
        self._study = LogStudy()
        self._tail: LogTail | None = None
        self._summed: tuple[int, LogTail | None] = (0, None)
        self._partial = False
        self.learned: Learned | None = None
        self.failure = ""

    def offer(self, tail: LogTail | None) -> None:
        """Take the tail as it is now; one that begins anew is read anew."""
        if tail is not None and tail.next_seq <= self._study.seq:
            self._study = LogStudy()
        self._tail = tail

    @property
    def behind(self) -> bool:
        """Whether there are lines that were not taken yet."""
        return self._tail is not None and self._tail.next_seq - 1 > self._study.seq

    def step(self) -> None:
        """Take one piece."""
        if self._tail is not None:
            piece = self._tail.after(self._study.seq)[:PIECE]
            section("a part of this log", lambda: self._study.feed(piece), self._fail)

    def _fail(self, sentence: str) -> None:
        self.failure = sentence

    def summarize(self, facts: FunctionFacts, now: float, account: AccountBurn = NO_BURN) -> bool:
        """Make `learned` anew if there is news and it is due (`now` s since the epoch); whether it was.

        The cost is by prices and compression of time of the estimate of the `account`. What is made of a part
        of the tail is made anew as soon as the rest was taken, too.
        """
        tail, study = self._tail, self._study
        if tail is None or study.first_at is None or study.last_at is None:
            return False
        fresh = self.learned is not None and abs(now - self.learned.at) < FRESH_S
        if (study.seq, tail) == self._summed or (fresh and (self.behind or not self._partial)):
            return False
        self._summed, self._partial = (study.seq, tail), self.behind
        section("log analysis", lambda: self._summarize(facts, now, account, tail), self._fail)
        return True

    def _summarize(self, facts: FunctionFacts, now: float, account: AccountBurn, tail: LogTail) -> None:
        study = self._study
        assert study.first_at is not None
        assert study.last_at is not None
        # Nothing is known of what was written after the last reading.
        until = max(tail.at, study.last_at)
        kinds, requests = study.errors(), study.requests()
        shown = notable(requests)[:SHOWN]
        times, prices = account.times, account.prices_of(facts.key.scope.region)
        figures = study.figures(facts, until, prices=prices)
        recent = figures if times == 1 else study.figures(facts, until, WINDOW_S / times, prices)
        tenants = by_tenant(requests) if facts.per_tenant else ()
        self.learned = Learned(
            now,
            figures,
            study.first_at,
            study.last_at,
            study.lines,
            study.missed,
            kinds[:SHOWN],
            len(kinds),
            sum(k.count for k in kinds) + study.errors_left_out,
            shown,
            len(requests),
            sum(1 for r in requests if r.status in FAILED),
            sum(1 for r in requests if r.attempts > 1),
            sum(1 for r in requests if is_bad(r)) - sum(1 for r in shown if is_bad(r)),
            exact_burn(recent, times),
            tenants[:SHOWN],
            len(tenants),
        )


def is_bad(request: Request) -> bool:
    """Return whether it failed or was repeated."""
    return request.status in FAILED or request.attempts > 1


def notable(requests: Sequence[Request]) -> tuple[Request, ...]:
    """Return failed and repeated requests (most often repeated first, then newest), then the slowest."""
    bad = sorted(
        (r for r in requests if is_bad(r)),
        key=lambda r: (-r.attempts, -r.last_at, r.request_id),
    )
    good = sorted(
        (r for r in requests if not is_bad(r)),
        key=lambda r: (-(r.duration_ms or 0.0), -r.last_at, r.request_id),
    )
    return (*bad, *good)
