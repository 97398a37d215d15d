"""CloudTrail: who changed a thing, from what is foreign text through and through."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, SCOPE
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.targets.cloudtrail import MOST, PAGES, read_trail
from lambdatop.demo.process.launch import Demo
from lambdatop.domain.errors import Denied, NotAnswered
from lambdatop.domain.keys import Key, Kind

from ..conftest import MakeBench, Open
from ..test_emulator import _boto, _zip

pytestmark = [pytest.mark.sdk, pytest.mark.wire]

NOW = 1_800_000_000.0
WORKER = Key(SCOPE, "function", "orders-worker")
WORKER_ARN = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:orders-worker"
ANN = {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/ann"}


def event(number: int, name: str = "PutFunctionConcurrency20171031", **more: Any) -> dict[str, Any]:
    detail = {"userIdentity": ANN, "sourceIPAddress": "203.0.113.7"} | more.pop("detail", {})
    return {
        "EventId": f"e-{number}",
        "EventName": name,
        "ReadOnly": "false",
        "EventTime": datetime.fromtimestamp(NOW - number, UTC),
        "Username": "ann",
        "CloudTrailEvent": json.dumps(detail),
    } | more


async def test_a_change_says_what_who_from_where_and_how_it_ended(stub: WireStub, bench: MakeBench) -> None:
    refused = {"errorCode": "AccessDenied", "errorMessage": "not this one"}
    stub.on(
        "cloudtrail",
        "LookupEvents",
        {"Events": [event(2, "UpdateAlias20150331v2", detail=refused), event(1)]},
    )
    put, alias = await read_trail(bench().api, WORKER, NOW - 3600)
    assert (put.at, put.name, put.who, put.error) == (NOW - 1, "PutFunctionConcurrency", "ann", "")
    assert (put.source_ip, put.event_id) == ("203.0.113.7", "e-1")
    assert (alias.name, alias.error) == ("UpdateAlias", "AccessDenied: not this one")
    call, by_arn = stub.calls("LookupEvents")
    assert call["LookupAttributes"] == [{"AttributeKey": "ResourceName", "AttributeValue": "orders-worker"}]
    assert call["StartTime"] == NOW - 3600
    assert by_arn["LookupAttributes"] == [{"AttributeKey": "ResourceName", "AttributeValue": WORKER_ARN}]


async def test_what_was_called_by_arn_is_found_too_and_nothing_twice(
    stub: WireStub, bench: MakeBench
) -> None:
    filed = {"orders-worker": [event(1), event(3)], WORKER_ARN: [event(2), event(3)]}
    stub.on(
        "cloudtrail",
        "LookupEvents",
        lambda p: {"Events": filed[p["LookupAttributes"][0]["AttributeValue"]]},
    )
    found = await read_trail(bench().api, WORKER, NOW - 3600)
    assert [e.event_id for e in found] == ["e-1", "e-2", "e-3"]


@pytest.mark.parametrize(
    ("kind", "id_", "name"),
    [
        ("function", "orders-worker", "orders-worker"),
        ("alias", "orders-worker:live", "orders-worker"),
        ("mapping", "0f1e2d3c-0000-4000-8000-000000000001", "0f1e2d3c-0000-4000-8000-000000000001"),
        ("queue", "orders.fifo", "orders.fifo"),
        ("rule", "aws.partner/shop.example/1/nightly", "nightly"),
    ],
)
async def test_each_thing_is_looked_up_by_its_name(
    kind: Kind, id_: str, name: str, stub: WireStub, bench: MakeBench
) -> None:
    stub.on("cloudtrail", "LookupEvents", {"Events": []})
    assert await read_trail(bench().api, Key(SCOPE, kind, id_), NOW) == ()
    asked = [call["LookupAttributes"][0]["AttributeValue"] for call in stub.calls("LookupEvents")]
    assert asked == ([name, WORKER_ARN] if kind in ("function", "alias") else [name])


async def test_reads_are_passed_over_to_a_limit(stub: WireStub, bench: MakeBench) -> None:
    def read(n: int) -> dict[str, Any]:
        return event(n, "GetFunctionConcurrency", ReadOnly="true")

    queue = Key(SCOPE, "queue", "orders")
    reads = {"Events": [read(n) for n in range(MOST)], "NextToken": "more"}
    stub.on("cloudtrail", "LookupEvents", reads, {"Events": [read(60), event(61)]})
    assert [e.event_id for e in await read_trail(bench().api, queue, NOW)] == ["e-61"]
    stub.received.clear()
    numbers = iter(range(100))
    stub.on("cloudtrail", "LookupEvents", lambda p: reads | {"NextToken": f"t-{next(numbers)}"})
    words = f"newest {MOST * PAGES} events of orders in CloudTrail are reads, back to 2027-01-15T07:59:11Z: "
    with pytest.raises(NotAnswered, match=f"{words}whether anybody changed it before that is not known"):
        await read_trail(bench().api, queue, NOW)
    assert len(stub.received) == PAGES
    with pytest.raises(NotAnswered):
        await read_trail(bench().api, WORKER, NOW)
    assert len(stub.received) == 3 * PAGES
    stub.on("cloudtrail", "LookupEvents", {"Events": [read(n) for n in range(MOST)]})
    assert await read_trail(bench().api, queue, NOW) == (), "all of them were read"


async def test_no_more_than_fifty_newest_first(stub: WireStub, bench: MakeBench) -> None:
    pages = [{"Events": [event(n) for n in some]} for some in (range(40), range(40, 80))]
    stub.on("cloudtrail", "LookupEvents", pages[0] | {"NextToken": "more"}, pages[1])
    found = await read_trail(bench().api, WORKER, NOW)
    assert [e.event_id for e in found] == [f"e-{n}" for n in range(MOST)]


@pytest.mark.parametrize(
    ("change", "who"),
    [
        ({"detail": {"userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/ops/kim"}}}, "kim"),
        ({"detail": {"userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:root"}}}, "root"),
        ({"detail": {"userIdentity": {"invokedBy": "scheduler.amazonaws.com"}}}, "ann"),
        (
            {"detail": {"userIdentity": {"invokedBy": "cloudformation.amazonaws.com"}}, "Username": ""},
            "cloudformation.amazonaws.com",
        ),
        ({"CloudTrailEvent": "no JSON"}, "ann"),
        ({"CloudTrailEvent": '["a list"]'}, "ann"),
        ({"CloudTrailEvent": "[" * 100_000, "Username": ""}, ""),
        ({"detail": {"userIdentity": "a string", "errorCode": 7}}, "ann"),
    ],
)
async def test_a_caller_without_an_arn_or_an_odd_event_ends_nothing(
    change: dict[str, Any], who: str, stub: WireStub, bench: MakeBench
) -> None:
    stub.on("cloudtrail", "LookupEvents", {"Events": [event(1, **change)]})
    [found] = await read_trail(bench().api, WORKER, NOW)
    assert (found.who, found.name, found.at) == (who, "PutFunctionConcurrency", NOW - 1)


async def test_hostile_text_arrives_harmless(stub: WireStub, bench: MakeBench) -> None:
    evil = "x\x1b]0;t\x07\u202e\n[/b]"
    detail = {
        "userIdentity": {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/{evil}"},
        "sourceIPAddress": evil,
        "errorCode": evil,
        "errorMessage": evil,
    }
    stub.on("cloudtrail", "LookupEvents", {"Events": [event(1, evil, EventId=evil, detail=detail)]})
    shown = repr(await read_trail(bench().api, WORKER, NOW))
    assert not any(c in shown for c in ("\\x1b", "\\x07", "\\u202e", "\\n"))


async def test_what_is_denied_is_named(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudtrail", "LookupEvents", Fault("AccessDeniedException", status=403))
    with pytest.raises(Denied, match="cloudtrail:LookupEvents"):
        await read_trail(bench().api, WORKER, NOW)


async def test_who_throttled_a_real_function(emulator: Demo, opened: Open) -> None:
    functions = _boto(emulator, "lambda")
    functions.create_function(
        FunctionName="worker",
        Runtime="python3.12",
        Handler="main.handler",
        Role=f"arn:aws:iam::{emulator.account}:role/r",
        Code={"ZipFile": _zip()},
    )
    functions.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=0)
    connection = Connection(
        region=emulator.region,
        endpoint_url=emulator.endpoint_url,
        access_key=emulator.access_key,
        secret_key=emulator.secret_key,
        session_token=emulator.session_token,
        isolated=True,
        read_only=True,
    )
    backend = await opened(connection)
    worker = Key(backend.identified.scope, "function", "worker")
    put, created = await backend.reader.who(worker)
    assert (put.name, created.name) == ("PutFunctionConcurrency", "CreateFunction")
    assert (put.who, put.source_ip, put.error) == ("root", "127.0.0.1", "")
