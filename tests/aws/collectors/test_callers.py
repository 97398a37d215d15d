"""Schedules, pipes and state machines: who is found, what is read one by one, and what is not known."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Answer, Fault, WireStub

from lambdatop.aws.reads import callers as reads
from lambdatop.aws.reads.callers import CallerReads, CallerSource, Limits
from lambdatop.domain.errors import Denied, Throttled
from lambdatop.domain.facts.callers import Caller, looked_words, looks_of
from lambdatop.domain.facts.not_read import Gap, NotKnown
from lambdatop.domain.keys import Key
from lambdatop.domain.sources import PIPES, SCHEDULES, STATE_MACHINES
from lambdatop.domain.state.events import CallersObserved, Event, GapsObserved, SourceReported
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

from ..conftest import MakeBench

HERE = f"{REGION}:{ACCOUNT}"
F, G = Key(SCOPE, "function", "f"), Key(SCOPE, "function", "g")
FN = f"arn:aws:lambda:{HERE}:function:"
QUEUE, STREAM = f"arn:aws:sqs:{HERE}:orders", f"arn:aws:kinesis:{HERE}:stream/clicks"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:lambda:invoke"
NO = Fault("AccessDeniedException", status=403)
DLQ = f"arn:aws:sqs:{HERE}:dead"


def schedule(name: str, target: str = FN + "f", state: str = "ENABLED") -> dict[str, Any]:
    arn = f"arn:aws:scheduler:{HERE}:schedule/default/{name}"
    return {"Name": name, "GroupName": "default", "Arn": arn, "State": state, "Target": {"Arn": target}}


def full(name: str, target: str = FN + "f", text: str = "", **of: Any) -> dict[str, Any]:
    retry = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86_400}
    target_ = {"Arn": target, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "RetryPolicy": retry} | of
    target_ |= {"Input": text} if text else {}
    zone = {"ScheduleExpression": "rate(5 minutes)", "ScheduleExpressionTimezone": "Europe/Berlin"}
    return schedule(name) | zone | {"Target": target_}


def pipe(name: str, source: str = QUEUE, target: str = FN + "f", **of: Any) -> dict[str, Any]:
    arn = f"arn:aws:pipes:{HERE}:pipe/{name}"
    ends = {"Source": source, "Target": target, "CurrentState": "RUNNING", "DesiredState": "RUNNING"}
    return {"Name": name, "Arn": arn} | ends | of


def machine(name: str) -> dict[str, Any]:
    arn = f"arn:aws:states:{HERE}:stateMachine:{name}"
    return {"stateMachineArn": arn, "name": name, "type": "STANDARD", "creationDate": 1.0}


def described(name: str, *functions: str, **members: Any) -> dict[str, Any]:
    states = {f"Call{i}": {"Type": "Task", "Resource": arn} | members for i, arn in enumerate(functions)}
    more = {"status": "ACTIVE", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r"}
    return machine(name) | more | {"definition": json.dumps({"StartAt": "Call0", "States": states})}


def named(answers: dict[str, Answer], member: str) -> Any:
    return lambda params: answers[params[member].rsplit(":", 1)[-1]]


def found(events: Iterable[Event]) -> dict[str, Caller]:
    return {c.key.id: c for e in events if isinstance(e, CallersObserved) for c in e.callers}


def gaps(events: Iterable[Event]) -> list[Gap]:
    return [gap for e in events if isinstance(e, GapsObserved) for gap in e.gaps]


async def test_schedules_of_functions_and_of_universal_targets(bench: MakeBench, stub: WireStub) -> None:
    universal = json.dumps({"FunctionName": "g", "InvocationType": "Event", "Qualifier": "live"})
    listed = [schedule("a"), schedule("b", UNIVERSAL), schedule("c", QUEUE), schedule("d", UNIVERSAL)]
    details = {"a": full("a", DeadLetterConfig={"Arn": DLQ}), "b": full("b", UNIVERSAL, universal)}
    details["d"] = full("d", UNIVERSAL, '{"FunctionName": "f", "InvocationType": "DryRun"}')
    stub.on("scheduler", "ListSchedules", {"Schedules": listed})
    stub.on("scheduler", "GetSchedule", lambda p: details[p["Name"]])
    made = bench()
    source = CallerSource(made.api, SCOPE, CallerReads(made.api, SCOPE).schedules)
    known = found(await source.collect(made.view()))
    assert set(known) == {"default/a", "default/b"}
    a, b = known["default/a"], known["default/b"]
    assert (a.function, a.invocation, a.settings) == (
        F,
        "push async",
        "ENABLED, rate(5 minutes) Europe/Berlin",
    )
    assert a.retries == "a refused call: retried 185 times within 24 h, then queue dead"
    assert (b.function, b.function_arn, b.invocation) == (G, FN + "g:live", "push async")
    assert b.retries == "a refused call: retried 185 times within 24 h, then dropped: no DLQ"
    assert [p["Name"] for p in stub.calls("GetSchedule")] == ["a", "b", "d"]
    assert source.unasked(made.view()) == ()


async def test_what_get_schedule_denies_is_not_known(bench: MakeBench, stub: WireStub) -> None:
    listed = [schedule("a", state="DISABLED"), schedule("b", UNIVERSAL)]
    stub.on("scheduler", "ListSchedules", {"Schedules": listed})
    stub.on("scheduler", "GetSchedule", NO)
    made = bench()
    source = CallerSource(made.api, SCOPE, CallerReads(made.api, SCOPE).schedules)
    events = await source.collect(made.view())
    a = found(events)["default/a"]
    denied = NotKnown("denied", "scheduler:GetSchedule")
    assert (a.function, a.off, a.when, a.max_retries, a.dlq_arn) == (F, True, denied, denied, denied)
    assert [(g.action, g.target, g.reason) for g in gaps(events)] == [
        ("scheduler:GetSchedule", "default/a", "denied"),
        ("scheduler:GetSchedule", "default/b", "denied"),
    ]
    world = fold_all(EMPTY_WORLD, (*events, SourceReported(SCOPE, 1.0, "schedules", "ok")))
    look = looks_of(world.looks(SCOPE), world.callers[F])[0]
    # How a repeats its calls hides no caller; what b invokes does.
    assert look.callers == (a,)
    assert look.missing == ("missing scheduler:GetSchedule",)


async def test_a_pipe_invokes_its_target_and_its_enrichment(bench: MakeBench, stub: WireStub) -> None:
    stream = pipe("s", STREAM, CurrentState="STOPPED")
    stub.on(
        "pipes", "ListPipes", {"Pipes": [pipe("q", Enrichment=FN + "g:1"), pipe("no", target=QUEUE), stream]}
    )
    limits = {"StartingPosition": "LATEST", "MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": 3600}
    of_stream = {"KinesisStreamParameters": limits | {"DeadLetterConfig": {"Arn": DLQ}}}
    forget = {"LambdaFunctionParameters": {"InvocationType": "FIRE_AND_FORGET"}}
    details = {
        "q": pipe("q", Enrichment=FN + "g:1", SourceParameters={"SqsQueueParameters": {}}),
        "s": stream | {"SourceParameters": of_stream, "TargetParameters": forget},
    }
    stub.on("pipes", "DescribePipe", lambda p: details[p["Name"]])
    made = bench()
    source = CallerSource(made.api, SCOPE, CallerReads(made.api, SCOPE).pipes)
    events = await source.collect(made.view())
    every = [c for e in events if isinstance(e, CallersObserved) for c in e.callers]
    callers = [c for c in every if c.function is not None]
    # One that hands events on only is known, for the graph.
    assert [(c.key.id, c.source_arn, c.target_arn, c.computes) for c in every if c not in callers] == [
        ("no", QUEUE, QUEUE, False)
    ]
    assert [(c.key.id, c.function, c.parts, c.invocation) for c in callers] == [
        ("q", G, ("enrichment",), "push sync"),
        ("q", F, ("target",), "push sync"),
        ("s", F, ("target",), "push async"),
    ]
    assert callers[1].settings == "RUNNING, reads queue orders, as target"
    assert callers[1].retries == "a failed batch: queue orders hands it out again by its own rules"
    assert callers[2].off
    assert callers[2].retries == "a failed batch: retried without limit within 60 min, then queue dead"
    assert {p["Name"] for p in stub.calls("DescribePipe")} == {"q", "s"}


async def test_state_machines_are_read_by_their_definitions(bench: MakeBench, stub: WireStub) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 9, "IntervalSeconds": 1}]
    details: dict[str, Answer] = {
        "pay": described("pay", FN + "f", Retry=retry),
        "idle": described("idle", "arn:aws:states:::sqs:sendMessage"),
        "secret": NO,
        "odd": machine("odd") | {"definition": "{}", "status": "ACTIVE", "roleArn": "x"},
        "gone": Fault("StateMachineDoesNotExist"),
    }
    stub.on("stepfunctions", "ListStateMachines", {"stateMachines": [machine(n) for n in details]})
    stub.on("stepfunctions", "DescribeStateMachine", named(details, "stateMachineArn"))
    made = bench()
    source = CallerSource(made.api, SCOPE, CallerReads(made.api, SCOPE).machines)
    events = await source.collect(made.view())
    assert {k: c.retries for k, c in found(events).items()} == {
        "pay": "Retry States.ALL: 9 times, first after 1 s, then x 2"
    }
    action = "states:DescribeStateMachine"
    assert [(g.action, g.target, g.reason) for g in gaps(events)] == [
        (action, "odd", "not answered"),
        (action, "secret", "denied"),
    ]
    again = await source.collect(made.view())
    assert not gaps(again), "told once"
    # The missing one was looked for anew in vain: what was read a moment ago is not read again.
    assert [p["stateMachineArn"].rsplit(":")[-1] for p in stub.calls("DescribeStateMachine")][5:] == [
        "secret"
    ]


async def test_more_than_a_round_reads_is_said(
    bench: MakeBench, stub: WireStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads.Reads.look, "__defaults__", (Limits(2, 3), ()))
    pages = (["a", "b"], ["c", "d"], ["e"])

    def page(params: dict[str, Any]) -> Answer:
        at = int(params.get("nextToken", "0"))
        more = {"nextToken": str(at + 1)} if at < 2 else {}
        return {"stateMachines": [machine(n) for n in pages[at]]} | more

    stub.on("stepfunctions", "ListStateMachines", page)
    stub.on(
        "stepfunctions",
        "DescribeStateMachine",
        lambda p: described(p["stateMachineArn"].rsplit(":", 1)[-1], FN + "f"),
    )
    made = bench()
    source = CallerSource(made.api, SCOPE, CallerReads(made.api, SCOPE).machines)
    events = await source.collect(made.view())
    assert set(found(events)) == {"a", "b", "c"}
    assert [(g.target, g.reason, g.targets) for g in gaps(events)] == [
        (None, "not asked", 1),
        ("state machines beyond the first 4", "over the limit", 1),
    ]
    assert [(g.reason, g.targets) for g in source.unasked(made.view())] == [("not asked", 1)]
    assert set(found(await source.collect(made.view()))) == {"a", "b", "c", "d"}
    assert source.unasked(made.view()) == ()
    assert len(stub.calls("ListStateMachines")) == 4


@pytest.mark.parametrize("name", ["schedules", "pipes", "machines"])
@pytest.mark.parametrize(("fault", "kind"), [(NO, Denied), (Fault("ThrottlingException"), Throttled)])
async def test_a_list_that_is_refused_ends_the_round(
    bench: MakeBench, stub: WireStub, name: str, fault: Fault, kind: type[Exception]
) -> None:
    for service, operation in (
        ("scheduler", "ListSchedules"), ("pipes", "ListPipes"), ("stepfunctions", "ListStateMachines")
    ):  # fmt: skip
        stub.on(service, operation, fault)
    made = bench()
    source = CallerSource(made.api, SCOPE, getattr(CallerReads(made.api, SCOPE), name))
    with pytest.raises(kind):
        await source.collect(made.view())


async def test_a_plan_asks_once_and_says_what_was_denied(bench: MakeBench, stub: WireStub) -> None:
    stub.on("scheduler", "ListSchedules", {"Schedules": [schedule("a"), schedule("z", FN + "g")]})
    stub.on("scheduler", "GetSchedule", lambda p: full(p["Name"], FN + ("f" if p["Name"] == "a" else "g")))
    stub.on("pipes", "ListPipes", NO)
    computed = described("which", "arn:aws:states:::lambda:invoke", Parameters={"FunctionName.$": "$.f"})
    stub.on("stepfunctions", "ListStateMachines", {"stateMachines": [machine("which")]})
    stub.on("stepfunctions", "DescribeStateMachine", computed)
    made = bench(at=1_800_000_000.0)
    shared = CallerReads(made.api, SCOPE)
    looks = await shared.of(F)
    assert [c.name for look in looks for c in look.callers] == ["schedule default/a"]
    assert looked_words(looks) == (
        "schedules, pipes and state machines were looked for at 08:00 UTC: 1 found; not known: missing "
        "pipes:ListPipes, which function is computed by state machine which; SDK callers cannot be listed"
    )
    assert [c.name for look in await shared.of(G) for c in look.callers] == ["schedule default/z"]
    assert len(stub.calls("ListSchedules")) == len(stub.calls("DescribeStateMachine")) == 1
    assert len(stub.calls("ListPipes")) == 2, "what was denied is asked again"


def test_each_kind_is_its_own_source() -> None:
    assert {spec.name for spec in (SCHEDULES, PIPES, STATE_MACHINES) if spec.looked_up} == {
        "schedules", "pipes", "state_machines"
    }  # fmt: skip
