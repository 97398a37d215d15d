"""CloudWatch's minute series of every function and queue, by GetMetricData.

Each answer covers the whole history window and replaces it: late, doubled and corrected minutes need
no bookkeeping, and a window costs the same however long it is (one unit per series and request).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lambdatop.aws import known
from lambdatop.aws.facts import seconds
from lambdatop.aws.metric_queries import (
    ASYNC_METRICS,
    FUNCTION_METRICS,
    PERIOD_S,
    Query,
    account_queries,
    function_queries,
    mapping_queries,
    queue_queries,
    stream_queries,
)
from lambdatop.aws.queues import queue_key
from lambdatop.aws.session import Api
from lambdatop.aws.turns import in_turn
from lambdatop.domain.errors import Denied, SourceError
from lambdatop.domain.events import Event, MetricPoints, MetricsObserved
from lambdatop.domain.ports import View
from lambdatop.domain.pricing import METRIC_USD
from lambdatop.domain.scope import Key, Scope
from lambdatop.domain.series import SeriesKey
from lambdatop.domain.settings import Settings

QUERIES_AT_ONCE = 250
POINTS_AT_ONCE = 6_000
"""What one request may ask for. CloudWatch would take 500 series and 100,800 points and charges per
series, not per request; but building and parsing more at once would hold the loop for over 50 ms."""

MOST_A_FUNCTION = len(FUNCTION_METRICS) + len(ASYNC_METRICS) + 4
"""Series that one function may cost in a round: what all have, and what some have besides."""

SERIES_PER_ROUND = 4_000
"""What one round may ask for ($0.04); in larger accounts the functions take turns."""


class MetricsSource:
    """GetMetricData in batches, all of the window [now - history, now), rounded up to the minute."""

    name = "metrics"

    def __init__(self, api: Api, scope: Scope, settings: Settings) -> None:
        self._api = api
        self._scope = scope
        self._minutes = settings.metrics.history_min
        self._budget = settings.limits.budget_usd_per_hour
        self._pace = settings.paces.metrics
        self._asked: dict[Key, int] = {}
        self._slow: dict[SeriesKey, int] = {}
        self._round = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """One round; CloudWatch bills it even when a later batch fails."""
        self._round += 1
        every, chosen = self._queries(view)
        queries = [q for q in every if self._due(q)]
        end = math.ceil(self._api.now() / PERIOD_S) * PERIOD_S
        start = end - self._minutes * PERIOD_S
        size = max(1, min(QUERIES_AT_ONCE, POINTS_AT_ONCE // self._minutes))
        answered: list[tuple[Query, _Answered]] = []
        for i in range(0, len(queries), size):
            answered += await self._ask(queries[i : i + size], start, end)
        data = _usable(answered, view)
        self._asked |= dict.fromkeys(chosen, self._round)
        self._slow |= {q.series: self._round for q in queries if q.every > 1}
        return (MetricsObserved(self._scope, self._api.now(), start, end, data),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """The pace at which the series cost what the budget allows: units x $0.00001 x 3600 / budget."""
        queries, chosen = self._queries(view)
        known_functions = len(known.functions(view, self._scope))
        # A function whose turn comes in every tenth round has its slow series asked for each time.
        turns = known_functions / max(1, len(chosen))
        units = math.ceil(round(sum(min(1.0, turns / q.every) for q in queries), 6))
        if self._budget <= 0:
            return 0.0, ""
        floor = units * METRIC_USD * 3600 / self._budget
        if floor <= self._pace:
            return 0.0, ""
        asked = units * METRIC_USD * 3600 / self._pace
        why = (
            f"{units} series every {self._pace:.0f} s would cost ${asked:.2f} an hour, "
            f"more than the budget of ${self._budget:.2f}"
        )
        if len(chosen) < known_functions:
            why += f"; {known_functions} functions take turns, {len(chosen)} a round"
        return floor, why

    def _due(self, query: Query) -> bool:
        """Whether its round has come; what was never asked for is due at once."""
        return query.every == 1 or self._round - self._slow.get(query.series, -query.every) >= query.every

    def _queries(self, view: View) -> tuple[list[Query], list[Key]]:
        """This round's series, and the functions among them."""
        scope = self._scope
        mappings = known.mappings(view, scope)
        queues = {q.key for q in known.queues(view)}
        queues |= {q.dlq for q in known.queues(view) if q.dlq is not None}
        sources = {queue_key(m.source_arn, scope) for m in mappings if m.source_kind == "sqs"}
        fixed = [
            *account_queries(scope),
            *queue_queries(scope, sorted(queues | sources), sources),
            *mapping_queries(view.world, mappings),
            *stream_queries(scope, mappings),
        ]
        most = max(1, (SERIES_PER_ROUND - len(fixed)) // MOST_A_FUNCTION)
        chosen = in_turn(view, [f.key for f in known.functions(view, scope)], self._asked, most)
        functions = [f for k in chosen if (f := view.world.functions.get(k))]
        return [*fixed, *function_queries(view.world, functions, mappings)], chosen

    async def _ask(self, batch: Sequence[Query], start: int, end: int) -> list[tuple[Query, _Answered]]:
        ids = {f"q{i}": query for i, query in enumerate(batch)}
        results = {id_: _Answered() for id_ in ids}
        async for page in self._api.pages(
            "cloudwatch",
            "GetMetricData",
            token="NextToken",
            MetricDataQueries=[query.request(id_) for id_, query in ids.items()],
            StartTime=datetime.fromtimestamp(start, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
            ScanBy="TimestampAscending",
        ):
            for result in page.get("MetricDataResults") or ():
                if result.get("Id") in results:
                    results[result["Id"]].add(result, start, end)
        return [(query, results[id_]) for id_, query in ids.items()]


class _Answered:
    """What the pages of one answer said about one series."""

    def __init__(self) -> None:
        self.status = "Complete"
        self.points: dict[int, float] = {}

    def add(self, result: dict[str, Any], start: int, end: int) -> None:
        """Take one page's points; the last page's status is the one that counts."""
        self.status = str(result.get("StatusCode") or "Complete")
        for stamp, value in zip(result.get("Timestamps") or (), result.get("Values") or (), strict=False):
            at = seconds(stamp)
            if at is not None and start <= at < end and math.isfinite(value):
                self.points[int(at // PERIOD_S) * PERIOD_S] = float(value)

    def ordered(self) -> tuple[tuple[int, float], ...]:
        """Points, oldest first."""
        return tuple(sorted(self.points.items()))


def _usable(answered: Sequence[tuple[Query, _Answered]], view: View) -> tuple[MetricPoints, ...]:
    """Complete series, and incomplete ones where nothing is known yet: they must not erase minutes."""
    data, refused = [], 0
    for query, answer in answered:
        if answer.status == "Complete":
            data.append(MetricPoints(query.series, answer.ordered()))
        elif answer.status == "Forbidden":
            refused += 1
        elif answer.points and query.series not in view.world.series:
            data.append(MetricPoints(query.series, answer.ordered()))
    if answered and refused == len(answered):
        raise Denied(
            "cloudwatch:GetMetricData is denied to this identity: allow it in its IAM policy "
            "(`lambdatop policy`).",
            action="cloudwatch:GetMetricData",
        )
    if answered and not data:
        raise SourceError("CloudWatch answered none of the series completely; it will be asked again.")
    return tuple(data)
