"""A one-shot waits for first answers: what was throttled or failed at first is asked again meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fakes.engine_bench import EngineBench

from lambdatop.domain.errors import Denied, SourceError, Throttled, Unreachable
from lambdatop.domain.state.snapshot import Snapshot


async def once(bench: EngineBench, wait_s: float) -> tuple[Snapshot, float]:
    """Return the snapshot, and how long it took (s)."""
    began = bench.clock.monotonic()
    task = asyncio.ensure_future(bench.engine.snapshot_once(wait_s))
    await bench.clock.until(task.done)
    return task.result(), bench.clock.monotonic() - began


@pytest.mark.parametrize("error", [Throttled("slower"), Unreachable("No."), SourceError("HTTP 500")])
async def test_one_failure_of_the_list_of_functions_ends_nothing(tmp_path: Path, error: SourceError) -> None:
    bench = EngineBench(tmp_path)
    bench.sources["functions"].errors = [error]
    async with bench.running():
        snapshot, took_s = await once(bench, 30)
        assert [f.facts.name for f in snapshot.functions] == ["orders-worker"]
        assert took_s < 10
        assert {s.state for s in snapshot.sources} == {"ok"}
        logs = bench.sources["logs"].views
        assert logs[-1].world.functions, "what needs the functions was asked with them"


async def test_what_is_throttled_all_the_time_is_said_at_the_end_of_the_wait(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.sources["functions"].always = Throttled("lambda:ListFunctions was throttled by AWS.")
    async with bench.running():
        snapshot, took_s = await once(bench, 30)
        assert took_s == pytest.approx(30, abs=1)
        assert {s.name: s.state for s in snapshot.sources}["functions"] == "throttled"
        assert 3 <= len(bench.sources["functions"].asked) <= 6, "and it backs off"


async def test_what_fails_again_and_again_does_not_take_the_whole_wait(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.sources["alarms"].always = SourceError("cloudwatch:DescribeAlarms failed (HTTP 500).")
    async with bench.running():
        snapshot, took_s = await once(bench, 60)
        assert took_s < 12
        assert len(bench.sources["alarms"].asked) == 3
        assert {s.name: s.state for s in snapshot.sources}["alarms"] == "failed"


async def test_a_denial_is_an_answer(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.sources["alarms"].always = Denied("You lack it.", action="cloudwatch:DescribeAlarms")
    async with bench.running():
        _, took_s = await once(bench, 60)
        assert took_s < 3
        assert len(bench.sources["alarms"].asked) == 1
