"""Remember between rounds of the metrics source what was asked when, and what it cost."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple

from lambdatop.aws.reads.metric_data import FAILED, PLAIN, Answered
from lambdatop.aws.reads.metric_queries import FUNCTION_METRICS, Query
from lambdatop.domain.cost.pricing import METRIC_USD
from lambdatop.domain.facts.not_read import Reason
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.polling.answers import Answers
from lambdatop.domain.polling.hot import LATELY_S
from lambdatop.domain.polling.state import NEVER
from lambdatop.domain.polling.tripwire import Metric
from lambdatop.domain.state.world import Spend

Tier = Literal["wire", "list", "sweep", "periodic", "detail", "wanted"]
HOUR_S = 3600.0
_WHY: dict[str, Reason] = {"Forbidden": "denied", FAILED: "failed"}
LACKING_S = 3_600.0
"""After so long a statistic that the server lacks is asked for again, s."""
FIRST_GUESS = float(len(FUNCTION_METRICS) + 1)
"""Assumed series of a function in detail, before the first was asked about."""


class Paid(NamedTuple):
    """Units that were paid for a tier at `at`, and whether nothing was wrong then."""

    at: float
    units: int
    tier: Tier
    calm: bool


class Ledger:
    """Units of the last hour. What a person asked for costs money, too, but does not count for the budget."""

    def __init__(self) -> None:
        self._paid: deque[Paid] = deque()
        self._totals: deque[tuple[float, float]] = deque()
        self._ours = 0
        self.calm = True

    def pay(self, now: float, units: int, tier: Tier) -> None:
        """Record that so many units were asked for at `now`, and whether that was in a calm time."""
        self._ours += units
        if tier != "wanted":
            self._paid.append(Paid(now, units, tier, self.calm))

    def spent(self, now: float) -> tuple[int, int, int]:
        """Return units of the last hour; of sweeps for a move; of calm times without the trip-wire's."""
        while self._paid and self._paid[0].at <= now - HOUR_S:
            self._paid.popleft()
        swept = sum(p.units for p in self._paid if p.tier == "sweep")
        calm = sum(p.units for p in self._paid if p.calm and p.tier != "wire")
        return sum(p.units for p in self._paid), swept, calm

    def others(self, now: float, spend: Spend) -> float:
        """Return what everything but this source cost within the hour, in units, by the meter's totals."""
        theirs = spend.usd / METRIC_USD - self._ours
        if not self._totals:  # a connection before this one may have spent already
            before = round(min(spend.usd, spend.usd_per_hour) / METRIC_USD)
            self._paid.append(Paid(now, before, "wire", calm=False))
        while self._totals and self._totals[0][0] < now - HOUR_S:
            self._totals.popleft()
        self._totals.append((now, theirs))
        return max(0.0, theirs - self._totals[0][1])


class Memory:
    """When each tier and resource was asked about last (s since the epoch), and which functions are hot.

    `series` is what a function in detail costs on average; `note` says what could not be read; `owed` are
    series that are worth asking for and have not been answered, with the reason.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.asked: dict[Key, float] = {}
        self.swept: dict[Metric, dict[Key, float]] = {}
        self.swept_excess: dict[Metric, float] = {}
        self.wire_at = NEVER
        self.discovered_at = NEVER
        self.periodic_at = NEVER
        self.full_since: float | None = None
        self.note = ""
        self.series = FIRST_GUESS
        self.owed: dict[SeriesKey, Reason] = {}
        self._lacking: dict[str, float] = {}
        self._doubted: set[str] = set()
        self._hot_until: dict[Key, float] = {}
        self._answers: dict[SeriesKey, int] = {}

    def found(self, keys: Iterable[Key], now: float) -> None:
        """Record functions that a sweep has found: they stay hot for a quarter of an hour."""
        self._hot_until |= dict.fromkeys(keys, now + LATELY_S)

    def hot(self, now: float) -> tuple[Key, ...]:
        """Return functions that a sweep has found lately, the newest first."""
        self._hot_until = {k: until for k, until in self._hot_until.items() if until > now}
        return tuple(sorted(self._hot_until, key=lambda k: (-self._hot_until[k], k)))

    def forget_others(self, existing: frozenset[Key]) -> None:
        """Drop what no longer exists, so that a long run does not remember every function there ever was."""
        gone = [s for s in self.owed if s.key.kind == "function" and s.key not in existing]
        for series in gone:
            del self.owed[series]
        if len(self.asked) > 2 * len(existing) + 100:
            self.asked = {k: at for k, at in self.asked.items() if k in existing}
        for metric, at in self.swept.items():
            if len(at) > 2 * len(existing) + 100:
                self.swept[metric] = {k: v for k, v in at.items() if k in existing}

    def due(self, query: Query, now: float) -> bool:
        """Return whether a series takes part this time: a slow one in its first and each `every`-th answer.

        A statistic that the server was found to lack is asked for again after an hour: each round would cost
        the same, without an answer.
        """
        if now < self._lacking.get(query.series.stat, NEVER) + LACKING_S:
            return False
        return query.every == 1 or self._answers.get(query.series, 0) % query.every == 0

    def answered(self, candidates: Iterable[Query]) -> None:
        """Count an answered round for the slow series among its candidates."""
        for query in candidates:
            if query.every > 1:
                self._answers[query.series] = self._answers.get(query.series, 0) + 1

    def note_answers(
        self, answered: Iterable[tuple[Query, Answered]], told: Collection[SeriesKey], seen: Answers
    ) -> None:
        """Remember series that CloudWatch refused or did not answer, unless older points are there.

        An answer that is not complete lacks points even so, the newest perhaps (API reference of
        MetricDataResult, StatusCode PartialData).
        """
        for query, answer in answered:
            series = query.series
            if series in told:
                self.owed.pop(series, None)
            if series in told and answer.status == "Complete":
                continue
            if answer.status == "PartialData" or series in told:
                self.owed[series] = "incomplete"
            elif not seen.answered(series):
                self.owed[series] = _WHY.get(answer.status, "not answered")

    def note_lacking(self, answered: Sequence[tuple[Query, Answered]], now: float) -> None:
        """Remember statistics that the server lacks, by two answers in a row.

        These are percentiles that failed, or have no point where another statistic of the metric has some.
        """
        running = {(q.series.key, q.series.metric) for q, a in answered if q.series.stat in PLAIN and a}
        for stat in {q.series.stat for q, _ in answered} - PLAIN:
            of_it = [(q, a) for q, a in answered if q.series.stat == stat]
            if any(a for _, a in of_it):
                self._doubted.discard(stat)
            elif any((q.series.key, q.series.metric) in running or a.status == FAILED for q, a in of_it):
                self._lacking |= {stat: now} if stat in self._doubted else {}
                self._doubted.add(stat)
