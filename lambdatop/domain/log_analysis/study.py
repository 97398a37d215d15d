"""Analyse a log line by line: figures, errors by kind, requests. Pure.

The same as `log_figures`, `digest_errors` and `requests` say of all the lines at once, but each line costs
its microseconds only when it comes, and what was learned outlives the bounded tail that the lines came
from. What it remembers is bounded, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lambdatop.domain.cost.prices import Prices
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.log_analysis.figures import WINDOW_S, FigureBook, LogFigures
from lambdatop.domain.log_analysis.fingerprints import ErrorBook, ErrorKind
from lambdatop.domain.log_analysis.requests import Request, RequestBook
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.records import Joiner, Record

SETTLE_S: Final = 5.0
"""An error that ends what is known of its stream counts after so long: its trace may still go on (s)."""
MOST_REQUESTS: Final = 2_000
MOST_KINDS: Final = 1_000
MOST_REPORTS: Final = 10_000
"""REPORTs (and environments) behind the figures: 10 minutes of 17 requests/s; more shortens their window."""


class LogStudy:
    """Analyses the lines of one log, in the order of each stream, as they come.

    Attributes:
        lines: lines taken.
        missed: lines that nobody handed in, by the gaps between their numbers.
        seq: number of the newest line.
        first_at: oldest stamp (s since the epoch), None before the first line.
        last_at: newest stamp.
    """

    def __init__(self) -> None:
        self._joiner = Joiner()
        self._errors = ErrorBook(MOST_KINDS)
        self._requests = RequestBook(MOST_REQUESTS)
        self._figures = FigureBook(MOST_REPORTS)
        self.lines = 0
        self.missed = 0
        self.seq = 0
        self.first_at: float | None = None
        self.last_at: float | None = None

    def feed(self, lines: Sequence[LogLine]) -> None:
        """Add lines, with the numbers that the tail gave them."""
        if not lines:
            return
        stamps = [line.at for line in lines]
        if self.seq:
            self.missed += max(0, lines[0].seq - self.seq - 1)
        elif lines[0].seq > 1:
            # The tail has dropped older lines already.
            self._figures.forget(min(stamps))
        self.seq = max(self.seq, lines[-1].seq)
        self.lines += len(lines)
        self.first_at = min(stamps) if self.first_at is None else min(self.first_at, *stamps)
        self.last_at = max(stamps) if self.last_at is None else max(self.last_at, *stamps)
        self._figures.take(lines)
        self._learn(self._joiner.feed(lines))
        # Nothing goes on with a line of the platform, so nobody has to wait for the end of those.
        self._learn(self._joiner.settle(self.last_at - SETTLE_S))

    def settle(self, before: float) -> None:
        """Declare that no line from before `before` (s since the epoch) is expected any more."""
        self._learn(self._joiner.settle(before))

    def _learn(self, records: Sequence[Record]) -> None:
        self._errors.take(records)
        self._requests.take(records)

    def figures(
        self, facts: FunctionFacts, until: float, window_s: float = WINDOW_S, prices: Prices | None = None
    ) -> LogFigures:
        """Return the figures of the last `window_s` before `until` (s since the epoch)."""
        whole = not self.missed
        return self._figures.found(facts, until - window_s, until, complete=whole, prices=prices)

    def errors(self) -> tuple[ErrorKind, ...]:
        """Return the kinds of errors, the most frequent first."""
        return self._errors.found()

    @property
    def errors_left_out(self) -> int:
        """Errors of kinds that were forgotten because there were so many kinds."""
        return self._errors.left_out

    def requests(self) -> tuple[Request, ...]:
        """Return the newest MOST_REQUESTS requests, in the order of their first lines."""
        return self._requests.found()
