"""Logs Insights: an estimate of what a query scans, and the query, stopped when nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lambdatop.aws.reads.gaps import ENDS_THE_ROUND
from lambdatop.aws.reads.log_groups import LogGroups
from lambdatop.aws.reads.metric_queries import Query
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.wire import answer_checks
from lambdatop.domain.errors import Denied, Missing, SourceError
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.log_analysis.insights import MOST_GROUPS, Found, Row, price_usd
from lambdatop.domain.sanitize import clean_line
from lambdatop.domain.units import span

PAUSES_S = (0.2, 0.4, 0.8, 1.5)
"""Pauses between two reads of the results, s; the last one is repeated. AWS allows ten reads a second."""

RUNNING = ("Scheduled", "Running", "Unknown")

LONGEST_S = 3_660.0
"""AWS ends a query after 60 minutes (CloudWatch Logs user guide, "CloudWatch Logs quotas"); one that is still
said to run after that is waited for no longer."""


class Insights:
    """Queries over log groups of one scope; every method raises SourceError kinds."""

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._groups = LogGroups(api)

    async def estimate_bytes(self, groups: Sequence[str], start: float, end: float) -> int | None:
        """Return the bytes that the groups took in, about what a query scans; None when not known."""
        keys = [Key(self._scope, "log group", group) for group in groups]
        queries = [
            Query(SeriesKey(k, "IncomingBytes", "Sum"), "AWS/Logs", (("LogGroupName", k.id),)) for k in keys
        ]
        answer = await self._api.read(
            "cloudwatch",
            "GetMetricData",
            MetricDataQueries=[q.request(f"b{i}") for i, q in enumerate(queries)],
            StartTime=datetime.fromtimestamp(start, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
        )
        results = answer.get("MetricDataResults") or ()
        partly = any(str(r.get("StatusCode") or "Complete") != "Complete" for r in results)
        if partly or answer.get("NextToken"):
            return None  # what was answered is less than what is scanned
        values = [float(v) for r in results for v in r.get("Values") or ()]
        return round(sum(values)) if values else None

    async def run(self, groups: Sequence[str], query: str, start: float, end: float) -> Found:
        """Run a query to its end. Raises SourceError when CloudWatch could not finish it."""
        if len(groups) > MOST_GROUPS:
            raise SourceError(f"One query takes at most {MOST_GROUPS} log groups, these are {len(groups)}.")
        try:
            answer = await self._api.read(
                "logs",
                "StartQuery",
                logGroupNames=list(groups),
                startTime=int(start),
                endTime=int(end) + 1,
                queryString=query,
            )
        except (*ENDS_THE_ROUND, Denied, Missing):
            raise
        except SourceError as error:
            for group in groups:
                told = await self._groups.explained(group, error, questions=True)
                if told is not error:
                    raise told from error
            raise
        query_id = str(answer["queryId"])
        try:
            async with asyncio.timeout(LONGEST_S):
                answer = await self._ended(query_id)
        except (asyncio.CancelledError, SourceError):
            await self._stop(query_id)
            raise
        except TimeoutError:
            await self._stop(query_id)
            raise SourceError(f"The Logs Insights query did not end within {span(LONGEST_S)}.") from None
        status = str(answer.get("status") or "")
        found = found_of(answer)
        self._api.meter.count("logs", "Insights", price_usd(found.scanned_bytes or 0))
        if status != "Complete":
            raise SourceError(f"The Logs Insights query ended as {clean_line(status, 60)}.")
        return found

    async def _ended(self, query_id: str) -> dict[str, Any]:
        """Return the results of a query once it runs no more."""
        reads = 0
        while True:
            answer = await self._api.read("logs", "GetQueryResults", queryId=query_id)
            if str(answer.get("status") or "") not in RUNNING:
                return answer
            await asyncio.sleep(PAUSES_S[min(reads, len(PAUSES_S) - 1)])
            reads += 1

    async def _stop(self, query_id: str) -> None:
        """Stop a query that nobody waits for: it would go on scanning, for money."""
        try:
            await self._api.read("logs", "StopQuery", queryId=query_id)
        except SourceError:
            return  # it has ended by itself, or ends within its hour


def found_of(answer: dict[str, Any]) -> Found:
    """Return what a GetQueryResults answer holds."""
    rows = [_row({f.get("field"): f.get("value") for f in row}) for row in answer.get("results") or ()]
    statistics = answer.get("statistics") or {}
    return Found(
        tuple(rows),
        _count(statistics.get("recordsMatched")) or len(rows),
        _count(statistics.get("bytesScanned")),
    )


def _count(value: Any) -> int | None:
    """Return a number of the statistics, which come with a decimal point; None for what is not a number."""
    return int(value) if answer_checks.is_figure(value) else None


def _row(fields: dict[Any, Any]) -> Row:
    group = str(fields.get("@log") or "").partition(":")[2] or str(fields.get("@log") or "")
    return Row(
        _moment(str(fields.get("@timestamp") or "")),
        clean_line(group, 512),
        clean_line(str(fields.get("@logStream") or ""), 512),
        str(fields.get("@message") or ""),
    )


def _moment(text: str) -> float:
    """Return `2026-11-21 11:12:25.123` (UTC) or ms as s since the epoch; 0 for anything else."""
    at = answer_checks.whole(text)
    if at is not None:
        return at / 1000 if at <= answer_checks.LATEST_S * 1000 else 0.0
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return 0.0
