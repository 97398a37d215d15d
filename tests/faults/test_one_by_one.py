"""Executions are stopped one after another: some end by themselves, some are refused, a console is killed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.wire_stub import Fault
from fakes.wire_world import Request, Trouble, WireWorld, Witness, WorldStub
from fakes.wire_world_callers import MACHINE, PIPE, STATES
from fakes.wire_world_flow import Console, open_backend
from fakes.wire_world_rows import Row
from msgspec.structs import replace

from lambdatop.domain.mitigations.one_by_one import MOST, PACE_S
from lambdatop.domain.plans.plan import Refusal
from lambdatop.domain.plans.unfinished import halfway

pytestmark = pytest.mark.wire

ROW = Row("stop_executions", MACHINE)
ARN = f"{STATES}execution:{MACHINE}:"


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
    made = Console(directory, backend, clock)
    stub.world.reset(made.file)
    run(stub, 4)
    yield made
    await backend.close()


def run(stub: WorldStub, many: int) -> None:
    stub.world.state["executions"] = {f"run-{n}": "RUNNING" for n in range(1, many + 1)}


def _end(stub: WorldStub, *names: str) -> None:
    stub.world.state["executions"].update(dict.fromkeys(names, "SUCCEEDED"))


def _outcomes(console: Console) -> list[tuple[str, str]]:
    return [(str(e.call.params["executionArn"]).removeprefix(ARN), e.outcome) for e in console.journal.read()]


async def test_each_has_its_arn_in_the_journal_before_its_request(stub: WorldStub, console: Console) -> None:
    plan = await console.plan(ROW)
    began = console.clock.monotonic()
    result = await console.execute(plan)
    assert result.kind == "applied", result
    assert result.message == f"{plan.title}: 4 of 4 done."
    assert [r.intent for r in stub.world.requests] == [f"{plan.id}.{n}" for n in (1, 2, 3, 4)]
    asked = [str(r.params["executionArn"]) for r in stub.world.requests]
    assert asked == [f"{ARN}run-{n}" for n in (1, 2, 3, 4)]
    assert set(stub.world.state["executions"].values()) == {"ABORTED"}
    assert console.clock.monotonic() - began >= 3 * PACE_S
    (refused,) = [await console.executor.proposals.propose_undo(f"{plan.id}.4")]
    assert isinstance(refused, Refusal)
    assert "ended for good" in refused.reason


async def test_what_has_ended_for_good_is_not_looked_at_again(stub: WorldStub, console: Console) -> None:
    await console.execute(await console.plan(ROW))
    await console.execute(await console.plan(Row("stop_pipe", PIPE)))
    before = len(stub.received)
    await console.executor.settle_standing()
    assert [r.operation for r in stub.received[before:]] == ["DescribePipe"]


async def test_what_ended_by_itself_is_left_out_and_is_no_failure(stub: WorldStub, console: Console) -> None:
    plan = await console.plan(ROW)
    _end(stub, "run-2", "run-4")
    result = await console.execute(plan)
    assert result.kind == "applied"
    assert "2 of 4 done, 2 had ended before" in result.message
    assert [s.kind for s in result.steps] == ["applied", "not-sent", "applied", "not-sent"]
    assert "execution run-2 SUCCEEDED" in result.steps[1].message
    assert len(stub.world.requests) == 2
    found = [("run-1", "applied"), ("run-2", "not-sent"), ("run-3", "applied"), ("run-4", "not-sent")]
    assert _outcomes(console) == found
    assert halfway(console.journal.read(), lambda entry: False) == ()


async def test_nothing_is_sent_where_all_have_ended(stub: WorldStub, console: Console) -> None:
    plan = await console.plan(ROW)
    _end(stub, *stub.world.state["executions"])
    result = await console.execute(plan)
    assert (result.kind, stub.world.requests) == ("not-sent", [])
    assert "0 of 4 done, 4 had ended before" in result.message
    refused = await console.propose(ROW)
    assert isinstance(refused, Refusal)
    assert "no running execution" in refused.reason


async def test_one_that_ends_between_the_look_and_the_call_is_no_failure(
    stub: WorldStub, console: Console
) -> None:
    plan = await console.plan(ROW)

    def too_late(number: int) -> Trouble:
        if number == 2:
            _end(stub, "run-2")
        return Trouble()

    stub.world.trouble = too_late
    result = await console.execute(plan)
    assert result.kind == "applied"
    assert "3 of 4 done, 1 had ended before" in result.message
    assert result.steps[1].message == "It had ended before: execution run-2 SUCCEEDED."
    already = console.journal.read()[1]
    words = "already ended: execution run-2 SUCCEEDED (AWS accepted the request)"
    assert (already.outcome, already.detail) == ("applied", words)
    assert await console.executor.halfway() == ()
    assert len(stub.world.requests) == 4


async def test_a_refusal_does_not_end_the_rest_and_is_planned_again(
    stub: WorldStub, console: Console
) -> None:
    plan = await console.plan(ROW)
    denied = Trouble(False, Fault("AccessDeniedException", "no", 403))
    stub.world.trouble = lambda number: denied if number == 2 else Trouble()
    result = await console.execute(plan)
    assert result.kind == "refused"
    assert "3 of 4 done, 1 failed" in result.message
    assert "plan it again to go on with what is left" in result.message
    assert "lambdatop undo" not in result.message
    found = [("run-1", "applied"), ("run-2", "refused"), ("run-3", "applied"), ("run-4", "applied")]
    assert _outcomes(console) == found
    (left,) = await console.executor.halfway()
    assert "plan it again for what is left" in left.sentence
    assert "lambdatop undo" not in left.sentence
    stub.world.trouble = lambda number: Trouble()
    again = await console.plan(ROW)
    assert len(again.steps) == 1
    assert (await console.execute(again)).kind == "applied"
    assert set(stub.world.state["executions"].values()) == {"ABORTED"}


async def test_who_comes_after_a_kill_stops_the_rest(stub: WorldStub, console: Console) -> None:
    """Cut the journal off behind the second intent, as a kill in its request leaves it."""
    plan = await console.plan(ROW)
    seen: list[bytes] = []

    def remember(request: Request) -> None:
        if len(stub.world.requests) == 2:
            seen.append(console.file.read_bytes())

    stub.world.on_request = remember
    stub.world.trouble = lambda number: Trouble() if number < 3 else Trouble(False, Fault("X", "no", 403))
    await console.execute(plan)
    console.file.write_bytes(seen[0])
    stub.world.witness = Witness(console.file)
    (open_,) = [e for e in console.journal.read() if e.outcome == "open"]
    assert json.dumps(dict(open_.call.params)) == json.dumps({"executionArn": f"{ARN}run-2"})
    stub.world.trouble = lambda number: Trouble()
    later = Console(console.file.parent, console.backend, FakeClock(auto=True, now=console.clock.now() + 900))
    (settled,) = await later.executor.recover()
    assert (settled.id, settled.outcome) == (f"{plan.id}.2", "applied")
    rest = await later.plan(ROW)
    assert [s.call.params["executionArn"] for s in rest.steps] == [f"{ARN}run-3", f"{ARN}run-4"]
    assert (await later.execute(rest)).kind == "applied"


async def test_more_than_one_plan_stops_are_counted_and_left_for_the_next(
    stub: WorldStub, console: Console
) -> None:
    run(stub, MOST + 3)
    plan = await console.plan(ROW)
    assert len(plan.steps) == MOST
    assert plan.title == f"Stop the newest {MOST} of {MOST + 3} running executions of {MACHINE} for good"
    assert plan.tier == "T3"
    assert plan.confirm == MACHINE
    assert any("plan it again for the others" in words for words in plan.warnings)


async def test_steps_in_an_archive_are_no_steps_that_are_left(stub: WorldStub, console: Console) -> None:
    """A journal keeps the newest entries only; a long plan is longer than that."""
    await console.execute(await console.plan(ROW))
    entries = console.journal.read()
    assert halfway(entries[2:], lambda entry: False) == ()
    (left,) = halfway(entries[1:-1], lambda entry: False)
    assert "3 of 4 steps stand, 1 were not carried out" in left.sentence
    cut = tuple(replace(e, outcome="open") if e is entries[-1] else e for e in entries[2:])
    (left,) = halfway(cut, lambda entry: False)
    assert "3 of 4 steps stand, 1 may have gone through (" in left.sentence
