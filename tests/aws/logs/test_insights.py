"""Logs Insights: what a query costs, what it found, and that it is stopped when nobody waits for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes.aws_doubles import SCOPE
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.logs.insights import Insights, found_of
from lambdatop.domain.errors import SourceError
from lambdatop.domain.log_analysis.insights import errors_query, price_usd

from ..conftest import MakeBench

pytestmark = pytest.mark.sdk
GROUPS = ["/aws/lambda/a", "/aws/lambda/b"]
START, END = 1_800_000_000.0, 1_800_003_600.0


def row(at: str, message: str) -> list[dict[str, str]]:
    fields = {
        "@timestamp": at,
        "@message": message,
        "@logStream": "2026/11/21/[$LATEST]abc",
        "@log": "123456789012:/aws/lambda/a",
        "@ptr": "x",
    }
    return [{"field": name, "value": value} for name, value in fields.items()]


def results(status: str, rows: list[Any], matched: float = 0) -> dict[str, Any]:
    statistics = {"recordsMatched": matched, "recordsScanned": 5000.0, "bytesScanned": float(2**30)}
    return {"status": status, "results": rows, "statistics": statistics}


def insights(bench: MakeBench) -> tuple[Insights, Any]:
    made = bench()
    return Insights(made.api, SCOPE), made


async def test_a_query_is_followed_to_its_end_and_billed(stub: WireStub, bench: MakeBench) -> None:
    stub.on("logs", "StartQuery", {"queryId": "q1"})
    stub.on(
        "logs",
        "GetQueryResults",
        results("Running", []),
        results("Complete", [row("2027-01-15 08:00:01.250", "ERROR x"), row("1800000000500", "y")], 12),
    )
    asker, made = insights(bench)
    found = await asker.run(GROUPS, errors_query(), START, END)
    assert [(r.at, r.group, r.message) for r in found.rows] == [
        (1_800_000_001.25, "/aws/lambda/a", "ERROR x"),
        (1_800_000_000.5, "/aws/lambda/a", "y"),
    ]
    assert (found.matched, found.left_out, found.scanned_bytes) == (12, 10, 2**30)
    (asked,) = stub.calls("StartQuery")
    assert asked["logGroupNames"] == GROUPS
    assert (asked["startTime"], asked["endTime"]) == (int(START), int(END) + 1)
    assert made.meter.usd == pytest.approx(price_usd(2**30))


async def test_a_query_that_fails_says_how(stub: WireStub, bench: MakeBench) -> None:
    stub.on("logs", "StartQuery", {"queryId": "q1"})
    stub.on("logs", "GetQueryResults", results("Timeout", []))
    with pytest.raises(SourceError, match="ended as Timeout"):
        await insights(bench)[0].run(GROUPS, errors_query(), START, END)
    stub.on("logs", "StartQuery", Fault("MalformedQueryException"))
    with pytest.raises(SourceError):
        await insights(bench)[0].run(GROUPS, "nonsense", START, END)


async def test_a_query_nobody_waits_for_is_stopped(stub: WireStub, bench: MakeBench) -> None:
    looked = asyncio.Event()

    def running(_: dict[str, Any]) -> dict[str, Any]:
        looked.set()
        return results("Running", [])

    stub.on("logs", "StartQuery", {"queryId": "q7"})
    stub.on("logs", "GetQueryResults", running)
    stub.on("logs", "StopQuery", {"success": True})
    task = asyncio.create_task(insights(bench)[0].run(GROUPS, errors_query(), START, END))
    await looked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stub.calls("StopQuery") == [{"queryId": "q7"}]


async def test_a_query_that_never_ends_is_not_waited_for_for_ever(
    stub: WireStub, bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdatop.aws.logs.insights.LONGEST_S", 0.3)
    stub.on("logs", "StartQuery", {"queryId": "q8"})
    stub.on("logs", "GetQueryResults", lambda _: results("Running", []))
    stub.on("logs", "StopQuery", {"success": True})
    with pytest.raises(SourceError, match="did not end within"):
        await insights(bench)[0].run(GROUPS, errors_query(), START, END)
    assert stub.calls("StopQuery") == [{"queryId": "q8"}]


async def test_a_query_whose_results_are_denied_is_stopped(stub: WireStub, bench: MakeBench) -> None:
    stub.on("logs", "StartQuery", {"queryId": "q9"})
    stub.on("logs", "GetQueryResults", Fault("AccessDeniedException", status=400))
    stub.on("logs", "StopQuery", {"success": True})
    with pytest.raises(SourceError):
        await insights(bench)[0].run(GROUPS, errors_query(), START, END)
    assert stub.calls("StopQuery") == [{"queryId": "q9"}]


async def test_the_estimate_is_what_came_in(stub: WireStub, bench: MakeBench) -> None:
    answer = {"MetricDataResults": [{"Id": "b0", "Values": [100.0, 50.0]}, {"Id": "b1", "Values": [7.0]}]}
    stub.on("cloudwatch", "GetMetricData", answer)
    assert await insights(bench)[0].estimate_bytes(GROUPS, START, END) == 157
    stub.on("cloudwatch", "GetMetricData", {"MetricDataResults": []})
    assert await insights(bench)[0].estimate_bytes(GROUPS, START, END) is None


@pytest.mark.parametrize("more", [{"StatusCode": "InternalError"}, {"StatusCode": "PartialData"}, None])
async def test_an_estimate_of_some_groups_is_none(
    stub: WireStub, bench: MakeBench, more: dict[str, str] | None
) -> None:
    results = [{"Id": "b0", "Values": [100.0]}, {"Id": "b1", "Values": []} | (more or {})]
    answer = {"MetricDataResults": results} | ({} if more else {"NextToken": "more"})
    stub.on("cloudwatch", "GetMetricData", answer)
    assert await insights(bench)[0].estimate_bytes(GROUPS, START, END) is None


async def test_more_groups_than_a_query_takes_are_not_cut_silently(bench: MakeBench) -> None:
    with pytest.raises(SourceError, match="at most 50"):
        await insights(bench)[0].run([f"g{i}" for i in range(51)], errors_query(), START, END)


@pytest.mark.parametrize("odd", [1.7e308, -5.0, 5e-324, None])
async def test_what_was_scanned_is_not_known_where_nobody_says_it(
    stub: WireStub, bench: MakeBench, odd: object
) -> None:
    answer = results("Complete", [row("1800000000500", "y")]) | {"statistics": {"bytesScanned": odd}}
    stub.on("logs", "StartQuery", {"queryId": "q1"})
    stub.on("logs", "GetQueryResults", answer)
    asker, made = insights(bench)
    found = await asker.run(GROUPS, errors_query(), START, END)
    assert (found.scanned_bytes, found.usd, found.matched, found.left_out) == (None, None, 1, 0)
    assert made.meter.usd == 0


@pytest.mark.parametrize("at", ["253402300799001", "99999999999999999", "9" * 400, "-5", "soon", ""])
def test_a_time_that_no_calendar_holds_is_none(at: str) -> None:
    (found,) = found_of({"results": [row(at, "ERROR x")]}).rows
    assert found.at == 0.0
