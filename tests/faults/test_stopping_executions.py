"""Many durable executions stopped one by one: what ended before, what is refused, a kill between two."""

from __future__ import annotations

import signal
from itertools import pairwise
from pathlib import Path

import pytest
from fakes.wire_stub import Fault
from fakes.wire_world import FUNCTION, Request, Trouble, WireWorld
from fakes.wire_world_flow import Console, Lab
from fakes.wire_world_kills import KILLED, Nursery, signal_client
from fakes.wire_world_reads import execution
from fakes.wire_world_rows import ROWS, Row

from lambdatop.domain.mitigations.one_by_one import PACE_S
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.console import Result
from lambdatop.engine.mutating.one_by_one import MOST_FAILURES

from .conftest import Fresh

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]
NAMES = [f"e{n}" for n in range(6)]
DENIED = Fault("AccessDeniedException", status=403)
TWO = next(row for row in ROWS if row.mitigation == "stop_durable" and row.honest)


def furnish(world: WireWorld) -> None:
    world.state["function"]["durable"] = True
    world.state["durable_executions"] = {
        execution(name): {"status": "RUNNING", "started": 1.79e9 + n} for n, name in enumerate(NAMES)
    }


ROW = Row("stop_durable", FUNCTION, {}, furnish)


def end(world: WireWorld, *names: str) -> None:
    for name in names:
        world.state["durable_executions"][execution(name)]["status"] = "SUCCEEDED"


def left(world: WireWorld) -> list[str]:
    found = world.state["durable_executions"]
    return [arn.split("/")[-2] for arn, one in found.items() if one["status"] == "RUNNING"]


async def planned(bench: Lab, fresh: Fresh, prepare: bool = True) -> tuple[Console, Plan]:
    console = bench.console(fresh())
    if prepare:
        bench.world.reset(console.file)
        furnish(bench.world)
    return console, await console.plan(ROW)


def outcomes(console: Console) -> list[str]:
    return [entry.outcome for entry in console.journal.read()]


async def test_each_is_stopped_at_the_pace_with_an_entry_of_its_own(bench: Lab, fresh: Fresh) -> None:
    console, plan = await planned(bench, fresh)
    times: list[float] = []
    bench.world.on_request = lambda request: times.append(bench.clock.monotonic())
    result = await console.execute(plan)
    assert result.kind == "applied"
    assert "6 of 6 done" in result.message
    assert left(bench.world) == []
    assert [r.params["DurableExecutionArn"] for r in bench.world.requests] == [execution(n) for n in NAMES]
    assert all(r.intent for r in bench.world.requests)
    assert outcomes(console) == ["applied"] * 6
    assert min(b - a for a, b in pairwise(times)) >= 0.99 * PACE_S
    assert await console.executor.halfway() == ()


async def test_what_has_ended_meanwhile_is_no_failure_and_nothing_is_sent_for_it(
    bench: Lab, fresh: Fresh
) -> None:
    console, plan = await planned(bench, fresh)
    end(bench.world, "e1", "e5")
    result = await console.execute(plan)
    assert result.kind == "applied"
    assert "4 of 6 done, 2 had ended before" in result.message
    assert len(bench.world.requests) == 4
    assert outcomes(console) == ["applied", "not-sent", "applied", "applied", "applied", "not-sent"]
    assert "e1/id-e1 SUCCEEDED" in console.journal.read()[1].detail
    assert await console.executor.halfway() == ()


async def test_one_that_ends_right_before_its_request_is_no_failure(bench: Lab, fresh: Fresh) -> None:
    console, plan = await planned(bench, fresh)

    def too_late(number: int) -> Trouble:
        if number == 2:
            end(bench.world, "e1")
        return Trouble()

    bench.world.trouble = too_late
    result = await console.execute(plan)
    assert (result.kind, outcomes(console)[1]) == ("applied", "refused")
    assert "5 of 6 done, 1 had ended before" in result.message
    assert console.journal.read()[1].detail.startswith("already ended: execution 3/e1/id-e1 SUCCEEDED (AWS")
    assert await console.executor.halfway() == ()


async def test_one_that_ends_while_its_answer_is_lost_is_over_and_not_unknown(
    bench: Lab, fresh: Fresh
) -> None:
    console, plan = await planned(bench, fresh)

    def too_late(number: int) -> Trouble:
        if number != 2:
            return Trouble()
        end(bench.world, "e1")
        return Trouble(applied=False, answer=Fault("ServiceException", status=500))

    bench.world.trouble = too_late
    result = await console.execute(plan)
    assert (result.kind, outcomes(console)[1]) == ("applied", "not-sent")
    assert console.journal.read()[1].detail.startswith("already ended: execution 3/e1/id-e1 SUCCEEDED (AWS")
    assert await console.executor.halfway() == ()


async def test_a_kill_before_the_journal_says_that_the_last_one_had_ended_leaves_nothing_halfway(
    bench: Lab, warm: Nursery, tmp_path: Path
) -> None:
    console = bench.console(tmp_path / "j")
    bench.world.reset(console.file)
    TWO.prepare(bench.world)

    def too_late(number: int) -> Trouble:
        if number == 2:
            end(bench.world, *left(bench.world))
        return Trouble()

    def kill(request: Request) -> None:
        if len(bench.world.requests) == 2:
            signal_client(request, signal.SIGKILL)

    bench.world.trouble, bench.world.on_request = too_late, kill
    status = await warm.run(
        do="die", row=TWO.name, undo=None, point="in request", directory=str(tmp_path / "j")
    )
    assert status == KILLED
    assert outcomes(console) == ["applied", "open"]
    later = bench.console(tmp_path / "j")
    (settled,) = await later.executor.recover()
    assert (settled.outcome, settled.detail.partition(":")[0]) == ("not-sent", "already ended")
    assert await later.executor.halfway() == ()


async def test_nothing_is_called_done_where_all_had_ended(bench: Lab, fresh: Fresh) -> None:
    console, plan = await planned(bench, fresh)
    end(bench.world, *NAMES)
    result = await console.execute(plan)
    assert result.kind == "not-sent"
    assert bench.world.requests == []


async def _refusing(bench: Lab, console: Console, plan: Plan, *numbers: int) -> Result:
    bench.world.trouble = lambda number: (
        Trouble(applied=False, answer=DENIED) if number in numbers else Trouble()
    )
    return await console.execute(plan)


async def test_one_that_is_refused_does_not_end_the_rest(bench: Lab, fresh: Fresh) -> None:
    console, plan = await planned(bench, fresh)
    result = await _refusing(bench, console, plan, 1, 3)
    assert result.kind == "refused"
    assert "4 of 6 done, 2 failed" in result.message
    assert left(bench.world) == ["e0", "e2"]


async def test_several_refusals_in_a_row_end_it(bench: Lab, fresh: Fresh) -> None:
    console, plan = await planned(bench, fresh)
    result = await _refusing(bench, console, plan, *range(2, 99))
    assert result.kind == "refused"
    assert len(bench.world.requests) == 1 + MOST_FAILURES
    assert f"2 steps not begun ({MOST_FAILURES} in a row failed)" in result.message
    assert outcomes(console)[-1] == "not-sent"
    (half,) = await console.executor.halfway()
    assert half.sentence.endswith("what stands cannot be undone; plan it again for what is left")


async def test_closing_ends_it_between_two(bench: Lab, fresh: Fresh) -> None:
    console, plan = await planned(bench, fresh)
    bench.world.on_request = lambda request: console.executor.interrupt()
    result = await console.execute(plan)
    assert result.kind == "not-sent"
    assert len(bench.world.requests) == 1
    assert "5 steps not begun (lambdatop was closing)" in result.message


async def test_a_second_plan_goes_on_after_a_kill_and_says_what_was_stopped(
    bench: Lab, warm: Nursery, tmp_path: Path
) -> None:
    console = bench.console(tmp_path / "j")
    bench.world.reset(console.file)
    TWO.prepare(bench.world)

    def kill(request: Request) -> None:
        if len(bench.world.requests) == 1:
            signal_client(request, signal.SIGKILL)

    bench.world.on_request = kill
    status = await warm.run(
        do="die", row=TWO.name, undo=None, point="in request", directory=str(tmp_path / "j")
    )
    assert status == KILLED
    assert outcomes(console) == ["open"]
    later = bench.console(tmp_path / "j", later_s=180.0)
    await later.executor.recover()
    assert outcomes(console) == ["applied"]
    assert len(await later.executor.halfway()) == 1
    plan = await later.plan(TWO)
    assert len(plan.steps) == 1
    assert any("1 execution of it was stopped from here before" in words for words in plan.warnings)
    bench.world.on_request = lambda request: None
    assert (await later.execute(plan)).kind == "applied"
    assert left(bench.world) == []
    assert await later.executor.halfway() == ()
