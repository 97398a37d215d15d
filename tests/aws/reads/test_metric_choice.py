"""Which series are asked for: only those that can matter, and the slow ones seldom."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import WireStub
from msgspec.structs import replace

from lambdatop.aws.metrics.collector import MetricsSource
from lambdatop.aws.reads.metric_queries import (
    FUNCTION_METRICS,
    SLOW_ROUNDS,
    Query,
    function_queries,
    mapping_queries,
    queue_queries,
    stream_queries,
)
from lambdatop.domain.errors import SourceError
from lambdatop.domain.facts.durable import COUNTED, METRIC, RUNNING_METRIC
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.function_state import THROTTLE_REASONS
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.settings.settings import Limits, Settings
from lambdatop.domain.state.events import (
    FunctionsListed,
    MappingsListed,
    MetricPoints,
    MetricsObserved,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

NOW = 1_800_000_030.0
EVERYTHING = Settings(limits=Limits(budget_usd_per_hour=0.0))
F = Key(SCOPE, "function", "f")
ASYNC = {"AsyncEventAge Maximum", "AsyncEventsDropped Sum", "DeadLetterErrors Sum"}
DELIVERY = {"DestinationDeliveryFailures Sum"}
HERE = f"{REGION}:{ACCOUNT}"
ARNS = {
    "sqs": f"arn:aws:sqs:{HERE}:q",
    "kinesis": f"arn:aws:kinesis:{HERE}:stream/s",
    "dynamodb": f"arn:aws:dynamodb:{HERE}:table/t/stream/1",
    "kafka": f"arn:aws:kafka:{HERE}:cluster/c/uuid",
    "documentdb": f"arn:aws:rds:{HERE}:cluster:c",
}


def _function(name: str = "f", **more: Any) -> FunctionFacts:
    key = Key(SCOPE, "function", name)
    return FunctionFacts(key, f"arn:aws:lambda:{HERE}:function:{name}", **more)


def _mapping(kind: str, state: str = "Enabled", **more: Any) -> MappingFacts:
    return MappingFacts(Key(SCOPE, "mapping", kind), F, "arn", ARNS[kind], kind, state, **more)


def _with(world: World, key: Key, *series: tuple[str, str]) -> World:
    data = tuple(MetricPoints(SeriesKey(key, *s), ((1_799_999_940, 1.0),)) for s in series)
    return fold_all(world, (MetricsObserved(SCOPE, NOW, NOW - 3600, NOW, data),))


def _extra(world: World, *mappings: MappingFacts) -> set[str]:
    found = [q for q in function_queries(world, (_function(),), mappings) if q.namespace == "AWS/Lambda"]
    assert all(q.dimensions == (("FunctionName", "f"),) for q in found)
    core = {f"{m} {s}" for m, s in FUNCTION_METRICS}
    names = [f"{q.series.metric} {q.series.stat}" for q in found]
    assert len(names) == len(set(names))
    assert core <= set(names)
    return set(names) - core


def _names(queries: Any) -> set[str]:
    return {f"{q.series.metric} {q.series.stat}" for q in queries}


def test_an_idle_function_costs_nothing_but_the_core() -> None:
    assert _extra(EMPTY_WORLD) == set()
    assert _extra(EMPTY_WORLD, _mapping("sqs")) == set()


def test_what_has_run_may_loop_and_what_was_pushed_may_be_lost() -> None:
    assert _extra(_with(EMPTY_WORLD, F, ("Invocations", "Sum"))) == {"RecursiveInvocationsDropped Sum"}
    assert _extra(_with(EMPTY_WORLD, F, ("AsyncEventsReceived", "Sum"))) == ASYNC | DELIVERY
    assert _extra(_with(EMPTY_WORLD, F, ("AsyncEventAge", "SampleCount"))) == ASYNC | DELIVERY


@pytest.mark.parametrize("kind", ["kinesis", "dynamodb"])
def test_streams_have_an_age_and_their_destination_may_fail(kind: str) -> None:
    assert _extra(EMPTY_WORLD, _mapping(kind)) == {"IteratorAge Maximum"}
    lost = _mapping(kind, on_failure_arn=ARNS["sqs"])
    assert _extra(EMPTY_WORLD, lost) == {"IteratorAge Maximum"} | DELIVERY


def test_documentdb_has_an_age_and_drops_what_is_too_large() -> None:
    assert _extra(EMPTY_WORLD, _mapping("documentdb")) == {"IteratorAge Maximum", "OversizedRecordCount Sum"}


def test_kafka_has_an_offset_lag() -> None:
    assert _extra(EMPTY_WORLD, _mapping("kafka")) == {"OffsetLag Maximum"}


def test_one_query_for_each_log_group_that_is_written_to() -> None:
    functions = [_function(n, log_group=g) for n, g in (("f", "/all"), ("g", "/all"), ("h", "/idle"))]
    world = EMPTY_WORLD
    for facts in functions[:2]:
        world = _with(world, facts.key, ("Invocations", "Sum"))
    found = [q for q in function_queries(world, functions, ()) if q.namespace == "AWS/Logs"]
    group = SeriesKey(Key(SCOPE, "log group", "/all"), "IncomingBytes", "Sum")
    assert found == [Query(group, "AWS/Logs", (("LogGroupName", "/all"),), SLOW_ROUNDS)]


POLLED = {"PolledEventCount Sum", "InvokedEventCount Sum", "FailedInvokeEventCount Sum"}
LOSSES = {"DroppedEventCount Sum", "OnFailureDestinationDeliveredEventCount Sum"}


@pytest.mark.parametrize(
    ("kind", "groups", "names"),
    [
        ("sqs", (), set()),
        ("sqs", ("EventCount",), POLLED | {"DeletedEventCount Sum"}),
        ("kinesis", ("EventCount",), POLLED | LOSSES),
        ("dynamodb", ("EventCount", "ErrorCount"), POLLED | LOSSES),
        ("kafka", ("KafkaMetrics",), {"MaxOffsetLag Maximum"}),
        ("kafka", ("ErrorCount",), {"InvokeErrorCount Sum"}),
        ("kafka", ("EventCount", "KafkaMetrics"), POLLED | LOSSES | {"MaxOffsetLag Maximum"}),
    ],
)
def test_mappings_by_the_groups_they_publish(kind: str, groups: tuple[str, ...], names: set[str]) -> None:
    found = list(mapping_queries(EMPTY_WORLD, (_mapping(kind, metrics=groups),)))
    assert _names(found) == names
    assert all(q.dimensions == (("EventSourceMappingUUID", kind),) for q in found)


def test_a_disabled_mapping_is_asked_about_until_its_points_are_history() -> None:
    mapping = _mapping("sqs", "Disabled", metrics=("EventCount",))
    assert list(mapping_queries(EMPTY_WORLD, (mapping,))) == []
    world = _with(EMPTY_WORLD, mapping.key, ("PolledEventCount", "Sum"))
    assert len(list(mapping_queries(world, (mapping,)))) == 4


def test_streams_and_queues_of_this_account_only() -> None:
    theirs = MappingFacts(
        Key(SCOPE, "mapping", "x"), F, "a", ARNS["kinesis"].replace(ACCOUNT, "9" * 12), "kinesis", "Enabled"
    )
    found = list(stream_queries(SCOPE, (_mapping("kinesis"), _mapping("dynamodb"), theirs)))
    assert _names(found) == {"GetRecords.IteratorAgeMilliseconds Maximum", "IncomingRecords Sum"}
    assert {(q.namespace, q.dimensions) for q in found} == {("AWS/Kinesis", (("StreamName", "s"),))}
    queue, dlq = Key(SCOPE, "queue", "q"), Key(SCOPE, "queue", "dlq")
    foreign = Key(Scope("9" * 12, REGION), "queue", "theirs")
    asked = list(queue_queries(EMPTY_WORLD, SCOPE, (queue, dlq, foreign), {queue, foreign}))
    least = "ApproximateNumberOfMessagesNotVisible Minimum"
    assert least in _names(q for q in asked if q.series.key == queue)
    assert least not in _names(q for q in asked if q.series.key == dlq)
    assert {q.series.key for q in asked} == {queue, dlq}


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("q.fifo", "ApproximateNumberOfGroupsWithInflightMessages Maximum"),
        ("q", "ApproximateNumberOfNoisyGroups Maximum"),
    ],
)
def test_message_groups_only_of_queues_behind_mappings_where_messages_wait(name: str, metric: str) -> None:
    queue = Key(SCOPE, "queue", name)
    waiting = _with(EMPTY_WORLD, queue, ("ApproximateNumberOfMessagesVisible", "Maximum"))
    assert metric in _names(queue_queries(waiting, SCOPE, (queue,), {queue}))
    assert metric not in _names(queue_queries(waiting, SCOPE, (queue,)))
    assert metric not in _names(queue_queries(EMPTY_WORLD, SCOPE, (queue,), {queue}))


def test_what_filters_drop_is_asked_of_mappings_that_have_some() -> None:
    mapping = _mapping("sqs", metrics=("EventCount",))
    metric = "FilteredOutEventCount Sum"
    assert metric not in _names(mapping_queries(EMPTY_WORLD, (mapping,)))
    assert metric in _names(mapping_queries(EMPTY_WORLD, (replace(mapping, filters=1),)))
    assert metric not in _names(mapping_queries(EMPTY_WORLD, (replace(mapping, filters=1, metrics=()),)))


def _answer(params: dict[str, Any]) -> dict[str, Any]:
    stamps = {"Timestamps": [1_799_999_940], "Values": [1.0], "StatusCode": "Complete"}
    return {"MetricDataResults": [{"Id": q["Id"]} | stamps for q in params["MetricDataQueries"]]}


def _busy(count: int) -> World:
    functions = tuple(_function(f"f{i:04d}", log_group=f"/aws/lambda/f{i:04d}") for i in range(count))
    world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, 1.0, functions), MappingsListed(SCOPE, 1.0, ())))
    data = tuple(
        MetricPoints(SeriesKey(f.key, "Invocations", "Sum"), ((1_799_999_940, 1.0),)) for f in functions
    )
    return fold_all(world, (MetricsObserved(SCOPE, NOW, NOW - 3600, NOW, data),))


async def test_log_volume_is_asked_for_at_once_and_then_seldom(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", _answer)
    made = bench(at=NOW)
    source, world, rounds = MetricsSource(made.api, SCOPE, EVERYTHING), _busy(1), []
    for _ in range(2 * SLOW_ROUNDS + 1):
        before = len(stub.calls("GetMetricData"))
        await source.collect(made.view(world))
        sent = [q for p in stub.calls("GetMetricData")[before:] for q in p["MetricDataQueries"]]
        rounds.append(any(q["MetricStat"]["Metric"]["MetricName"] == "IncomingBytes" for q in sent))
    assert [i for i, asked in enumerate(rounds) if asked] == [0, SLOW_ROUNDS, 2 * SLOW_ROUNDS]


async def test_a_round_that_failed_has_asked_for_nothing(stub: WireStub, bench: MakeBench) -> None:
    made = bench(at=NOW)
    source, world = MetricsSource(made.api, SCOPE, EVERYTHING), _busy(1)
    stub.on("cloudwatch", "GetMetricData", lambda p: {"MetricDataResults": [{"Id": "?"}]} | {"Messages": []})
    with pytest.raises(SourceError):
        await source.collect(made.view(world))
    asked = [len(params["MetricDataQueries"]) for params in stub.calls("GetMetricData")]
    with pytest.raises(SourceError):
        await source.collect(made.view(world))
    again = [len(params["MetricDataQueries"]) for params in stub.calls("GetMetricData")]
    assert again == asked * 2


def test_a_durable_function_that_has_run_is_asked_for_its_executions() -> None:
    durable, ran = _function(durable=True), _with(EMPTY_WORLD, F, ("Invocations", "Sum"))
    of_executions = {f"{METRIC}{what} Sum" for what in COUNTED}
    asked = _names(function_queries(ran, (durable,), ()))
    assert of_executions <= asked
    assert not of_executions & _names(function_queries(EMPTY_WORLD, (durable,), ()))
    assert not of_executions & _names(function_queries(ran, (_function(),), ()))


def test_how_many_executions_run_is_asked_once_of_the_account_with_durable_functions() -> None:
    functions = [_function(name, durable=True) for name in ("f", "g")]
    found = [q for q in function_queries(EMPTY_WORLD, functions, ()) if q.series.metric == RUNNING_METRIC]
    assert [(q.series.key, q.dimensions) for q in found] == [(Key(SCOPE, "account", ACCOUNT), ())]
    plain = function_queries(EMPTY_WORLD, [_function()], ())
    assert f"{RUNNING_METRIC} Maximum" not in _names(plain)


def test_why_managed_instances_throttle_is_asked_of_functions_that_were_throttled_there() -> None:
    managed = _function(managed_instances=True)
    throttled = _with(EMPTY_WORLD, F, ("Throttles", "Sum"))
    reasons = {f"{metric} Sum" for metric in THROTTLE_REASONS}
    assert reasons <= _names(function_queries(throttled, (managed,), ()))
    assert not reasons & _names(function_queries(EMPTY_WORLD, (managed,), ()))
    assert not reasons & _names(function_queries(throttled, (_function(),), ()))
