"""GetMetricData: what is asked, how pages and statuses are read, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE, Bench
from fakes.wire_stub import Answer, Fault, WireStub
from msgspec.structs import replace

from lambdatop.aws.metrics.collector import SERIES_PER_ROUND, MetricsSource
from lambdatop.domain.errors import Denied, SourceError, Throttled
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import Limits, MetricSettings, Settings
from lambdatop.domain.state.events import (
    Event,
    FunctionsListed,
    MappingsListed,
    MetricsObserved,
    PollsPlanned,
    QueuesObserved,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

NOW = 1_800_000_030.0
START, END = 1_799_996_460, 1_800_000_060
EVERYTHING = Settings(limits=Limits(budget_usd_per_hour=0.0))
"""Without a budget all series are asked in one go, which is what answers are read from here."""


def key(kind: Any, name: str) -> Key:
    return Key(SCOPE, kind, name)


def _function(name: str) -> FunctionFacts:
    return FunctionFacts(key("function", name), f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")


def _mapping(uuid: str, name: str, source: str) -> MappingFacts:
    kind = source.split(":")[2]
    return MappingFacts(key("mapping", uuid), key("function", name), "arn", source, kind, "Enabled")


def _world(functions: int = 1) -> World:
    sqs, stream = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
    dlq = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders-dlq"
    foreign = f"arn:aws:sqs:{REGION}:999999999999:theirs"
    mappings = (_mapping("1", "f000", sqs), _mapping("2", "f000", stream), _mapping("3", "f000", foreign))
    queue = QueueFacts(key("queue", "orders"), sqs, "u", 1.0, 0, 0, 0, dlq_arn=dlq)
    return fold_all(
        EMPTY_WORLD,
        (
            FunctionsListed(SCOPE, 1.0, tuple(_function(f"f{i:03d}") for i in range(functions))),
            MappingsListed(SCOPE, 1.0, mappings),
            QueuesObserved(SCOPE, 1.0, (queue,)),
        ),
    )


def _source(bench: Bench, settings: Settings | None = None) -> MetricsSource:
    return MetricsSource(bench.api, SCOPE, settings or EVERYTHING)


def _answer_all(params: dict[str, Any], **changes: Any) -> dict[str, Any]:
    results = [
        {"Id": q["Id"], "Timestamps": [END - 120, END - 60], "Values": [1.0, 2.0], "StatusCode": "Complete"}
        for q in params["MetricDataQueries"]
    ]
    return {"MetricDataResults": [r | changes for r in results]}


async def _collect(bench: Bench, world: World) -> MetricsObserved:
    *events, planned = await _source(bench).collect(bench.view(world))
    assert isinstance(planned, PollsPlanned)
    assert planned.polling.spending == "unlimited"
    return _joined(events)


def _joined(events: Sequence[Event]) -> MetricsObserved:
    """Return the answer of a round and the answer to its follow-up question as one."""
    observed = [e for e in events if isinstance(e, MetricsObserved)]
    assert len(observed) == len(events) <= 2
    return replace(observed[0], data=tuple(d for e in observed for d in e.data))


async def test_what_is_asked_for(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", _answer_all)
    made = bench(at=NOW)
    event = await _collect(made, _world())
    asked = {d.series for d in event.data}
    f, account = key("function", "f000"), key("account", ACCOUNT)
    assert SeriesKey(f, "Invocations", "Sum") in asked
    assert SeriesKey(f, "Duration", "p99") in asked
    assert SeriesKey(f, "AsyncEventAge", "SampleCount") in asked
    assert SeriesKey(f, "IteratorAge", "Maximum") in asked
    assert SeriesKey(account, "ClaimedAccountConcurrency", "Maximum") in asked
    for name in ("orders", "orders-dlq"):
        assert SeriesKey(key("queue", name), "ApproximateNumberOfMessagesVisible", "Maximum") in asked
    assert not any(s.key.id == "theirs" for s in asked)
    assert made.meter.usd == pytest.approx(len(asked) * 0.00001)
    sent = [q["MetricStat"] for p in stub.calls("GetMetricData") for q in p["MetricDataQueries"]]
    assert all(s["Period"] == 60 for s in sent)
    orders = {"Name": "QueueName", "Value": "orders"}
    assert any(s["Metric"]["Namespace"] == "AWS/SQS" and orders in s["Metric"]["Dimensions"] for s in sent)


async def test_the_window_ends_at_the_next_full_minute(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", _answer_all)
    event = await _collect(bench(at=NOW), _world())
    assert (event.start, event.end) == (START, END)
    (params, *_) = stub.calls("GetMetricData")
    assert (params["StartTime"], params["EndTime"]) == (START, END)
    assert params["ScanBy"] == "TimestampAscending"


async def test_points_come_in_order_and_only_from_the_window(stub: WireStub, bench: MakeBench) -> None:
    odd = {"Timestamps": [END - 60, END - 180, END, START - 60], "Values": [3.0, 1.0, 9.0, 9.0]}
    stub.on("cloudwatch", "GetMetricData", lambda p: _answer_all(p, **odd))
    event = await _collect(bench(at=NOW), _world())
    assert all(d.points == ((END - 180, 1.0), (END - 60, 3.0)) for d in event.data)


async def test_many_functions_are_asked_for_in_batches(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", _answer_all)
    event = await _collect(bench(at=NOW), _world(120))
    sizes = [len(p["MetricDataQueries"]) for p in stub.calls("GetMetricData")]
    assert sum(sizes) == len(event.data) > 1000
    assert max(sizes) * 60 <= 30_000
    short = replace(EVERYTHING, metrics=MetricSettings(history_min=5))
    await _source(bench(at=NOW), short).collect(bench(at=NOW).view(_world(120)))
    assert max(len(p["MetricDataQueries"]) for p in stub.calls("GetMetricData")) == 500


async def test_pages_are_joined(stub: WireStub, bench: MakeBench) -> None:
    def pages(params: dict[str, Any]) -> dict[str, Any]:
        if "NextToken" in params:
            return _answer_all(params)
        return _answer_all(params, StatusCode="PartialData", Timestamps=[END - 180], Values=[7.0]) | {
            "NextToken": "more"
        }

    stub.on("cloudwatch", "GetMetricData", pages)
    event = await _collect(bench(at=NOW), _world())
    assert all(d.points == ((END - 180, 7.0), (END - 120, 1.0), (END - 60, 2.0)) for d in event.data)


async def test_an_incomplete_series_does_not_erase_what_is_known(stub: WireStub, bench: MakeBench) -> None:
    made = bench(at=NOW)
    stub.on("cloudwatch", "GetMetricData", _answer_all)
    world = fold_all(_world(), (await _collect(made, _world()),))

    def partly(params: dict[str, Any]) -> dict[str, Any]:
        answer = _answer_all(params)
        answer["MetricDataResults"][0]["StatusCode"] = "PartialData"
        answer["MetricDataResults"][0]["Values"] = []
        answer["MetricDataResults"][1]["StatusCode"] = "InternalError"
        return answer

    stub.on("cloudwatch", "GetMetricData", partly)
    event = await _collect(made, world)
    asked = stub.calls("GetMetricData")[-1]["MetricDataQueries"]
    assert len(event.data) == len(asked) - 2
    after = fold_all(world, (event,)).series
    assert all(after[key].series.keys() >= told.series.keys() for key, told in world.series.items())
    assert all(s.values for told in after.values() for s in told.series.values())


async def test_a_series_that_no_answer_names_is_not_zero(stub: WireStub, bench: MakeBench) -> None:
    def without_one(params: dict[str, Any]) -> dict[str, Any]:
        answer = _answer_all(params)
        answer["MetricDataResults"].pop(0)
        return answer

    made = bench(at=NOW)
    stub.on("cloudwatch", "GetMetricData", without_one)
    event = await _collect(made, _world())
    requests = [params["MetricDataQueries"] for params in stub.calls("GetMetricData")]
    assert len(event.data) == sum(map(len, requests)) - len(requests)


async def test_nothing_complete_is_an_error_and_forbidden_names_the_action(
    stub: WireStub, bench: MakeBench
) -> None:
    made = bench(at=NOW)
    stub.on(
        "cloudwatch",
        "GetMetricData",
        lambda p: _answer_all(p, StatusCode="InternalError", Values=[], Timestamps=[]),
    )
    with pytest.raises(SourceError):
        await _collect(made, _world())
    stub.on(
        "cloudwatch",
        "GetMetricData",
        lambda p: _answer_all(p, StatusCode="Forbidden", Values=[], Timestamps=[]),
    )
    with pytest.raises(Denied) as caught:
        await _collect(made, _world())
    assert caught.value.action == "cloudwatch:GetMetricData"


async def test_a_batch_that_fails_fails_the_round_with_its_own_error(
    stub: WireStub, bench: MakeBench
) -> None:
    stub.on("cloudwatch", "GetMetricData", _answer_all, Fault("ThrottlingException"))
    with pytest.raises(Throttled):
        await _collect(bench(at=NOW), _world(120))


async def test_in_a_large_account_every_function_has_its_turn(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", _answer_all)
    made = bench(at=NOW)
    source, world, seen = _source(made), _world(900), set()
    for _ in range(6):
        *events, _ = await source.collect(made.view(world, key("function", "f777")))
        event = _joined(events)
        asked = {d.series.key for d in event.data}
        assert key("function", "f777") in asked
        assert len(event.data) <= SERIES_PER_ROUND
        seen |= asked
        world = fold_all(world, (event,))
    assert {f for f in seen if f.kind == "function"} == set(world.functions)


async def test_percentiles_that_a_server_cannot_compute_hide_nothing_else(
    stub: WireStub, bench: MakeBench
) -> None:
    def without_percentiles(params: dict[str, Any]) -> Answer:
        stats = {q["MetricStat"]["Stat"] for q in params["MetricDataQueries"]}
        return Fault("InternalFailure", "no", 500) if "p99" in stats else _answer_all(params)

    stub.on("cloudwatch", "GetMetricData", without_percentiles)
    made = bench(at=NOW)
    source = _source(made)
    view = made.view(_world())
    asked = {
        d.series
        for d in _joined([e for e in await source.collect(view) if isinstance(e, MetricsObserved)]).data
    }
    assert SeriesKey(key("function", "f000"), "Invocations", "Sum") in asked
    assert not any(series.stat == "p99" for series in asked)
    assert {(g.action, g.reason) for g in source.unasked(view)} >= {("cloudwatch:GetMetricData", "failed")}


def _without_percentiles_failing(params: dict[str, Any]) -> Answer:
    stats = {q["MetricStat"]["Stat"] for q in params["MetricDataQueries"]}
    return Fault("InternalFailure", "no", 500) if "p99" in stats else _answer_all(params)


def _without_percentiles_empty(params: dict[str, Any]) -> Answer:
    answer = _answer_all(params)
    for query, result in zip(params["MetricDataQueries"], answer["MetricDataResults"], strict=True):
        if query["MetricStat"]["Stat"] == "p99":
            result |= {"Timestamps": [], "Values": []}
    return answer


@pytest.mark.parametrize("server", [_without_percentiles_failing, _without_percentiles_empty])
async def test_percentiles_that_a_server_lacks_are_asked_for_seldom(
    server: Callable[[dict[str, Any]], Answer], stub: WireStub, bench: MakeBench
) -> None:
    stub.on("cloudwatch", "GetMetricData", server)
    made = bench(at=NOW)
    source, asked = _source(made), []

    async def percentiles() -> bool:
        before = len(stub.calls("GetMetricData"))
        await source.collect(made.view(_world()))
        sent = stub.calls("GetMetricData")[before:]
        return any(q["MetricStat"]["Stat"] == "p99" for p in sent for q in p["MetricDataQueries"])

    for _ in range(4):
        asked.append(await percentiles())
        made.clock.at = made.clock.now() + 60
    assert asked == [True, True, False, False]  # one answer may be an accident
    made.clock.at = made.clock.now() + 3600
    assert await percentiles()
    stub.on("cloudwatch", "GetMetricData", _answer_all)
    made.clock.at = made.clock.now() + 3600
    assert [await percentiles(), await percentiles()] == [True, True]


async def test_points_of_an_answer_that_is_not_complete_are_said_to_be_so(
    stub: WireStub, bench: MakeBench
) -> None:
    """MetricDataResult, StatusCode PartialData: an incomplete set of data points was returned."""

    def partly(params: dict[str, Any]) -> dict[str, Any]:
        answer = _answer_all(params)
        answer["MetricDataResults"][0]["StatusCode"] = "PartialData"
        return answer

    stub.on("cloudwatch", "GetMetricData", partly)
    made = bench(at=NOW)
    source = _source(made)
    await source.collect(made.view(_world()))
    gaps = {gap.reason: gap for gap in source.unasked(made.view(_world()))}
    assert gaps["incomplete"].not_known.why == (
        "the answer of cloudwatch:GetMetricData is not complete: the newest points may be missing"
    )
    stub.on("cloudwatch", "GetMetricData", _answer_all)
    await source.collect(made.view(_world()))
    assert "incomplete" not in {gap.reason for gap in source.unasked(made.view(_world()))}


async def test_a_server_that_fails_at_everything_is_asked_for_nothing_apart(
    stub: WireStub, bench: MakeBench
) -> None:
    stub.on("cloudwatch", "GetMetricData", Fault("InternalFailure", "no", 500))
    with pytest.raises(SourceError, match="failed at the server") as raised:
        await _source(bench(at=NOW)).collect(bench(at=NOW).view(_world()))
    assert raised.value.action == "cloudwatch:GetMetricData"
