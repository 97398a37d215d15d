from __future__ import annotations

import asyncio
import os
from pathlib import Path

from fakes.engine_bench import EngineBench
from fakes.entries import WORKER, entry

from lambdatop.domain.errors import CredentialsError
from lambdatop.domain.plans.plan import Plan
from lambdatop.engine.mutating.executor import this_process
from lambdatop.engine.mutating.recovery import LATE_S
from lambdatop.storage.journal_file import JournalFile


async def test_a_journal_line_of_another_process_is_on_the_screen_within_seconds(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        JournalFile(tmp_path / "j").intent(entry("theirs", host="elsewhere", at=bench.clock.now()))
        await bench.clock.advance(2.5)
        assert [e.id for e in bench.engine.latest().open_intents] == ["theirs"]


async def test_a_damaged_journal_is_a_source_that_failed_and_stops_changes(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        bench.journal.intent(entry("e1"))
        bench.journal.path.write_bytes(b"garbage\n" * 400)
        await bench.clock.advance(2.5)
        assert bench.states()["journal"] == "failed"
        assert "line 1" in bench.error("journal")
        plan = await (await bench.engine.proposals()).propose("throttle_to_zero", WORKER, {})
        assert isinstance(plan, Plan)
        result = await bench.engine.execute(plan, bench.clock.now())
        assert result.kind == "not-sent"
        assert bench.backend.account.reserved == 7
        bench.journal.path.unlink()
        await bench.clock.advance(2.5)
        assert bench.states()["journal"] == "ok"


async def test_the_line_by_hand_names_the_endpoint_that_the_console_is_connected_to(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.backend.endpoint = "http://127.0.0.1:4566"
    async with bench.running():
        await bench.clock.advance(2)
        assert (await bench.plan()).cli.endswith("--endpoint-url http://127.0.0.1:4566")


async def test_an_open_intent_is_settled_after_connecting(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    long_ago = bench.clock.now() - LATE_S
    bench.journal.intent(entry("e1", host=this_process().host, pid=os.getpid(), at=long_ago))  # a former life
    async with bench.running():
        await bench.clock.advance(3)
        assert [(e.outcome, e.detail) for e in bench.engine.latest().journal] == [
            ("not-sent", "not applied (found)")
        ]


async def test_an_effect_is_seen_as_the_next_snapshot(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        executing = await bench.executing()
        bench.release()
        await bench.clock.until(executing.done)
        await bench.clock.until(lambda: bench.engine.latest().functions[0].reserved == 0, 1)
        assert [e.outcome for e in bench.engine.latest().journal] == ["applied"]


async def test_stop_waits_for_a_call_under_way(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    running = asyncio.ensure_future(bench.engine.run())
    await bench.clock.advance(2)
    executing = await bench.executing()
    bench.engine.stop()
    await bench.clock.advance(5)
    assert not running.done()
    assert bench.backend.closed == 0
    late = await bench.engine.execute(await bench.plan(), bench.clock.now())
    assert late.kind == "not-sent"
    bench.release()
    await bench.clock.until(running.done)
    assert (await executing).kind == "applied"
    assert bench.backend.closed == 1
    assert [e.outcome for e in bench.journal.read()] == ["applied"]


async def test_a_new_connection_waits_for_a_call_on_the_old_one(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        executing = await bench.executing()
        bench.sources["alarms"].errors = [CredentialsError("Expired.")]
        bench.engine.refresh()
        await bench.clock.advance(10)
        assert (bench.backend.opened, bench.backend.closed) == (2, 0)
        bench.release()
        await bench.clock.until(lambda: bench.backend.closed == 1)
        assert (await executing).kind == "applied"


async def test_without_collecting_it_still_plans_and_executes(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path, collect=False)
    async with bench.running():
        plan = await bench.plan()
        assert (await bench.engine.execute(plan, bench.clock.now())).kind == "applied"
        assert all(s.asked == [] for s in bench.sources.values())
        assert await bench.engine.find("orders", ("queue",)) == WORKER._replace(kind="queue", id="orders")


async def test_read_only_has_no_way_to_change_anything(tmp_path: Path) -> None:
    async with EngineBench(tmp_path, mode="read-only").running() as bench:
        await bench.clock.advance(1)
        result = await bench.engine.execute(await bench.plan(), bench.clock.now())
        assert result.kind == "read-only"
        assert bench.backend.account.calls == []
        assert not bench.journal.path.exists()
