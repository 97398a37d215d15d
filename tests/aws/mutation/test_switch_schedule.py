"""A schedule is switched by sending all of it back, member by member, and nothing of it is written down."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.wire_stub import Body, Fault
from fakes.wire_world import WireWorld, WorldStub
from fakes.wire_world_callers import SCHEDULE, SECRET
from fakes.wire_world_flow import Console, open_backend
from fakes.wire_world_rows import Row

from lambdatop.aws.sdk.walls.guard import Guard, GuardRefusal
from lambdatop.domain.mitigations.schedules import switch_schedule
from lambdatop.domain.plans.plan import Call, Plan, Refusal
from lambdatop.report.json.mutations import plan_json
from lambdatop.report.text.plan import proposal_text

pytestmark = [pytest.mark.sdk, pytest.mark.wire]

ROW = Row("disable_schedule", SCHEDULE)
OWN = ("Arn", "CreationDate", "LastModificationDate")


@pytest.fixture
async def stub() -> AsyncIterator[WorldStub]:
    async with WorldStub(WireWorld()) as running:
        yield running
    assert running.problems == []


@pytest.fixture
async def console(stub: WorldStub, tmp_path: Path) -> AsyncIterator[Console]:
    clock = FakeClock(auto=True)
    backend = await open_backend(stub.url, clock)
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    yield Console(directory, backend, clock)
    await backend.close()


def _told(stub: WorldStub) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(stub.world.state["schedules"][SCHEDULE])
    return found


def _answers(stub: WorldStub, schedule: dict[str, Any]) -> None:
    """Let the bytes of GetSchedule be these, whatever the model says of them."""
    stub.on("scheduler", "GetSchedule", Body(json.dumps(schedule).encode()))


async def test_the_update_holds_every_member_as_it_was_told_but_the_state(
    stub: WorldStub, console: Console
) -> None:
    there = _told(stub)
    plan = await console.plan(ROW)
    result = await console.execute(plan)
    assert result.kind == "applied", result
    (sent,) = stub.calls("UpdateSchedule")
    assert len(sent.pop("ClientToken")) == 36
    assert sent == {k: v for k, v in there.items() if k not in OWN} | {"State": "DISABLED"}
    undone = await console.execute(await console.undo())
    assert undone.kind == "applied", undone
    now = _told(stub)
    assert {k: v for k, v in now.items() if k not in OWN} == {k: v for k, v in there.items() if k not in OWN}


async def test_what_a_schedule_sends_is_in_no_plan_and_in_no_journal(
    stub: WorldStub, console: Console
) -> None:
    plan = await console.plan(ROW)
    shown = [repr(plan), proposal_text(plan), json.dumps(plan_json(plan), default=str)]
    await console.execute(plan)
    await console.execute(await console.undo())
    shown += [console.file.read_text(), repr(console.journal.read())]
    assert stub.calls("UpdateSchedule")[0]["Target"]["Input"].count(SECRET) == 1
    assert not [text for text in shown if SECRET in text]


async def test_two_updates_never_share_a_token(stub: WorldStub, console: Console) -> None:
    for _ in range(2):
        await console.execute(await console.plan(ROW))
        await console.execute(await console.undo())
    tokens = {params["ClientToken"] for params in stub.calls("UpdateSchedule")}
    assert len(tokens) == 4


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"Mood": "calm"}, "Mood"),
        ({"Target": {"Mood": 1}}, "Target.Mood"),
        ({"StartDate": 1_700_000_000.5}, "StartDate"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "Jitter": True}}, "FlexibleTimeWindow.Jitter"),
        ({"Target": {"SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": 1}]}}}, "Target"),
    ],
)
async def test_a_member_that_would_be_lost_is_refused_and_not_sent(
    change: dict[str, Any], lost: str, stub: WorldStub, console: Console
) -> None:
    plan = await console.plan(ROW)
    there = _told(stub)
    for name, value in change.items():
        there[name] = {**there[name], **value} if isinstance(value, dict) else value
    _answers(stub, there)
    refused = await console.propose(ROW)
    assert isinstance(refused, Refusal)
    assert lost in refused.reason
    # It came between the plan and the call: the copy is compared again then.
    result = await console.execute(plan)
    assert (result.kind, stub.calls("UpdateSchedule")) == ("not-sent", [])
    assert lost in result.message


async def test_a_null_is_no_member(stub: WorldStub, console: Console) -> None:
    _answers(stub, _told(stub) | {"Description": None, "Mood": None})
    assert isinstance(await console.propose(ROW), Plan)


async def test_a_namesake_elsewhere_is_not_updated(stub: WorldStub, console: Console) -> None:
    plan = await console.plan(ROW)
    elsewhere = _told(stub)["Arn"].replace("123456789012", "999999999999")
    _answers(stub, _told(stub) | {"Arn": f"{elsewhere}-other"})
    result = await console.execute(plan)
    assert (result.kind, stub.calls("UpdateSchedule")) == ("not-sent", [])
    assert "another schedule" in result.message


async def test_what_somebody_changes_after_the_plan_is_kept(stub: WorldStub, console: Console) -> None:
    plan = await console.plan(ROW)
    stub.world.state["schedules"][SCHEDULE]["ScheduleExpression"] = "rate(7 minutes)"
    assert (await console.execute(plan)).kind == "applied"
    assert _told(stub)["ScheduleExpression"] == "rate(7 minutes)"


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (f'Value "token: {SECRET}" at target.input failed', "ValidationException (AWS's words quote"),
        (f"{SECRET.upper()} is bad", "ValidationException (AWS's words quote"),
        ("The StartDate you specify cannot be earlier than 5 minutes ago.", "5 minutes ago"),
    ],
)
async def test_a_refusal_that_quotes_the_input_is_not_written_down(
    message: str, says: str, stub: WorldStub, console: Console
) -> None:
    plan = await console.plan(ROW)
    stub.on("scheduler", "UpdateSchedule", Fault("ValidationException", message))
    result = await console.execute(plan)
    assert result.kind == "refused"
    assert says in result.message
    assert SECRET.lower() not in f"{result} {console.file.read_text()}".lower()


async def test_a_read_that_fails_right_before_the_update_sends_nothing(
    stub: WorldStub, console: Console
) -> None:
    plan = await console.plan(ROW)
    mutator = console.backend.mutator
    assert mutator is not None
    stub.on("scheduler", "GetSchedule", Fault("AccessDeniedException", "no", 403))
    sent = await mutator.send(plan.call, plan.call.digest())
    assert (sent.outcome, stub.calls("UpdateSchedule")) == ("not-sent", [])
    assert "scheduler:GetSchedule is denied" in sent.detail


def _update(call: Call, **changes: Any) -> Call:
    given = {k: v for k, v in call.params.items() if k != "Arn"}
    return Call("scheduler", "UpdateSchedule", {**given, "Target": {"Arn": "a", "RoleArn": "r"}, **changes})


def test_the_guard_admits_only_the_update_that_the_intent_names() -> None:
    call = switch_schedule("arn", "shop", "minutely", "DISABLED")
    guard = Guard(read_only=False)
    with guard.switch_ticket(call, call.digest(), _update(call)) as ticket:
        with pytest.raises(GuardRefusal):
            ticket.match(_update(call, Description="more"), "scheduler:UpdateSchedule")
        ticket.match(_update(call), "scheduler:UpdateSchedule")
    for wrong in (
        _update(call, State="ENABLED"),
        _update(call, Name="other"),
        _update(call, GroupName="default"),
        Call("scheduler", "DeleteSchedule", _update(call).params),
    ):
        with pytest.raises(GuardRefusal, match="not the switch"):
            guard.switch_ticket(call, call.digest(), wrong)
    for journaled in (_update(call), Call("lambdatop", "DrainQueue", call.params)):
        with pytest.raises(GuardRefusal, match="not the switch"):
            guard.switch_ticket(journaled, journaled.digest(), _update(call))
    with pytest.raises(GuardRefusal, match="not the switch"):
        guard.switch_ticket(call, "0" * 64, _update(call))
    guard.forbid_changes()
    with pytest.raises(GuardRefusal, match="read-only"):
        guard.switch_ticket(call, call.digest(), _update(call))
