"""Queues behind mappings, and reserved concurrency in turns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE, Bench
from fakes.wire_account import ATTRIBUTES
from fakes.wire_stub import Fault, WireStub
from msgspec.structs import replace

from lambdatop.aws.collectors.concurrency import AT_ONCE, PER_ROUND, ConcurrencySource
from lambdatop.aws.collectors.functions import FunctionsSource
from lambdatop.aws.collectors.mappings import MappingsSource
from lambdatop.aws.collectors.queues import QueuesSource
from lambdatop.aws.reads.queues import QueueReader
from lambdatop.domain.errors import Denied, NotAnswered, Throttled
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.state.events import (
    ConcurrencyObserved,
    Event,
    GapsObserved,
    MetricPoints,
    MetricsObserved,
    QueuesObserved,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

FN_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
Q_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
UUID = "0f1e2d3c-0000-4000-8000-00000000000"


def fn(name: str, **more: Any) -> dict[str, Any]:
    return {"FunctionName": name, "FunctionArn": FN_ARN + name, "MemorySize": 256, "Timeout": 9} | more


def key(name: str, kind: Any = "function") -> Key:
    return Key(SCOPE, kind, name)


async def only(source: Any, view: Any, kind: type[Event]) -> Any:
    events = await source.collect(view)
    assert [type(e) for e in events] == [kind]
    return events[0]


async def listed(made: Bench) -> World:
    """Return the World after one list of functions and mappings."""
    functions = await FunctionsSource(made.api, SCOPE).collect(made.view())
    return fold_all(EMPTY_WORLD, (*functions, *await MappingsSource(made.api, SCOPE).collect(made.view())))


def _queues_behind(stub: WireStub, attributes: dict[str, dict[str, str]]) -> None:
    def url(params: dict[str, Any]) -> Any:
        return {"QueueUrl": f"{stub.url}/{params['QueueOwnerAWSAccountId']}/{params['QueueName']}"}

    def read(params: dict[str, Any]) -> Any:
        name = params["QueueUrl"].rsplit("/", 1)[1]
        if name not in attributes:
            return Fault("AWS.SimpleQueueService.NonExistentQueue")
        return {"Attributes": ATTRIBUTES | {"QueueArn": Q_ARN + name} | attributes[name]}

    stub.on("sqs", "GetQueueUrl", url)
    stub.on("sqs", "GetQueueAttributes", read)


async def test_queues_their_dead_letters_and_what_is_gone(stub: WireStub, bench: MakeBench) -> None:
    redrive = json.dumps({"deadLetterTargetArn": Q_ARN + "orders-dlq", "maxReceiveCount": "3"})
    counts = {"ApproximateNumberOfMessages": "5", "ApproximateNumberOfMessagesNotVisible": "2"}
    _queues_behind(
        stub,
        {
            "orders": counts | {"RedrivePolicy": redrive, "VisibilityTimeout": "54"},
            "orders-dlq": {"ApproximateNumberOfMessages": "9"},
            "dead": {},
        },
    )
    stub.on("sqs", "ListMessageMoveTasks", {"Results": []})
    mappings = [
        {"UUID": UUID + str(i), "FunctionArn": FN_ARN + "f", "EventSourceArn": Q_ARN + name}
        for i, name in enumerate(["orders", "deleted"])
    ]
    stub.on("lambda", "ListEventSourceMappings", {"EventSourceMappings": mappings})
    stub.on(
        "lambda", "ListFunctions", {"Functions": [fn("f", DeadLetterConfig={"TargetArn": Q_ARN + "dead"})]}
    )
    made = bench()
    source = QueuesSource(made.api, SCOPE, QueueReader(made.api, SCOPE))
    view = made.view(await listed(made))
    event = await only(source, view, QueuesObserved)
    found = {q.name: q for q in event.queues}
    assert set(found) == {"orders", "orders-dlq", "dead"}
    assert event.gone == (key("deleted", "queue"),)
    orders = found["orders"]
    assert (orders.visible, orders.in_flight, orders.visibility_timeout_s) == (5, 2, 54)
    assert (orders.dlq, orders.max_receive_count) == (key("orders-dlq", "queue"), 3)
    await source.collect(view)
    asked = [p["QueueName"] for p in stub.calls("GetQueueUrl")]
    assert (asked.count("orders"), asked.count("deleted")) == (1, 2)


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
async def test_what_an_answer_leaves_out_is_neither_zero_nor_the_default(
    stub: WireStub, bench: MakeBench, name: str
) -> None:
    left = {k: v for k, v in ATTRIBUTES.items() if k != name}
    stub.on("sqs", "GetQueueUrl", {"QueueUrl": f"{stub.url}/1/q"})
    stub.on("sqs", "GetQueueAttributes", {"Attributes": left | {"QueueArn": Q_ARN + "q"}})
    made = bench()
    with pytest.raises(NotAnswered, match=f"without {name}"):
        await QueueReader(made.api, SCOPE).read(Q_ARN + "q")


@pytest.mark.parametrize("value", ["many", "1e3", "-1", "9" * 20])
async def test_what_is_no_number_is_not_zero(stub: WireStub, bench: MakeBench, value: str) -> None:
    wrong = ATTRIBUTES | {"QueueArn": Q_ARN + "q", "ApproximateNumberOfMessages": value}
    stub.on("sqs", "GetQueueUrl", {"QueueUrl": f"{stub.url}/1/q"})
    stub.on("sqs", "GetQueueAttributes", {"Attributes": wrong})
    made = bench()
    with pytest.raises(NotAnswered, match="without ApproximateNumberOfMessages"):
        await QueueReader(made.api, SCOPE).read(Q_ARN + "q")


async def test_a_redrive_policy_that_is_no_json_hides_nothing_else(stub: WireStub, bench: MakeBench) -> None:
    policy = {"QueueArn": Q_ARN + "q", "RedrivePolicy": "[" * 100_000}
    stub.on("sqs", "GetQueueUrl", {"QueueUrl": f"{stub.url}/1/q"})
    stub.on("sqs", "GetQueueAttributes", {"Attributes": ATTRIBUTES | policy})
    made = bench()
    assert (await QueueReader(made.api, SCOPE).read(Q_ARN + "q")).name == "q"


async def test_one_denied_queue_hides_no_other(stub: WireStub, bench: MakeBench) -> None:
    def read(params: dict[str, Any]) -> Any:
        if params["QueueUrl"].endswith("secret"):
            return Fault("AccessDenied", status=403)
        return {"Attributes": ATTRIBUTES | {"QueueArn": Q_ARN + "open"}}

    stub.on("sqs", "GetQueueUrl", lambda p: {"QueueUrl": f"{stub.url}/1/{p['QueueName']}"})
    stub.on("sqs", "GetQueueAttributes", read)
    made = bench()
    for names, expected in ((["open", "secret"], ["open"]), (["secret"], None)):
        mappings = [
            {"UUID": UUID + str(i), "FunctionArn": FN_ARN + "f", "EventSourceArn": Q_ARN + name}
            for i, name in enumerate(names)
        ]
        stub.on("lambda", "ListEventSourceMappings", {"EventSourceMappings": mappings})
        stub.on("lambda", "ListFunctions", {"Functions": []})
        view = made.view(await listed(made))
        source = QueuesSource(made.api, SCOPE, QueueReader(made.api, SCOPE))
        if expected is None:
            with pytest.raises(Denied, match="sqs:GetQueueAttributes"):
                await source.collect(view)
        else:
            event, told = await source.collect(view)
            assert isinstance(event, QueuesObserved)
            assert isinstance(told, GapsObserved)
            assert [q.name for q in event.queues] == expected
            assert told.gaps == (Gap("queues", "sqs:GetQueueAttributes", "secret", "denied"),)
            assert len(await source.collect(view)) == 1, "it is told when it changes"
            stub.on("sqs", "GetQueueAttributes", {"Attributes": ATTRIBUTES | {"QueueArn": Q_ARN + "open"}})
            later = (await source.collect(view))[-1]
            assert later == replace(told, gaps=(), at=later.at)
            stub.on("sqs", "GetQueueAttributes", read)


async def test_concurrency_tells_absent_zero_and_n_apart(stub: WireStub, bench: MakeBench) -> None:
    answers = {
        "none": {},
        "zero": {"ReservedConcurrentExecutions": 0},
        "n": {"ReservedConcurrentExecutions": 9},
    }
    stub.on("lambda", "ListFunctions", {"Functions": [fn(n) for n in (*answers, "gone")]})
    stub.on(
        "lambda",
        "GetFunctionConcurrency",
        lambda p: answers.get(p["FunctionName"], Fault("ResourceNotFoundException", status=404)),
    )
    made = bench()
    view = made.view(fold_all(EMPTY_WORLD, await FunctionsSource(made.api, SCOPE).collect(made.view())))
    event = await only(ConcurrencySource(made.api, SCOPE), view, ConcurrencyObserved)
    assert dict(event.reserved) == {key("none"): None, key("zero"): 0, key("n"): 9}


async def test_concurrency_takes_turns_watched_and_busy_first(stub: WireStub, bench: MakeBench) -> None:
    names = [f"f{i:03d}" for i in range(60)]
    stub.on("lambda", "ListFunctions", {"Functions": [fn(n) for n in names]})
    stub.on("lambda", "GetFunctionConcurrency", {})
    made = bench(at=1_800_000_000.0)
    functions = await FunctionsSource(made.api, SCOPE).collect(made.view())
    busy = MetricPoints(SeriesKey(key("f050"), "Throttles", "Sum"), ((1_799_999_940, 8.0),))
    seen = MetricsObserved(SCOPE, 1_800_000_000.0, 1_799_996_400.0, 1_800_000_000.0, (busy,))
    view = made.view(fold_all(EMPTY_WORLD, (*functions, seen)), key("f040"))
    source = ConcurrencySource(made.api, SCOPE)
    for _ in range(4):
        before = len(stub.calls("GetFunctionConcurrency"))
        await source.collect(view)
        asked = [p["FunctionName"] for p in stub.calls("GetFunctionConcurrency")[before:]]
        assert len(asked) == PER_ROUND
        assert {"f040", "f050"} <= set(asked)
    assert {p["FunctionName"] for p in stub.calls("GetFunctionConcurrency")} == set(names)


async def test_a_throttled_round_stops_asking(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "ListFunctions", {"Functions": [fn(f"f{i}") for i in range(15)]})
    stub.on("lambda", "GetFunctionConcurrency", Fault("TooManyRequestsException", status=429))
    made = bench()
    view = made.view(fold_all(EMPTY_WORLD, await FunctionsSource(made.api, SCOPE).collect(made.view())))
    with pytest.raises(Throttled):
        await ConcurrencySource(made.api, SCOPE).collect(view)
    assert len(stub.calls("GetFunctionConcurrency")) <= AT_ONCE
