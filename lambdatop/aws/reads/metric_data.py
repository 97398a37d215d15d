"""Ask GetMetricData in batches, and read its answers: pages, statuses, points."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil
from typing import Any, NamedTuple

from lambdatop.aws.facts.resources import seconds
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND
from lambdatop.aws.reads.metric_queries import PERIOD_S, Query
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import Denied, NotThere, SourceError
from lambdatop.domain.facts.series import Columns, SeriesKey
from lambdatop.domain.keys import Scope
from lambdatop.domain.state.events import MetricPoints, MetricsObserved
from lambdatop.domain.state.world import World


async def all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all; the first error ends the others and is raised as it is."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


QUERIES_AT_ONCE = 500
POINTS_AT_ONCE = 30_000
"""Points of one request. CloudWatch would take 100,800 and charges per series, not per request; but reading
more at once would block the loop, and with it the keys, for over 50 ms."""

POINTS_PER_TURN = 6_000
"""Points for which one token of the rate limit is taken: with `limits.metrics_per_s` it keeps the 180,000
points a second that an account has below a third."""

TAKEN_AT_ONCE, SORTED_AT_ONCE = 100, 1_000
"""Series of an answer or a round after which other tasks of the loop run: some ms."""

PLAIN = frozenset({"SampleCount", "Sum", "Average", "Minimum", "Maximum"})
"""Statistics that CloudWatch keeps; all others (p99, tm90 …) it computes."""

FAILED = "Failed"
"""The status of a series whose request failed while others were answered; CloudWatch has no such status."""

SIDE_BY_SIDE = 3
"""Requests at the same time: CloudWatch takes longer for an answer than we do."""


class Span(NamedTuple):
    """Whole minutes in [start, end), s since the epoch."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        """Its length, at least one."""
        return max(1, (self.end - self.start) // PERIOD_S)

    @property
    def per_call(self) -> int:
        """How many series of it one request asks for."""
        return max(1, min(QUERIES_AT_ONCE, POINTS_AT_ONCE // self.minutes))


def span_until(now: float, minutes: int) -> Span:
    """Return the last `minutes`, the current one included."""
    end = ceil(now / PERIOD_S) * PERIOD_S
    return Span(end - minutes * PERIOD_S, end)


class Answered:
    """What the pages of one answer hold for one series; `status` is "" while none has named it."""

    def __init__(self, status: str = "") -> None:
        self.status = status
        self.points: dict[int, float] = {}
        self._whole: Columns | None = None

    def add(self, result: dict[str, Any], span: Span) -> None:
        """Take one page's points; the last page's status is the one that counts."""
        self.status = str(result.get("StatusCode") or "Complete")
        stamps, values = result.get("Timestamps") or (), result.get("Values") or ()
        if not self.points and self._whole is None:
            self._whole = _one_after_another(stamps, values, span)
            if self._whole is not None:
                return
        points, start, end = self.points, span.start, span.end
        points.update(self._whole or ())
        self._whole = None
        for stamp, value in zip(stamps, values, strict=False):
            at = seconds(stamp)
            if at is not None and start <= at < end:
                points[int(at // PERIOD_S) * PERIOD_S] = float(value)

    def __bool__(self) -> bool:
        return bool(self.points or self._whole)

    def ordered(self) -> Sequence[tuple[int, float]]:
        """Return points, oldest first."""
        return self._whole or tuple(sorted(self.points.items()))


def _one_after_another(stamps: Sequence[Any], values: Sequence[Any], span: Span) -> Columns | None:
    """Return the points where each minute has one, as of most functions that run; None for any other list."""
    count = len(stamps)
    if not count or count != len(values) or type(stamps[0]) is not float:
        return None
    first = int(stamps[0])
    if first % PERIOD_S or first < span.start or first + count * PERIOD_S > span.end:
        return None
    minutes, as_sent = _minutes(first, count)
    if as_sent != stamps:
        return None
    return Columns(minutes, array("d", values))


@lru_cache(maxsize=32)
def _minutes(first: int, count: int) -> tuple[tuple[int, ...], list[float]]:
    """Return the minutes from `first` on, and as an answer has them: all series of a round share them."""
    minutes = tuple(range(first, first + count * PERIOD_S, PERIOD_S))
    return minutes, list(map(float, minutes))


async def ask(
    api: Api, queries: Sequence[Query], span: Span, paid: Callable[[int], None]
) -> list[tuple[Query, Answered]]:
    """Ask for all `queries`; `paid` gets the number of series of each request before it is sent."""
    batches = [queries[i : i + span.per_call] for i in range(0, len(queries), span.per_call)]
    answered: list[list[tuple[Query, Answered]]] = [[] for _ in batches]
    left = iter(enumerate(batches))

    async def work() -> None:
        for number, batch in left:
            answered[number] = await _ask(api, batch, span, paid)

    await all_of(work() for _ in range(min(SIDE_BY_SIDE, len(batches))))
    return [pair for each in answered for pair in each]


async def observe(
    api: Api, scope: Scope, queries: Sequence[Query], span: Span, world: World
) -> MetricsObserved:
    """Return CloudWatch's answers, for sources whose few series no plan limits; raises as `usable`."""
    answered = await ask(api, queries, span, lambda units: None)
    data = await usable(api, answered, lambda series: world.asked_at(series) is not None)
    return MetricsObserved(scope, api.now(), span.start, span.end, data)


async def _ask(
    api: Api, batch: Sequence[Query], span: Span, paid: Callable[[int], None]
) -> list[tuple[Query, Answered]]:
    """Ask for a batch; where that fails, for its plain statistics and its percentiles apart.

    One statistic that a server cannot compute would otherwise hide every figure that it can.
    """
    try:
        return await _asked(api, batch, span, paid)
    except (*ENDS_THE_ROUND, Denied, NotThere):
        raise
    except SourceError:
        plain = [query for query in batch if query.series.stat in PLAIN]
        if len(plain) in (0, len(batch)):
            raise
    answered = await _asked(api, plain, span, paid)
    others = [query for query in batch if query.series.stat not in PLAIN]
    try:
        return answered + await _asked(api, others, span, paid)
    except ENDS_THE_ROUND:
        raise
    except SourceError:
        return answered + [(query, Answered(FAILED)) for query in others]


async def _asked(
    api: Api, batch: Sequence[Query], span: Span, paid: Callable[[int], None]
) -> list[tuple[Query, Answered]]:
    await api.turns("cloudwatch", ceil(len(batch) * span.minutes / POINTS_PER_TURN))
    paid(len(batch))
    await api.rest()  # it takes 15 ms to send five hundred queries
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
        for number, result in enumerate(page.get("MetricDataResults") or ()):
            if number % TAKEN_AT_ONCE == 0:
                await api.rest()
            if result.get("Id") in results:
                results[result["Id"]].add(result, span)
    return [(query, results[id_]) for id_, query in ids.items()]


async def usable(
    api: Api, answered: Sequence[tuple[Query, Answered]], known: Callable[[SeriesKey], bool]
) -> tuple[MetricPoints, ...]:
    """Complete series, and incomplete ones where nothing is known yet: they must not erase minutes.

    Raises:
        Denied: all were refused.
        SourceError: none came completely.
    """
    data, refused = [], 0
    for number, (query, answer) in enumerate(answered):
        if number % SORTED_AT_ONCE == 0:
            await api.rest()
        if answer.status == "Complete":
            data.append(MetricPoints(query.series, answer.ordered()))
        elif answer.status == "Forbidden":
            refused += 1
        elif answer and not known(query.series):
            data.append(MetricPoints(query.series, answer.ordered()))
    if answered and refused == len(answered):
        raise Denied(
            "cloudwatch:GetMetricData is denied to this identity: allow it in its IAM policy "
            "(`lambdatop policy`).",
            action="cloudwatch:GetMetricData",
        )
    if answered and not data:
        raise SourceError(
            "cloudwatch:GetMetricData answered none of the series completely.",
            action="cloudwatch:GetMetricData",
        )
    return tuple(data)
