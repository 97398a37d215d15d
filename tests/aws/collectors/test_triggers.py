"""Who may invoke a function and what becomes of its failed events: parts, gaps and turns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Body, Fault, WireStub
from msgspec.structs import replace

from lambdatop.aws.collectors.triggers import AT_ONCE, PER_ROUND, TriggersSource
from lambdatop.aws.facts.resource_policy import MOST_KEPT
from lambdatop.domain.errors import CredentialsError, Denied, Throttled
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NotKnown, Reason
from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers, PushTrigger
from lambdatop.domain.keys import Key
from lambdatop.domain.snapshots.not_known import gaps
from lambdatop.domain.state.events import FunctionsListed, TriggersObserved
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

GONE = Fault("ResourceNotFoundException", status=404)
NO = Fault("AccessDeniedException", status=403)
DLQ = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dlq"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
PARTS = ("GetFunctionEventInvokeConfig", "GetPolicy", "GetFunctionRecursionConfig")


def key(name: str) -> Key:
    return Key(SCOPE, "function", name)


def _world(*names: str) -> World:
    functions = tuple(FunctionFacts(key(n), f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{n}") for n in names)
    return fold(EMPTY_WORLD, FunctionsListed(SCOPE, 1.0, functions))


def _nothing(stub: WireStub) -> None:
    stub.on("lambda", "GetFunctionEventInvokeConfig", GONE)
    stub.on("lambda", "GetPolicy", GONE)
    stub.on("lambda", "GetFunctionRecursionConfig", {"RecursiveLoop": "Terminate"})


async def _one(source: TriggersSource, view: Any) -> FunctionTriggers:
    (event,) = await source.collect(view)
    assert isinstance(event, TriggersObserved)
    (found,) = event.triggers
    return found


async def test_all_parts_of_one_function(stub: WireStub, bench: MakeBench) -> None:
    config = {"MaximumRetryAttempts": 0, "DestinationConfig": {"OnFailure": {"Destination": DLQ}}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Condition": {"ArnLike": {"AWS:SourceArn": TOPIC}},
    }
    stub.on("lambda", "GetFunctionEventInvokeConfig", config)
    stub.on("lambda", "GetPolicy", {"Policy": json.dumps({"Statement": [statement]})})
    stub.on("lambda", "GetFunctionRecursionConfig", {"RecursiveLoop": "Allow"})
    made = bench()
    found = await _one(TriggersSource(made.api, SCOPE), made.view(_world("f")))
    assert found.async_config == AsyncConfig(0, None, DLQ, None)
    assert found.push == (PushTrigger("sns", "push async", TOPIC, "sns.amazonaws.com"),)
    assert (found.recursive_loop, found.unread) == ("Allow", ())


async def test_nothing_set_is_not_the_same_as_not_read(stub: WireStub, bench: MakeBench) -> None:
    _nothing(stub)
    made = bench()
    found = await _one(TriggersSource(made.api, SCOPE), made.view(_world("f")))
    assert found == FunctionTriggers(key("f"), AsyncConfig(), (), "Terminate", 0)


@pytest.mark.parametrize("policy", ["not JSON", "[]", '{"Statement": [7]}', "{}"])
async def test_a_policy_that_cannot_be_understood_does_not_say_that_nobody_calls(
    policy: str, stub: WireStub, bench: MakeBench
) -> None:
    _nothing(stub)
    stub.on("lambda", "GetPolicy", {"Policy": policy})
    made = bench()
    world = _world("f")
    (event,) = await TriggersSource(made.api, SCOPE).collect(made.view(world))
    found = fold(world, event)
    assert found.triggers_of(key("f")).push == NotKnown("not readable", "lambda:GetPolicy")
    (gap,) = (gap for gap in gaps(found) if gap.target == "f")
    assert gap.not_known.why == "the answer of lambda:GetPolicy cannot be understood"


async def test_more_triggers_than_are_kept_are_said_to_be_missing(stub: WireStub, bench: MakeBench) -> None:
    _nothing(stub)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]},
        "Action": "lambda:InvokeFunction",
        "Condition": {"ArnLike": {"AWS:SourceArn": [f"arn:aws:s3:::b{i}" for i in range(500)]}},
    }
    stub.on("lambda", "GetPolicy", {"Policy": json.dumps({"Statement": [statement]})})
    made = bench()
    world = _world("f")
    (event,) = await TriggersSource(made.api, SCOPE).collect(made.view(world))
    found = fold(world, event)
    push = found.triggers_of(key("f")).push
    assert isinstance(push, tuple)
    assert (len(push), found.triggers_of(key("f")).push_left) == (MOST_KEPT, 1000 - MOST_KEPT)
    (gap,) = (gap for gap in gaps(found) if gap.target == "f")
    assert gap.not_known.why == "the answer of lambda:GetPolicy names more than are kept"


ONE_OPERATION: dict[str, tuple[Fault | Body, Reason]] = {
    "denied": (NO, "denied"),
    "404 in HTML": (Body(b"<html>Not Found</html>", "text/html", status=404), "not there"),
    "501": (Fault("NotImplemented", status=501), "not there"),
    "unknown operation": (Fault("UnknownOperationException"), "not there"),
    "broken": (Fault("ServiceException", status=400), "failed"),
}


@pytest.mark.parametrize("operation", PARTS)
@pytest.mark.parametrize("how", ONE_OPERATION)
async def test_one_operation_that_fails_costs_what_it_reads_and_no_more(
    stub: WireStub, bench: MakeBench, operation: str, how: str
) -> None:
    _nothing(stub)
    fault, reason = ONE_OPERATION[how]
    stub.on("lambda", operation, fault)
    made = bench()
    found = await _one(TriggersSource(made.api, SCOPE), made.view(_world("f")))
    unread = NotKnown(reason, f"lambda:{operation}")
    whole = FunctionTriggers(key("f"), AsyncConfig(), (), "Terminate", 0)
    parts = dict(zip(PARTS, ("async_config", "push", "recursive_loop"), strict=True))
    lost: dict[str, Any] = {parts[operation]: unread}
    lost |= {"policy_bytes": None} if operation == "GetPolicy" else {}
    assert found == replace(whole, **lost)
    assert found.unread == (unread,)
    if reason == "not there":
        assert unread.words == f"not known ({operation} is not there at this endpoint)"


async def test_everything_denied_is_a_denied_source(stub: WireStub, bench: MakeBench) -> None:
    for part in PARTS:
        stub.on("lambda", part, NO)
    made = bench()
    with pytest.raises(Denied, match="lambda:GetFunctionEventInvokeConfig"):
        await TriggersSource(made.api, SCOPE).collect(made.view(_world("f")))


async def test_a_function_that_was_just_deleted_is_left_out(stub: WireStub, bench: MakeBench) -> None:
    _nothing(stub)
    stub.on(
        "lambda",
        "GetFunctionRecursionConfig",
        lambda p: GONE if p["FunctionName"] == "gone" else {"RecursiveLoop": "Terminate"},
    )
    made = bench()
    found = await _one(TriggersSource(made.api, SCOPE), made.view(_world("f", "gone")))
    assert found.function == key("f")


async def test_a_server_without_loop_detection_is_unknown_not_failed(
    stub: WireStub, bench: MakeBench
) -> None:
    _nothing(stub)
    stub.on("lambda", "GetFunctionRecursionConfig", Fault("UnknownOperationException"))
    made = bench()
    found = await _one(TriggersSource(made.api, SCOPE), made.view(_world("f")))
    assert found.recursive_loop == NotKnown("not there", "lambda:GetFunctionRecursionConfig")


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault("TooManyRequestsException", status=429), Throttled), (Fault("ExpiredToken"), CredentialsError)],
)
async def test_a_throttled_or_expired_round_stops_and_loses_no_turn(
    stub: WireStub, bench: MakeBench, fault: Fault, error: type[Exception]
) -> None:
    _nothing(stub)
    stub.on("lambda", "GetFunctionRecursionConfig", fault)
    made = bench()
    view = made.view(_world(*(f"f{i}" for i in range(9))))
    source = TriggersSource(made.api, SCOPE)
    with pytest.raises(error):
        await source.collect(view)
    assert len(stub.calls("GetFunctionRecursionConfig")) <= AT_ONCE
    _nothing(stub)
    (event,) = await source.collect(view)
    assert isinstance(event, TriggersObserved)
    assert len(event.triggers) == 9


async def test_the_unread_come_first_the_watched_always(stub: WireStub, bench: MakeBench) -> None:
    _nothing(stub)
    made = bench()
    names = [f"f{i:02d}" for i in range(35)]
    view = made.view(_world(*names), key("f30"))
    source = TriggersSource(made.api, SCOPE)
    for _ in range(4):
        before = len(stub.calls("GetPolicy"))
        await source.collect(view)
        asked = {p["FunctionName"] for p in stub.calls("GetPolicy")[before:]}
        assert len(asked) == PER_ROUND
        assert "f30" in asked
    assert {p["FunctionName"] for p in stub.calls("GetPolicy")} == set(names)


async def test_without_functions_nothing_is_asked(stub: WireStub, bench: MakeBench) -> None:
    made = bench()
    assert await TriggersSource(made.api, SCOPE).collect(made.view()) == ()
    assert stub.received == []
