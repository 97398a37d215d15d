"""Triggers of one function are switched off side by side, and the throttle follows when all are off."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.entries import SCOPE
from fakes.many_triggers import OFF_S, Triggers, TriggersMutator, TriggersReader, stop_in_order, trigger
from fakes.mitigation_flow import MitigationFlow, mitigation_flow
from msgspec.structs import replace

from lambdatop.domain.plans.plan import Call
from lambdatop.domain.ports.aws import Sent
from lambdatop.domain.ports.console import Result
from lambdatop.engine.mutating import composite
from lambdatop.engine.mutating.executor import Executor

COUNT = 12


class Bench:
    def __init__(self, directory: Path, count: int = COUNT) -> None:
        self.clock = FakeClock()
        self.triggers = Triggers(self.clock, count)
        self.way: MitigationFlow = mitigation_flow(directory, self.triggers.account, clock=self.clock)
        self.mutator = TriggersMutator(self.triggers)
        self.executor = Executor(
            self.clock,
            self.way.journal,
            TriggersReader(self.triggers),
            self.mutator,
            "arn:aws:iam::111122223333:user/kim",
            "operator",
            lambda events: None,
            scope=SCOPE,
        )
        self.plan = stop_in_order(self.clock, count)

    async def carry_out(self) -> tuple[Result, float]:
        """Return how it ended, and how long that took (s)."""
        began = self.clock.monotonic()
        task = asyncio.ensure_future(self.executor.execute(self.plan, self.clock.now()))
        await self.clock.until(task.done)
        return task.result(), self.clock.monotonic() - began


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_all_are_sent_before_the_first_is_off(bench: Bench) -> None:
    done, took_s = await bench.carry_out()
    assert done.kind == "applied", done.message
    sent = sorted(bench.triggers.sent_at.values())
    assert len(sent) == COUNT
    assert sent[-1] - sent[0] < 1.0
    assert took_s <= OFF_S + composite.CHECK_EVERY_S
    assert bench.triggers.account.reserved == 0
    operations = [call.operation for call, _ in bench.mutator.sent]
    assert operations == ["UpdateEventSourceMapping"] * COUNT + ["PutFunctionConcurrency"]


async def test_each_has_its_intent_before_its_call_and_undo_walks_back(bench: Bench) -> None:
    seen: list[bool] = []
    send = bench.mutator.send

    async def watched(call: object, digest: str) -> object:
        seen.append(any(e.call.digest() == digest for e in bench.way.journal.read()))
        return await send(call, digest)  # type: ignore[arg-type]

    bench.mutator.send = watched  # type: ignore[method-assign,assignment]
    await bench.carry_out()
    assert seen == [True] * (COUNT + 1)
    entries = bench.way.journal.read()
    assert [e.outcome for e in entries] == ["applied"] * (COUNT + 1)
    assert {(e.whole, e.steps) for e in entries} == {(bench.plan.title, COUNT + 1)}
    undone = []
    for _ in entries:
        proposal = await bench.executor.proposals.propose_undo(None)
        task = asyncio.ensure_future(bench.executor.execute(proposal, bench.clock.now()))  # type: ignore[arg-type]
        await bench.clock.until(task.done)
        assert task.result().kind == "applied", task.result().message
        undone.append(proposal.target.key)
    assert undone == [e.target for e in reversed(entries)]
    assert bench.triggers.account.reserved == 7
    assert {bench.triggers.state(uuid) for uuid in bench.triggers.off_at} == {"Enabled"}


async def test_a_refused_one_does_not_stop_the_others_and_is_named(bench: Bench) -> None:
    bench.triggers.refused = {trigger(5).id}
    done, _ = await bench.carry_out()
    assert done.kind == "refused"
    assert len(bench.triggers.sent_at) == COUNT
    assert bench.triggers.account.reserved == 7, "it is not throttled while a queue is still received"
    assert "q5" in done.message
    assert "11 of 13 steps are done" in done.message
    assert "Not begun: Throttle orders-worker to zero" in done.message
    outcomes = [e.outcome for e in bench.way.journal.read()]
    assert sorted(outcomes) == ["applied"] * 11 + ["not-sent", "refused"]


async def test_what_was_refused_is_said_of_its_step_alone(bench: Bench) -> None:
    send = bench.mutator.send

    async def refuse(call: Call, digest: str) -> Sent:
        if call.operation == "PutFunctionConcurrency":
            return Sent("refused", "it is too small.")
        return await send(call, digest)

    bench.mutator.send = refuse  # type: ignore[method-assign]
    done, _ = await bench.carry_out()
    assert "12 of 13 steps are done" in done.message
    assert (
        "Throttle orders-worker to zero: AWS refused: it is too small. Nothing was changed." in done.message
    )


@pytest.mark.parametrize(
    ("final", "said", "undo"),
    [
        ((), "12 of 13 steps are done and stand in the journal, where each can be undone.", "p.12"),
        (
            (11,),
            "stand in the journal, where the others can be undone. No undo takes back: the one.",
            "p.11",
        ),
        (range(12), "stand in the journal. No undo takes back: the one; the one; the one", ""),
    ],
)
async def test_a_step_without_an_undo_is_not_said_to_have_one(
    bench: Bench, final: Collection[int], said: str, undo: str
) -> None:
    bench.plan = replace(
        bench.plan,
        steps=tuple(
            replace(step, undo=None, title="the one") if n in final else step
            for n, step in enumerate(bench.plan.steps)
        ),
    )
    bench.triggers.stuck = {trigger(3).id}
    done, _ = await bench.carry_out()
    assert said in done.message
    stays = f"What was done stays until you undo it (lambdatop undo {undo})."
    assert done.message.endswith(stays) if undo else "until you undo" not in done.message


async def test_one_that_is_never_off_is_named_and_nothing_is_throttled(bench: Bench) -> None:
    bench.triggers.stuck = {trigger(3).id}
    done, took_s = await bench.carry_out()
    assert done.kind == "not-sent"
    assert "q3" in done.message
    assert "q4" not in done.message
    assert took_s >= 600
    assert bench.triggers.account.reserved == 7


async def test_interrupted_between_it_says_what_stands_and_journals_what_was_not_begun(bench: Bench) -> None:
    bench.triggers.stuck = set(bench.triggers.off_at)
    task = asyncio.ensure_future(bench.executor.execute(bench.plan, bench.clock.now()))
    await bench.clock.until(lambda: len(bench.triggers.sent_at) == COUNT)
    await bench.clock.advance(20)
    bench.executor.interrupt()
    await bench.clock.until(task.done)
    assert task.result().kind == "not-sent"
    assert "lambdatop was closing while it waited" in task.result().message
    last = bench.way.journal.read()[-1]
    assert (last.mitigation, last.outcome) == ("throttle_to_zero", "not-sent")
    assert last.detail.startswith("not begun: Nothing further was sent: lambdatop was closing")
    assert bench.triggers.account.reserved == 7
