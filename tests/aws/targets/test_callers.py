"""Schedules, pipes and state machines: found by name and by function, and read fresh."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_account import FN, Q, key
from fakes.wire_stub import Fault, WireStub
from fakes.wire_world_callers import HERE, STATES

from lambdatop.aws.facts.state_machine import named_function
from lambdatop.aws.reads import callers, state_machines
from lambdatop.aws.reads.callers import Limits
from lambdatop.aws.targets.reader import AwsReader
from lambdatop.domain.errors import Denied, Missing, SourceError, TargetNotFound
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import key_of
from lambdatop.domain.plans.situation import PipeSituation, ScheduleSituation, StateMachineSituation
from lambdatop.domain.ports.aws import Related

WORKER = FN + "orders-worker"
INVOKE = "arn:aws:scheduler:::aws-sdk:lambda:invoke"
DENIED = Fault("AccessDeniedException", "no", 403)


def _listed(name: str, target: str, group: str = "default") -> dict[str, Any]:
    return {"Name": name, "GroupName": group, "State": "ENABLED", "Target": {"Arn": target}}


def _machine(name: str, kind: str = "STANDARD") -> dict[str, Any]:
    arn = f"{STATES}stateMachine:{name}"
    return {"stateMachineArn": arn, "name": name, "type": kind, "creationDate": 1.7e9}


def _whole(name: str, definition: object = None, kind: str = "STANDARD") -> dict[str, Any]:
    more = {"definition": json.dumps(definition), "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r"}
    return _machine(name, kind) | more


async def test_the_schedules_of_a_function_are_those_of_its_aliases_and_versions_too(
    account: WireStub, reader: AwsReader
) -> None:
    listed = [
        _listed("plain", WORKER, "shop"),
        _listed("alias", f"{WORKER}:live"),
        _listed("longer", f"{WORKER}-2"),
        _listed("other", Q + "orders"),
        _listed("universal", INVOKE),
        _listed("stranger", INVOKE),
    ]
    account.on(
        "scheduler",
        "ListSchedules",
        {"Schedules": listed[:2], "NextToken": "more"},
        {"Schedules": listed[2:]},
    )
    inputs = {"universal": '{"FunctionName": "orders-worker:live"}', "stranger": "not JSON"}
    account.on(
        "scheduler",
        "GetSchedule",
        lambda p: {"Target": {"Arn": INVOKE, "RoleArn": "r", "Input": inputs[p["Name"]]}},
    )
    found = await reader.related(key("function", "orders-worker"), "schedule")
    names = ("shop/plain", "default/alias", "default/universal")
    assert found == Related(tuple(key("schedule", name) for name in names))


async def test_schedules_that_were_not_looked_at_are_no_schedules_that_are_not_there(
    account: WireStub, reader: AwsReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "SEARCH", Limits(2, 1))
    tokens = iter(range(9))
    account.on(
        "scheduler",
        "ListSchedules",
        lambda p: {"Schedules": [_listed("a", Q)], "NextToken": f"{next(tokens)}"},
    )
    with pytest.raises(SourceError, match="schedules beyond the first 2 were not looked at"):
        await reader.related(key("function", "orders-worker"), "schedule")
    account.on("scheduler", "ListSchedules", {"Schedules": [_listed("here", WORKER)], "NextToken": "n"})
    found = await reader.related(key("function", "orders-worker"), "schedule")
    assert found.keys == (key("schedule", "default/here"),)
    assert found.hidden == "schedules beyond the first 2 were not looked at"
    account.on("scheduler", "ListSchedules", {"Schedules": [_listed("a", INVOKE), _listed("b", INVOKE)]})
    account.on("scheduler", "GetSchedule", {"Target": {"Arn": INVOKE, "RoleArn": "r", "Input": "{}"}})
    with pytest.raises(SourceError, match="invokes orders-worker is not known: scheduler:GetSchedule"):
        await reader.related(key("function", "orders-worker"), "schedule")
    account.on("scheduler", "ListSchedules", DENIED)
    with pytest.raises(Denied):
        await reader.related(key("function", "orders-worker"), "schedule")


async def test_pipes_call_a_function_as_target_or_on_the_way(account: WireStub, reader: AwsReader) -> None:
    pipes = [
        {"Name": "to", "Source": Q + "orders", "Target": f"{WORKER}:live"},
        {"Name": "by", "Source": Q + "orders", "Target": Q + "bills", "Enrichment": WORKER},
        {"Name": "not", "Source": Q + "orders", "Target": f"{WORKER}s"},
    ]
    account.on("pipes", "ListPipes", {"Pipes": pipes})
    found = await reader.related(key("function", "orders-worker"), "pipe")
    assert found == Related((key("pipe", "to"), key("pipe", "by")))


async def test_state_machines_name_a_function_in_their_definition(
    account: WireStub, reader: AwsReader
) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
    named = {
        "by-arn": {"States": {"a": {"Type": "Task", "Resource": f"{WORKER}:live"}}},
        "by-name": {"States": {"a": task | {"Parameters": {"FunctionName": "orders-worker"}}}},
        "in-a-list": {
            "States": {"p": {"Branches": [{"States": {"a": {"Type": "Task", "Resource": WORKER}}}]}}
        },
        "only-a-comment": {"Comment": "orders-worker", "StartAt": "orders-worker"},
        "at-run-time": {"States": {"a": task | {"Parameters": {"FunctionName.$": "$.orders-worker"}}}},
    }
    account.on("stepfunctions", "ListStateMachines", {"stateMachines": [_machine(n) for n in (*named, "x")]})

    def describe(p: dict[str, Any]) -> Any:
        name = p["stateMachineArn"].rpartition(":")[2]
        return _whole(name, named[name]) if name in named else Fault("StateMachineDoesNotExist")

    account.on("stepfunctions", "DescribeStateMachine", describe)
    found = await reader.related(key("function", "orders-worker"), "state machine")
    assert [k.id for k in found.keys] == ["by-arn", "by-name", "in-a-list"]


async def test_definitions_that_were_not_read_are_told_where_none_was_found(
    account: WireStub, reader: AwsReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = key("function", "orders-worker")
    account.on("stepfunctions", "ListStateMachines", {"stateMachines": [_machine("a"), _machine("b")]})
    account.on("stepfunctions", "DescribeStateMachine", _whole("a", {"States": {}}))
    assert await reader.related(function, "state machine") == Related()
    account.on("stepfunctions", "ListStateMachines", {"stateMachines": [_machine("c")]})
    account.on("stepfunctions", "DescribeStateMachine", DENIED)
    with pytest.raises(Denied):
        await reader.related(function, "state machine")
    account.on("stepfunctions", "ListStateMachines", {"stateMachines": [_machine("d"), _machine("e")]})
    monkeypatch.setattr(callers, "SEARCH", Limits(2, 1))
    account.on("stepfunctions", "DescribeStateMachine", _whole("a", {"States": {}}))
    with pytest.raises(SourceError, match="invokes orders-worker is not known: states:DescribeStateMachine"):
        await reader.related(function, "state machine")


@pytest.mark.parametrize(
    ("text", "kind", "id_"),
    [
        ("shop/minutely", "schedule", "shop/minutely"),
        ("minutely", "schedule", "default/minutely"),
        (f"arn:aws:scheduler:{HERE}:schedule/shop/minutely", "schedule", "shop/minutely"),
        ("orders-pipe", "pipe", "orders-pipe"),
        (f"arn:aws:pipes:{HERE}:pipe/orders-pipe", "pipe", "orders-pipe"),
        ("checkout", "state machine", "checkout"),
        (f"{STATES}stateMachine:checkout", "state machine", "checkout"),
        ("orders-worker", "schedule", "shop/minutely"),
        (WORKER, "pipe", "orders-pipe"),
        (f"{WORKER}:live", "state machine", "checkout"),
    ],
)
async def test_each_is_found_by_name_by_arn_and_by_its_function(
    text: str, kind: Any, id_: str, account: WireStub, reader: AwsReader
) -> None:
    gone = Fault("ResourceNotFoundException", "no", 404)
    account.on("scheduler", "GetSchedule", lambda p: {} if p["Name"] == "minutely" else gone)
    account.on("scheduler", "ListSchedules", {"Schedules": [_listed("minutely", WORKER, "shop")]})
    account.on(
        "pipes",
        "DescribePipe",
        lambda p: {} if p["Name"] == "orders-pipe" else Fault("NotFoundException", "no", 404),
    )
    account.on("pipes", "ListPipes", {"Pipes": [{"Name": "orders-pipe", "Target": WORKER}]})
    account.on("stepfunctions", "ListStateMachines", {"stateMachines": [_machine("checkout")]})
    account.on(
        "stepfunctions",
        "DescribeStateMachine",
        lambda p: (
            _whole("checkout", {"States": {"a": {"Type": "Task", "Resource": WORKER}}})
            if p["stateMachineArn"].endswith(":checkout")
            else Fault("StateMachineDoesNotExist")
        ),
    )
    assert await reader.find(text, {kind}) == key(kind, id_)


async def test_the_only_one_that_was_found_is_not_taken_where_others_may_be(
    account: WireStub, reader: AwsReader
) -> None:
    task = {"States": {"a": {"Type": "Task", "Resource": WORKER}}}
    account.on("stepfunctions", "ListStateMachines", {"stateMachines": [_machine("a"), _machine("b")]})
    account.on(
        "stepfunctions",
        "DescribeStateMachine",
        lambda p: (
            _whole("a", task)
            if p["stateMachineArn"].endswith(":a")
            else DENIED
            if p["stateMachineArn"].endswith(":b")
            else Fault("StateMachineDoesNotExist")
        ),
    )
    words = "by the state machine a, and perhaps by others .missing states:DescribeStateMachine.: name one"
    with pytest.raises(TargetNotFound, match=words) as raised:
        await reader.find("orders-worker", {"state machine"})
    assert raised.value.candidates == ("a",)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (f"arn:aws:pipes:us-west-2:{ACCOUNT}:pipe/orders-pipe", "pipe", "--region"),
        (f"arn:aws:pipes:{REGION}:999999999999:pipe/orders-pipe", "pipe", "999999999999"),
        (f"arn:aws:pipes:{HERE}:pipe/orders-pipe", "schedule", "is a pipe; this needs a schedule"),
        ("odrers-pipe", "pipe", "did you mean orders-pipe"),
        ("a b", "state machine", "No state machine 'a b'"),
        ("../x y/z", "schedule", "No schedule"),
    ],
)
async def test_what_is_none_of_them(
    text: str, kind: str, says: str, account: WireStub, reader: AwsReader
) -> None:
    account.on("pipes", "DescribePipe", Fault("NotFoundException", "no", 404))
    account.on("pipes", "ListPipes", {"Pipes": [{"Name": "orders-pipe", "Target": Q}]})
    account.on("scheduler", "ListSchedules", {"Schedules": []})
    account.on("stepfunctions", "ListStateMachines", {"stateMachines": []})
    with pytest.raises(TargetNotFound, match=says):
        await reader.find(text, {kind})


async def test_a_schedule_is_read_without_what_it_sends(account: WireStub, reader: AwsReader) -> None:
    told = _listed("minutely", WORKER, "shop") | {
        "Arn": f"arn:aws:scheduler:{HERE}:schedule/shop/minutely",
        "ScheduleExpression": "rate(1 minutes)\x1b[31m",
        "ActionAfterCompletion": "DELETE",
        "StartDate": 1_700_000_000,
        "Target": {"Arn": WORKER, "RoleArn": "role", "Input": "hunter2"},
    }
    account.on("scheduler", "GetSchedule", told)
    s = await reader.situation(key("schedule", "shop/minutely"))
    assert isinstance(s, ScheduleSituation)
    assert (s.state, s.target, s.role, s.start, s.ends_then) == ("ENABLED", WORKER, "role", 1.7e9, True)
    assert s.not_copied == ()
    assert "hunter2" not in repr(s)
    assert "\x1b" not in repr(s)
    with pytest.raises(SourceError, match="colour"):
        await reader.state(key("schedule", "shop/minutely"), ("colour",))


@pytest.mark.parametrize(
    ("kind", "parameters", "age"),
    [
        ("KinesisStreamParameters", {"MaximumRecordAgeInSeconds": 600}, 600),
        ("DynamoDBStreamParameters", {"MaximumRecordAgeInSeconds": -1}, None),
        ("KinesisStreamParameters", {}, None),
    ],
)
async def test_a_pipe_from_a_stream(
    kind: str, parameters: dict[str, int], age: int | None, account: WireStub, reader: AwsReader
) -> None:
    stream = f"arn:aws:kinesis:{HERE}:stream/clicks"
    told = {"Name": "p", "Source": stream, "Target": WORKER, "CurrentState": "RUNNING"}
    account.on("pipes", "DescribePipe", told | {"SourceParameters": {kind: parameters}})
    account.on("kinesis", "DescribeStreamSummary", DENIED)
    s = await reader.situation(key("pipe", "p"))
    assert isinstance(s, PipeSituation)
    assert (s.record_age_s, isinstance(s.retention_s, NotKnown), s.queue) == (age, True, None)
    assert "kinesis:DescribeStreamSummary is denied" in s.gaps[0]
    state = await reader.state(key("pipe", "p"), ("pipe_state", "pipe_record_age_s"))
    assert state == {"pipe_state": "RUNNING", "pipe_record_age_s": age}


async def test_a_pipe_from_a_queue_tells_what_waits(account: WireStub, reader: AwsReader) -> None:
    told = {"Name": "p", "Source": Q + "orders", "Target": WORKER, "CurrentState": "RUNNING"}
    account.on("pipes", "DescribePipe", told)
    account.on("sqs", "ListDeadLetterSourceQueues", DENIED)
    account.on("cloudwatch", "GetMetricData", {"MetricDataResults": []})
    s = await reader.situation(key("pipe", "p"))
    assert isinstance(s, PipeSituation)
    assert isinstance(s.queue, QueueFacts)
    assert isinstance(s.dead_letters, NotKnown)
    assert isinstance(s.oldest_age_s, NotKnown)
    account.on("sqs", "GetQueueAttributes", DENIED)
    s = await reader.situation(key("pipe", "p"))
    assert isinstance(s, PipeSituation)
    assert isinstance(s.queue, NotKnown)


def _running(name: str, arn: str = "") -> dict[str, Any]:
    found = {"executionArn": arn or f"{STATES}execution:checkout:{name}", "name": name, "status": "RUNNING"}
    return found | {"stateMachineArn": f"{STATES}stateMachine:checkout", "startDate": 1.79e9}


async def test_running_executions_are_counted_and_odd_ones_told_apart(
    account: WireStub, reader: AwsReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.on("stepfunctions", "DescribeStateMachine", _whole("checkout"))
    odd = [_running("a:b"), _running("a\u202eb"), _running("c", f"{STATES}execution:other:c"), _running("")]
    account.on(
        "stepfunctions",
        "ListExecutions",
        {"executions": [_running("é-1"), *odd], "nextToken": "more"},
        {"executions": [_running("run-2")], "nextToken": "end"},
        {"executions": []},
    )
    s = await reader.situation(key("state machine", "checkout"))
    assert isinstance(s, StateMachineSituation)
    assert ([e.name for e in s.running], s.odd, s.more) == (["é-1", "run-2"], 4, False)
    asked = account.calls("ListExecutions")
    assert {p["statusFilter"] for p in asked} == {"RUNNING"}
    monkeypatch.setattr(state_machines, "MOST_PAGES", 1)
    account.on("stepfunctions", "ListExecutions", {"executions": [_running("run-1")], "nextToken": "more"})
    s = await reader.situation(key("state machine", "checkout"))
    assert isinstance(s, StateMachineSituation)
    assert (len(s.running), s.more) == (1, True)


async def test_express_executions_are_not_asked_for(account: WireStub, reader: AwsReader) -> None:
    account.on("stepfunctions", "DescribeStateMachine", _whole("checkout", kind="EXPRESS"))
    s = await reader.situation(key("state machine", "checkout"))
    assert isinstance(s, StateMachineSituation)
    assert (s.kind, account.calls("ListExecutions")) == ("EXPRESS", [])


async def test_the_status_of_an_execution_is_read_without_its_input(
    account: WireStub, reader: AwsReader
) -> None:
    account.on("stepfunctions", "DescribeExecution", _running("run-1") | {"status": "SUCCEEDED"})
    state = await reader.state(key("state machine", "checkout"), ("execution:run-1",))
    assert state == {"execution:run-1": "SUCCEEDED"}
    asked = {"executionArn": f"{STATES}execution:checkout:run-1", "includedData": "METADATA_ONLY"}
    assert account.calls("DescribeExecution") == [asked]
    account.on("stepfunctions", "DescribeExecution", Fault("ExecutionDoesNotExist"))
    with pytest.raises(Missing):
        await reader.state(key("state machine", "checkout"), ("execution:run-1",))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (WORKER, True),
        (f"{WORKER}:7", True),
        ("orders-worker", True),
        ("orders-worker:live", True),
        (f"{ACCOUNT}:function:orders-worker", True),
        (f"{WORKER}-2", False),
        ("my-orders-worker", False),
        (f"arn:aws:lambda:us-west-2:{ACCOUNT}:function:orders-worker", False),
        ("", False),
    ],
)
def test_a_text_names_a_function(text: str, names: bool) -> None:
    named = key_of("function", named_function(SCOPE, text))
    assert (named == key("function", "orders-worker")) is names
