"""GetMetricData asked in batches, and its answers: pages, statuses, points."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lambdatop.aws.facts import seconds
from lambdatop.aws.metric_queries import PERIOD_S, Query
from lambdatop.aws.session import Api
from lambdatop.domain.errors import Denied, SourceError
from lambdatop.domain.events import MetricPoints
from lambdatop.domain.series import SeriesKey

QUERIES_AT_ONCE = 250
POINTS_AT_ONCE = 6_000
"""What one request may ask for. CloudWatch would take 500 series and 100,800 points and charges per
series, not per request; but building and parsing more at once would hold the loop for over 50 ms. With
`limits.metrics_per_s` it also keeps the 180,000 points a second that an account has below a third."""


class Span(NamedTuple):
    """Whole minutes in [start, end), s since the epoch."""

    start: int
    end: int

    @property
    def per_call(self) -> int:
        """How many series of it one request asks for."""
        minutes = max(1, (self.end - self.start) // PERIOD_S)
        return max(1, min(QUERIES_AT_ONCE, POINTS_AT_ONCE // minutes))


def span_until(now: float, minutes: int) -> Span:
    """The last `minutes`, the one that is under way included."""
    end = math.ceil(now / PERIOD_S) * PERIOD_S
    return Span(end - minutes * PERIOD_S, end)


class Answered:
    """What the pages of one answer said about one series."""

    def __init__(self) -> None:
        self.status = "Complete"
        self.points: dict[int, float] = {}

    def add(self, result: dict[str, Any], span: Span) -> None:
        """Take one page's points; the last page's status is the one that counts."""
        self.status = str(result.get("StatusCode") or "Complete")
        for stamp, value in zip(result.get("Timestamps") or (), result.get("Values") or (), strict=False):
            at = seconds(stamp)
            if at is not None and span.start <= at < span.end and math.isfinite(value):
                self.points[int(at // PERIOD_S) * PERIOD_S] = float(value)

    def ordered(self) -> tuple[tuple[int, float], ...]:
        """Points, oldest first."""
        return tuple(sorted(self.points.items()))


async def ask(
    api: Api, queries: Sequence[Query], span: Span, paid: Callable[[int], None]
) -> list[tuple[Query, Answered]]:
    """All of `queries`; `paid` is told how many series each request asks for, before it is sent."""
    answered: list[tuple[Query, Answered]] = []
    for i in range(0, len(queries), span.per_call):
        batch = queries[i : i + span.per_call]
        paid(len(batch))
        answered += await _ask(api, batch, span)
    return answered


async def _ask(api: Api, batch: Sequence[Query], span: Span) -> list[tuple[Query, Answered]]:
    ids = {f"q{i}": query for i, query in enumerate(batch)}
    results = {id_: Answered() for id_ in ids}
    async for page in api.pages(
        "cloudwatch",
        "GetMetricData",
        token="NextToken",
        MetricDataQueries=[query.request(id_) for id_, query in ids.items()],
        StartTime=datetime.fromtimestamp(span.start, UTC),
        EndTime=datetime.fromtimestamp(span.end, UTC),
        ScanBy="TimestampAscending",
    ):
        for result in page.get("MetricDataResults") or ():
            if result.get("Id") in results:
                results[result["Id"]].add(result, span)
    return [(query, results[id_]) for id_, query in ids.items()]


def usable(
    answered: Sequence[tuple[Query, Answered]], known: Callable[[SeriesKey], bool]
) -> tuple[MetricPoints, ...]:
    """Complete series, and incomplete ones where nothing is known yet: they must not erase minutes.

    Raises:
        Denied: all were refused.
        SourceError: none came completely.
    """
    data, refused = [], 0
    for query, answer in answered:
        if answer.status == "Complete":
            data.append(MetricPoints(query.series, answer.ordered()))
        elif answer.status == "Forbidden":
            refused += 1
        elif answer.points and not known(query.series):
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
