"""A reconnect while changes are under way: nothing that was sent is cut off, plans in steps go on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fakes.clock import settle
from fakes.engine_bench import EngineBench
from fakes.entries import SCOPE
from fakes.many_triggers import Triggers, TriggersMutator, TriggersReader, stop_in_order
from msgspec.structs import replace

from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.ports.console import Result

ROLE = "arn:aws:sts::111122223333:assumed-role/oncall/"


class Reconnecting(EngineBench):
    """Connections of their own over one account; each of them fails once it was closed."""

    def __init__(self, directory: Path, triggers: int = 2) -> None:
        super().__init__(directory)
        self.triggers = Triggers(self.clock, triggers)
        self.changes: dict[str, Any] = {}
        self.identity = f"{ROLE}kim"
        self.readers: list[TriggersReader] = []
        self.engine._link._connect = self._open

    async def _open(self) -> Backend:
        backend = await self.backend.connect()
        reader = TriggersReader(self.triggers)
        self.readers.append(reader)

        async def close() -> None:
            reader.closed = True
            await backend.close()

        identified = replace(backend.identified, identity=self.identity)
        made = replace(backend, identified=identified, reader=reader, close=close)
        if backend.mutator is self.backend.mutator and self.backend.mutator is not None:
            gated = self.backend.mutator.gate is not None
            made = made if gated else replace(made, mutator=TriggersMutator(self.triggers))
        return replace(made, **self.changes)

    async def begun(self) -> asyncio.Task[Result]:
        """Start a plan in steps whose triggers are being disabled."""
        await self.clock.advance(2)
        plan = stop_in_order(self.clock, len(self.triggers.off_at))
        task = asyncio.ensure_future(self.engine.execute(plan, self.clock.now()))
        await self.clock.until(lambda: len(self.triggers.sent_at) == len(self.triggers.off_at))
        await self.clock.advance(1)
        return task

    async def reconnect(self) -> None:
        opened = self.backend.opened
        self.engine.reconnect()
        await self.clock.until(lambda: self.backend.opened > opened)
        await settle()


async def test_a_plan_in_steps_goes_on_after_a_login(tmp_path: Path) -> None:
    async with Reconnecting(tmp_path).running() as bench:
        assert isinstance(bench, Reconnecting)
        bench.triggers.stuck = set(bench.triggers.off_at)
        task = await bench.begun()
        await bench.clock.advance(60)
        await bench.reconnect()
        await bench.clock.advance(10)
        assert not task.done()
        assert bench.backend.closed == 1, "the former connection does not wait for what waits itself"
        bench.triggers.stuck = set()
        await bench.clock.until(task.done)
        assert task.result().kind == "applied", task.result().message
        assert bench.triggers.account.reserved == 0
        assert [e.outcome for e in bench.journal.read()] == ["applied"] * 3


async def test_the_sdk_s_own_new_session_name_is_the_same_caller(tmp_path: Path) -> None:
    bench = Reconnecting(tmp_path)
    bench.identity = f"{ROLE}botocore-session-1700000000"
    async with bench.running():
        task = await bench.begun()
        bench.identity = f"{ROLE}botocore-session-1700000777"
        await bench.reconnect()
        await bench.clock.until(task.done)
        assert task.result().kind == "applied", task.result().message


@pytest.mark.parametrize("other", ["account", "caller", "read-only", "refused"])
async def test_another_connection_ends_it_with_words_and_entries(tmp_path: Path, other: str) -> None:
    bench = Reconnecting(tmp_path)
    async with bench.running():
        bench.triggers.stuck = set(bench.triggers.off_at)
        task = await bench.begun()
        await bench.clock.advance(20)
        if other == "account":
            bench.backend.scope = Scope("999999999999", SCOPE.region)
        elif other == "caller":
            bench.identity = f"{ROLE}ann"
        elif other == "read-only":
            bench.changes = {"mutator": None}
        else:
            bench.changes = {"changes_refused": "Calls go elsewhere."}
        await bench.reconnect()
        bench.triggers.stuck = set()
        await bench.clock.until(task.done)
        result = task.result()
        assert result.kind == "not-sent"
        words = {
            "account": "connected to 999999999999",
            "caller": "connected as arn:aws:sts::111122223333:assumed-role/oncall/ann",
            "read-only": "may not change anything",
            "refused": "may not change anything",
        }
        assert words[other] in result.message
        assert "2 of 3 steps are done" in result.message
        assert "Not begun: Throttle orders-worker to zero" in result.message
        assert bench.triggers.account.reserved == 7
        entries = bench.journal.read()
        assert [e.outcome for e in entries] == ["applied", "applied", "not-sent"]
        assert words[other] in entries[-1].detail


async def test_quitting_after_a_reconnect_waits_for_the_call_on_the_former_connection(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    running = asyncio.ensure_future(bench.engine.run())
    await bench.clock.advance(2)
    executing = await bench.executing()
    bench.engine.reconnect()
    await bench.clock.until(lambda: bench.backend.opened == 2)
    await settle()
    assert (await bench.plan()).target.name == "orders-worker", "keys work on the new connection meanwhile"
    bench.engine.stop()
    await bench.clock.advance(7)
    assert not running.done(), "what was sent is waited for"
    assert bench.engine.busy
    bench.release()
    await bench.clock.until(running.done)
    assert (await executing).kind == "applied"
    assert bench.backend.closed == 2
    assert [(e.outcome, e.detail) for e in bench.journal.read()] == [("applied", "")]


async def test_a_call_on_the_former_connection_keeps_its_target_for_itself(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        first = await bench.executing()
        plan = await bench.plan()
        bench.engine.reconnect()
        await bench.clock.until(lambda: bench.backend.opened == 2)
        second = asyncio.ensure_future(bench.engine.execute(plan, bench.clock.now()))
        await bench.clock.advance(3)
        assert bench.backend.mutator is not None
        assert len(bench.backend.mutator.sent) == 1, "one change per target at a time, whichever connection"
        bench.release()
        await bench.clock.until(second.done)
        assert (first.result().kind, second.result().kind) == ("applied", "drift")


async def test_nobody_settles_a_call_that_is_on_its_way_on_the_former_connection(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        executing = await bench.executing()
        bench.backend.account.reserved = 0  # as if AWS had carried it out and not answered yet
        bench.engine.reconnect()
        await bench.clock.until(lambda: bench.backend.opened == 2)
        await bench.clock.advance(65)
        assert [e.outcome for e in bench.journal.read()] == ["open"]
        bench.release()
        await bench.clock.until(executing.done)
