"""CloudWatch answers for AWS/Lambda, AWS/SQS and AWS/Kinesis from the ledger; the rest is ministack's."""

from __future__ import annotations

import base64
import functools
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.ledger import NAMESPACE
from lambdatop.demo.emulator.ledger_sources import KINESIS, SQS
from lambdatop.demo.emulator.log_writer import NAMESPACE as LOGS
from lambdatop.demo.emulator.metric_store import MetricKey, MetricStore, dimensions
from lambdatop.demo.emulator.statistic import UnknownStatistic
from lambdatop.demo.emulator.timeline import MINUTE_S
from lambdatop.demo.patches.executions import here

OURS = frozenset({NAMESPACE, SQS, KINESIS, LOGS})
_MAX_DATAPOINTS = 100_800
_LIST_PAGE = 500
_UNITS = {"Duration": "Milliseconds", "IteratorAge": "Milliseconds", "AsyncEventAge": "Milliseconds"}
_UNITS |= {"GetRecords.IteratorAgeMilliseconds": "Milliseconds", "ApproximateAgeOfOldestMessage": "Seconds"}
_UNITS |= {"IncomingBytes": "Bytes"}

_Answer = tuple[int, dict[str, str], bytes]
_Forward = Callable[[dict[str, Any]], Any]


class MetricRepair:
    """Wraps CloudWatch's request handler for the three operations that read metrics."""

    def __init__(self, store: MetricStore) -> None:
        """Answer from ``store``."""
        self._store = store

    def install(self) -> None:
        """Put the wrapper in place."""
        _ministack.replace("services.cloudwatch.handle_request", self._handle)

    def _handle(self, original: Callable[..., Any]) -> Callable[..., Any]:
        operations = {
            "GetMetricData": self._get_metric_data,
            "GetMetricStatistics": self._get_metric_statistics,
            "ListMetrics": self._list_metrics,
        }

        @functools.wraps(original)
        async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
            name = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
            if name not in operations:
                spoken = path.rsplit("/", 1)[-1] in operations or any(
                    b"=%s" % n.encode() in body for n in operations
                )
                if spoken and "json" not in headers.get("content-type", ""):
                    return _refuse(
                        "InvalidAction", "The demo answers metric queries in the JSON protocol only."
                    )
                return await original(method, path, headers, body, query)

            async def forward(request: dict[str, Any]) -> dict[str, Any]:
                _, _, answer = await original(method, path, headers, json.dumps(request).encode(), query)
                found: dict[str, Any] = json.loads(answer)
                return found

            try:
                return await operations[name](json.loads(body), forward)
            except UnknownStatistic as error:
                return _refuse("InvalidParameterValue", str(error))

        return handle

    async def _get_metric_data(self, request: dict[str, Any], forward: _Forward) -> _Answer:
        now, offset = _decode(request.get("NextToken"))
        queries = request.get("MetricDataQueries", [])
        mine = {query["Id"]: query for query in queries if _namespace(query) in OURS}
        others = [query for query in queries if query["Id"] not in mine]
        theirs = (
            (await forward({**request, "MetricDataQueries": others}))["MetricDataResults"] if others else []
        )
        answered = {result["Id"]: result for result in theirs}
        newest_first = request.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        results = []
        for query in queries:
            if query.get("ReturnData", True) is False:
                continue
            if query["Id"] in mine:
                results.append(self._result(query, request, now))
            elif query["Id"] in answered:
                results.append(answered[query["Id"]])
            if newest_first and results:
                for name in ("Timestamps", "Values"):
                    results[-1][name] = results[-1].get(name, [])[::-1]
        page, token = _page(results, offset, int(request.get("MaxDatapoints") or _MAX_DATAPOINTS), now)
        return _ok({"MetricDataResults": page, "Messages": [], **({"NextToken": token} if token else {})})

    def _result(self, query: dict[str, Any], request: dict[str, Any], now: float) -> dict[str, Any]:
        """Answer one query, oldest first."""
        stat = query["MetricStat"]
        points = self._points(stat["Metric"], stat["Stat"], int(stat["Period"]), request, now)
        return {
            "Id": query["Id"],
            "Label": query.get("Label") or stat["Metric"]["MetricName"],
            "Timestamps": [at for at, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "Complete",
        }

    def _points(
        self, metric: dict[str, Any], stat: str, period_s: int, request: dict[str, Any], now: float
    ) -> list[tuple[int, float]]:
        if period_s < MINUTE_S or period_s % MINUTE_S:
            raise UnknownStatistic(
                f"Period {period_s} is not a multiple of 60: these metrics have no finer one."
            )
        pairs = [(d["Name"], d["Value"]) for d in metric.get("Dimensions") or []]
        key = MetricKey(here(), metric["Namespace"], metric["MetricName"], dimensions(pairs))
        start, end = _instant(request["StartTime"]), _instant(request["EndTime"])
        return self._store.read(key, stat, period_s, start, end, now)

    async def _get_metric_statistics(self, request: dict[str, Any], forward: _Forward) -> _Answer:
        if request.get("Namespace") not in OURS:
            return _ok(await forward(request))
        now, unit = time.time(), _UNITS.get(request["MetricName"], "Count")
        found: dict[int, dict[str, Any]] = {}
        for stat in request.get("Statistics") or []:
            for at, value in self._points(request, stat, int(request["Period"]), request, now):
                found.setdefault(at, {"Timestamp": at, "Unit": unit})[stat] = value
        for stat in request.get("ExtendedStatistics") or []:
            for at, value in self._points(request, stat, int(request["Period"]), request, now):
                point = found.setdefault(at, {"Timestamp": at, "Unit": unit})
                point.setdefault("ExtendedStatistics", {})[stat] = value
        return _ok({"Label": request["MetricName"], "Datapoints": list(found.values())})

    async def _list_metrics(self, request: dict[str, Any], forward: _Forward) -> _Answer:
        namespace, name = request.get("Namespace"), request.get("MetricName")
        found = [
            {
                "Namespace": key.namespace,
                "MetricName": key.name,
                "Dimensions": [{"Name": n, "Value": v} for n, v in key.dimensions],
            }
            for key in self._store.keys(here())
            if namespace in (None, key.namespace) and name in (None, key.name) and _filtered(key, request)
        ]
        if namespace not in OURS:
            found += (await forward({k: v for k, v in request.items() if k != "NextToken"})).get(
                "Metrics", []
            )
        start = int(request.get("NextToken") or 0)
        answer: dict[str, Any] = {"Metrics": found[start : start + _LIST_PAGE]}
        if len(found) > start + _LIST_PAGE:
            answer["NextToken"] = str(start + _LIST_PAGE)
        return _ok(answer)


def _namespace(query: dict[str, Any]) -> str:
    return str(query.get("MetricStat", {}).get("Metric", {}).get("Namespace", ""))


def _filtered(key: MetricKey, request: dict[str, Any]) -> bool:
    mine = dict(key.dimensions)
    wanted = request.get("Dimensions") or []
    return all(d["Name"] in mine and d.get("Value", mine[d["Name"]]) == mine[d["Name"]] for d in wanted)


def _instant(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else datetime.fromisoformat(value).timestamp()


def _page(
    results: list[dict[str, Any]], offset: int, size: int, now: float
) -> tuple[list[dict[str, Any]], str]:
    """Cut ``size`` datapoints out of all results from ``offset`` on; return them and the next token."""
    page, position, end = [], 0, offset + size
    for result in results:
        count = len(result["Values"])
        first, last = max(offset - position, 0), min(end - position, count)
        if first < last or (count == 0 and offset <= position < end):
            status = result.get("StatusCode", "Complete") if last == count else "PartialData"
            cut = {name: result[name][first:last] for name in ("Timestamps", "Values")}
            page.append({**result, **cut, "StatusCode": status})
        position += count
    token = base64.urlsafe_b64encode(json.dumps([now, end]).encode()).decode() if position > end else ""
    return page, token


def _decode(token: str | None) -> tuple[float, int]:
    """Return the moment of the first question and the datapoints already given."""
    if not token:
        return time.time(), 0
    now, offset = json.loads(base64.urlsafe_b64decode(token))
    return float(now), int(offset)


def _ok(answer: dict[str, Any]) -> _Answer:
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(answer).encode()


def _refuse(code: str, message: str) -> _Answer:
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    return 400, headers, json.dumps({"__type": code, "message": message}).encode()
