"""Lists of functions, mappings, queues and alarms; concurrency in turns; one source's error is its own."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE, Bench
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.collectors.account import AccountSource
from lambdatop.aws.collectors.alarms import AlarmsSource
from lambdatop.aws.collectors.functions import FunctionsSource
from lambdatop.aws.collectors.mappings import MappingsSource
from lambdatop.domain.errors import Throttled
from lambdatop.domain.keys import Key
from lambdatop.domain.state.events import (
    AccountObserved,
    AlarmsObserved,
    Event,
    FunctionsListed,
    MappingsListed,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from .conftest import MakeBench

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


async def test_the_first_list_is_told_page_by_page_and_stands_when_it_is_whole(
    stub: WireStub, bench: MakeBench
) -> None:
    pages = [{"Functions": [fn(name)], "NextMarker": name} for name in "ab"]
    stub.on("lambda", "ListFunctions", *pages, {"Functions": [fn("c")]}, *pages[:1], {"Functions": [fn("c")]})
    made, told = bench(), list[Event]()
    source = FunctionsSource(made.api, SCOPE)
    source.when_parts_come(told.extend)
    whole = await source.collect(made.view())
    world = fold_all(EMPTY_WORLD, told)
    assert [f.name for f in world.functions.values()] == ["a", "b"]
    assert not world.functions_at, "a part is no list: nobody may conclude that something is gone"
    world = fold_all(world, whole)
    assert [f.name for f in world.functions.values()] == ["a", "b", "c"]
    again = await source.collect(made.view(world))
    assert len(told) == 2, "later lists come whole"
    world = fold_all(world, again)
    assert [f.name for f in world.functions.values()] == ["a", "c"]
    assert fold_all(world, told[1:]).functions is world.functions, (
        "a page that comes late brings nothing back"
    )


async def test_functions_carry_what_the_console_shows(stub: WireStub, bench: MakeBench) -> None:
    stub.on(
        "lambda",
        "ListFunctions",
        {
            "Functions": [fn("a", LoggingConfig={"LogGroup": "/shared", "LogFormat": "JSON"})],
            "NextMarker": "m",
        },
        {
            "Functions": [
                fn(
                    "b",
                    LastModified="2026-11-20T10:00:00.000+0000",
                    Architectures=["arm64"],
                    DeadLetterConfig={"TargetArn": Q_ARN + "dead"},
                    CapacityProviderConfig={"LambdaManagedInstancesCapacityProviderConfig": {}},
                )
            ]
        },
    )
    made = bench()
    event = await only(FunctionsSource(made.api, SCOPE), made.view(), FunctionsListed)
    a, b = event.functions
    assert (a.name, a.log_group, a.log_format, a.memory_mb, a.timeout_s) == ("a", "/shared", "JSON", 256, 9)
    assert (b.log_group, b.architecture, b.dlq_arn) == ("/aws/lambda/b", "arm64", Q_ARN + "dead")
    assert b.last_modified == 1795168800.0
    assert b.managed_instances
    assert not a.managed_instances


async def test_hostile_names_are_harmless_behind_this_room(stub: WireStub, bench: MakeBench) -> None:
    evil = "x\x1b]0;t\x07\u202e[/b]"
    stub.on(
        "lambda", "ListFunctions", {"Functions": [fn(evil, Runtime=evil, LoggingConfig={"LogGroup": evil})]}
    )
    stub.on(
        "cloudwatch",
        "DescribeAlarms",
        {"MetricAlarms": [{"AlarmName": evil, "StateReason": evil}], "CompositeAlarms": []},
    )
    stub.on(
        "lambda",
        "ListEventSourceMappings",
        {
            "EventSourceMappings": [
                {"UUID": UUID + "1", "FunctionArn": FN_ARN + evil, "EventSourceArn": Q_ARN + evil}
                | {"State": evil, "LastProcessingResult": evil, "StateTransitionReason": evil}
            ]
        },
    )
    made = bench()
    for source in (
        FunctionsSource(made.api, SCOPE),
        AlarmsSource(made.api, SCOPE),
        MappingsSource(made.api, SCOPE),
    ):
        shown = repr(await source.collect(made.view()))
        assert not any(c in shown for c in ("\x1b", "\x07", "\u202e", "\\x1b", "\\x07", "\\u202e"))


async def test_a_failing_page_is_no_shorter_list(stub: WireStub, bench: MakeBench) -> None:
    stub.on(
        "lambda",
        "ListFunctions",
        {"Functions": [fn("a")], "NextMarker": "m"},
        Fault("TooManyRequestsException", status=429),
    )
    made = bench()
    with pytest.raises(Throttled):
        await FunctionsSource(made.api, SCOPE).collect(made.view())


async def test_mappings_keep_absent_settings_absent(stub: WireStub, bench: MakeBench) -> None:
    sqs = {
        "UUID": UUID + "1",
        "FunctionArn": FN_ARN + "f:live",
        "EventSourceArn": Q_ARN + "q",
        "State": "Enabled",
    }
    stream = {
        "UUID": UUID + "2",
        "FunctionArn": FN_ARN + "g",
        "EventSourceArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s",
        "State": "Disabled",
        "MaximumRetryAttempts": -1,
        "BisectBatchOnFunctionError": False,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 7},
        "DestinationConfig": {"OnFailure": {"Destination": Q_ARN + "lost"}},
        "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
    }
    kafka = {
        "UUID": UUID + "3",
        "FunctionArn": FN_ARN + "h",
        "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["b:9092"]}},
        "Topics": ["clicks"],
    }
    broker = {
        "UUID": UUID + "4",
        "FunctionArn": FN_ARN + "i",
        "EventSourceArn": f"arn:aws:mq:{REGION}:{ACCOUNT}:broker:shop:b-0f1e",
        "Queues": ["orders"],
    }
    documents = {
        "UUID": UUID + "5",
        "FunctionArn": FN_ARN + "j",
        "EventSourceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:carts",
        "DocumentDBEventSourceConfig": {"DatabaseName": "shop", "CollectionName": "carts"},
    }
    stub.on(
        "lambda", "ListEventSourceMappings", {"EventSourceMappings": [sqs, stream, kafka, broker, documents]}
    )
    made = bench()
    event = await only(MappingsSource(made.api, SCOPE), made.view(), MappingsListed)
    one, two, three, four, five = event.mappings
    assert (one.function, one.source_kind, one.source_queue) == (key("f"), "sqs", key("q", "queue"))
    assert (one.max_retry_attempts, one.bisect_on_error, one.max_concurrency) == (None, None, None)
    assert (two.max_retry_attempts, two.bisect_on_error, two.max_concurrency) == (-1, False, 7)
    assert (two.partial_responses, two.on_failure_arn, two.filters) == (True, Q_ARN + "lost", 1)
    assert (three.source_kind, three.source_arn) == ("kafka", "b:9092")
    assert [m.source_name for m in (three, four, five)] == [
        "b:9092/clicks",
        "shop/orders",
        "carts/shop.carts",
    ]


async def test_account_and_its_code_storage(stub: WireStub, bench: MakeBench) -> None:
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900, "TotalCodeSize": 50}
    usage = {"TotalCodeSize": 5, "FunctionCount": 3}
    stub.on("lambda", "GetAccountSettings", {"AccountLimit": limit, "AccountUsage": usage})
    made = bench()
    facts = (await only(AccountSource(made.api, SCOPE), made.view(), AccountObserved)).account
    assert (facts.concurrency_limit, facts.unreserved, facts.code_size_bytes, facts.function_count) == (
        1000,
        900,
        5,
        3,
    )


async def test_alarms_name_their_function_also_inside_metric_math(stub: WireStub, bench: MakeBench) -> None:
    dimension = [{"Name": "FunctionName", "Value": "f"}]
    plain = {"AlarmName": "plain", "Dimensions": dimension, "StateTransitionedTimestamp": 1800000000}
    metric = {"Metric": {"Dimensions": dimension, "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}
    math = {"AlarmName": "math", "Metrics": [{"Id": "a", "MetricStat": metric}]}
    stub.on(
        "cloudwatch",
        "DescribeAlarms",
        {"MetricAlarms": [plain], "NextToken": "t"},
        {"MetricAlarms": [math], "CompositeAlarms": [{"AlarmName": "both"}]},
    )
    made = bench()
    event = await only(AlarmsSource(made.api, SCOPE), made.view(), AlarmsObserved)
    assert [(a.key.id, a.function) for a in event.alarms] == [
        ("plain", key("f")),
        ("math", key("f")),
        ("both", None),
    ]
    assert event.alarms[0].since == 1800000000.0
    assert stub.calls("DescribeAlarms")[0]["StateValue"] == "ALARM"
