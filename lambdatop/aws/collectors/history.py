"""Hourly sums of the last week, which the present cost is compared with: two series, one point an hour.

GetMetricData is charged by the series, not by the point, so the hour of yesterday, that of a week ago and
all between cost two units a round ($0.00002). Without dimensions CloudWatch sums over all functions of the
region, whatever their memory sizes: this is running time, not GB-seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lambdatop.aws.facts.resources import seconds
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.cost.burn import HOUR_S
from lambdatop.domain.errors import SourceError
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import HISTORY
from lambdatop.domain.state.events import BurnHistoryObserved, Event

DAYS = 7
METRICS = {"duration": "Duration", "invocations": "Invocations"}


class BurnHistorySource:
    """Sums of Duration (ms) and Invocations per hour."""

    name = HISTORY.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round of cost history; raises SourceError when CloudWatch answered neither series."""
        now = self._api.now()
        end = int(now // HOUR_S) * HOUR_S
        start = end - DAYS * 24 * HOUR_S
        hours: dict[str, dict[int, float]] = {name: {} for name in METRICS}
        answered = False
        async for page in self._api.pages(
            "cloudwatch",
            "GetMetricData",
            token="NextToken",
            MetricDataQueries=[_query(id_, metric) for id_, metric in METRICS.items()],
            StartTime=datetime.fromtimestamp(start, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
            ScanBy="TimestampAscending",
        ):
            for result in page.get("MetricDataResults") or ():
                if result.get("Id") in hours and result.get("StatusCode") != "Forbidden":
                    answered = True
                    hours[result["Id"]] |= _points(result, start, end)
        if not answered:
            raise SourceError("CloudWatch answered none of the account's hours.")
        ran, runs = hours["duration"], hours["invocations"]
        rows = tuple((at, ran[at], runs.get(at, 0.0)) for at in sorted(ran))
        return (BurnHistoryObserved(self._scope, now, rows),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: two series an hour are below any budget."""
        return 0.0, ""


SPEC = CollectorSpec(
    source=HISTORY,
    make=lambda opened: BurnHistorySource(opened.api, opened.scope),
)


def _query(id_: str, metric: str) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": "AWS/Lambda", "MetricName": metric}, "Period": HOUR_S, "Stat": "Sum"}
    return {"Id": id_, "MetricStat": stat, "ReturnData": True}


def _points(result: dict[str, Any], start: int, end: int) -> dict[int, float]:
    found = {}
    for stamp, value in zip(result.get("Timestamps") or (), result.get("Values") or (), strict=False):
        at = seconds(stamp)
        if at is not None and start <= at < end:
            found[int(at // HOUR_S) * HOUR_S] = float(value)
    return found
