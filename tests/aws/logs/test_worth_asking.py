"""What the first answers make worth asking: in the same round, within the budget, never at their expense."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Fault, Hang, WireStub
from msgspec.structs import replace

from lambdatop.aws.logs.collector import LogsSource
from lambdatop.aws.metrics.collector import MetricsSource
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import View
from lambdatop.domain.settings.settings import Limits, Settings
from lambdatop.domain.state.events import (
    FunctionsListed,
    MappingsListed,
    MetricsObserved,
    QueuesObserved,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

NOW = 1_800_000_030.0
LAST = 1_799_999_940


def fn(number: int) -> Key:
    return Key(SCOPE, "function", f"f{number:04d}")


def world_of(count: int) -> World:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
    listed = tuple(
        FunctionFacts(fn(i), f"{arn}:{fn(i).id}", log_group=f"/aws/lambda/{fn(i).id}") for i in range(count)
    )
    events = (
        FunctionsListed(SCOPE, 1.0, listed),
        MappingsListed(SCOPE, 1.0, ()),
        QueuesObserved(SCOPE, 1.0, ()),
    )
    return fold_all(EMPTY_WORLD, events)


def answer(params: dict[str, Any]) -> dict[str, Any]:
    """Return two points for every series that is asked for."""
    points = {"Timestamps": [LAST - 60, LAST], "Values": [5.0, 5.0], "StatusCode": "Complete"}
    return {"MetricDataResults": [{"Id": q["Id"], **points} for q in params["MetricDataQueries"]]}


def names(params: dict[str, Any]) -> set[str]:
    return {q["MetricStat"]["Metric"]["MetricName"] for q in params["MetricDataQueries"]}


def listed(stub: WireStub) -> None:
    """List functions that all ran lately."""
    metrics = [
        {
            "Namespace": "AWS/Lambda",
            "MetricName": "Invocations",
            "Dimensions": [{"Name": "FunctionName", "Value": fn(i).id}],
        }
        for i in range(100)
    ]
    stub.on("cloudwatch", "ListMetrics", {"Metrics": metrics})


async def test_lost_events_loops_and_log_volume_are_asked_in_the_first_round(
    stub: WireStub, bench: MakeBench
) -> None:
    listed(stub)
    stub.on("cloudwatch", "GetMetricData", answer)
    made = bench(at=NOW)
    source = MetricsSource(made.api, SCOPE, Settings())
    events = await source.collect(View(NOW, world_of(3)))
    asked = set().union(*map(names, stub.calls("GetMetricData")))
    assert {"AsyncEventsDropped", "RecursiveInvocationsDropped", "IncomingBytes"} <= asked
    world = fold_all(world_of(3), events)
    assert world.metric(fn(0), "AsyncEventsDropped").values
    assert source.unasked(View(NOW, world)) == ()


async def test_they_stay_within_the_budget_and_the_rest_is_named(stub: WireStub, bench: MakeBench) -> None:
    listed(stub)
    stub.on("cloudwatch", "GetMetricData", answer)
    made = bench(at=NOW)
    limits = Limits(budget_usd_per_hour=0.0100, calm_usd_per_hour=0.0100)
    source = MetricsSource(made.api, SCOPE, Settings(limits=limits))
    world = world_of(60)
    world = fold_all(world, await source.collect(View(NOW, world)))
    assert made.meter.usd <= 0.0100
    (gap,) = source.unasked(View(NOW, world))
    assert (gap.action, gap.reason) == ("cloudwatch:GetMetricData", "over the limit")
    assert 0 < gap.targets <= 120, "functions and their log groups"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("ThrottlingException", "throttled"), ("AccessDenied", "denied"), ("InternalFailure", "failed")],
)
async def test_when_they_fail_the_first_answers_stand(
    stub: WireStub, bench: MakeBench, fault: str, reason: str
) -> None:
    listed(stub)

    def data(params: dict[str, Any]) -> Any:
        return (
            Fault(fault)
            if "AsyncEventsDropped" in names(params) - {"Errors"} and "Errors" not in names(params)
            else answer(params)
        )

    stub.on("cloudwatch", "GetMetricData", data)
    source = MetricsSource(bench(at=NOW).api, SCOPE, Settings())
    events = await source.collect(View(NOW, world_of(3)))
    assert [e for e in events if isinstance(e, MetricsObserved)]
    world = fold_all(world_of(3), events)
    assert world.metric(fn(0), "Invocations").values
    assert {g.reason for g in source.unasked(View(NOW, world))} == {reason}


@pytest.mark.parametrize(("status", "reason"), [("Forbidden", "denied"), ("InternalError", "not answered")])
async def test_series_without_an_answer_are_gaps_until_they_have_one(
    stub: WireStub, bench: MakeBench, status: str, reason: str
) -> None:
    listed(stub)

    def partly(params: dict[str, Any]) -> dict[str, Any]:
        made = answer(params)
        for query, result in zip(params["MetricDataQueries"], made["MetricDataResults"], strict=True):
            if query["MetricStat"]["Metric"]["MetricName"] == "Errors":
                result |= {"StatusCode": status, "Timestamps": [], "Values": []}
        return made

    stub.on("cloudwatch", "GetMetricData", partly)
    made = bench(at=NOW)
    source, world = MetricsSource(made.api, SCOPE, Settings()), world_of(3)
    world = fold_all(world, await source.collect(View(NOW, world)))
    told = [(gap.reason, gap.targets) for gap in source.unasked(View(NOW, world))]
    assert told == [(reason, 4)], "three functions and the account"
    stub.on("cloudwatch", "GetMetricData", answer)
    made.clock.at = NOW + 60
    world = fold_all(world, await source.collect(View(NOW + 60, world)))
    assert source.unasked(View(NOW + 60, world)) == ()


async def test_a_log_that_is_being_read_has_not_been_asked(stub: WireStub, bench: MakeBench) -> None:
    reached = asyncio.Event()
    stub.on("logs", "FilterLogEvents", Hang(reached.set))
    made = bench(at=NOW)
    source, view = LogsSource(made.api, SCOPE), made.view(world_of(1), fn(0))
    asking = asyncio.ensure_future(source.collect(view))
    await reached.wait()
    assert source.unasked(view) == (Gap("logs", "logs:FilterLogEvents", None, "not asked", 1),)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_logs_of_functions_in_trouble_are_asked_once_they_are_known(
    stub: WireStub, bench: MakeBench
) -> None:
    listed(stub)
    stub.on("cloudwatch", "GetMetricData", answer)
    stub.on("logs", "FilterLogEvents", {"events": []})
    made = bench(at=NOW)
    world = world_of(5)
    logs = LogsSource(made.api, SCOPE, 2)
    assert logs.unasked(View(NOW, world)) == (), "nobody is known to be in trouble"
    metrics = await MetricsSource(made.api, SCOPE, Settings()).collect(View(NOW, world))
    view = replace(View(NOW), world=fold_all(world, metrics))
    action = "logs:FilterLogEvents"
    assert logs.unasked(view) == (
        Gap("logs", action, None, "not asked", 2),
        Gap("logs", action, None, "over the limit", 3),
    )
    await logs.collect(view)
    assert logs.unasked(view) == (Gap("logs", action, None, "over the limit", 3),)
