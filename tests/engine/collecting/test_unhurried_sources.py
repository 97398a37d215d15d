"""Preflight stays out of the way, and what only one place knows is asked through the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from fakes.engine_bench import NAMES, EngineBench
from fakes.entries import SCOPE, WORKER
from fakes.sources import FakeBackend, FakeSource

from lambdatop.domain.facts.permissions import Permissions
from lambdatop.domain.ports.aws import View
from lambdatop.domain.settings.settings import Limits, Settings
from lambdatop.domain.state.events import Event, PermissionsObserved
from lambdatop.engine.clock import SystemClock
from lambdatop.engine.collecting.collectors import HEAD_START_S, PATIENCE_S
from lambdatop.engine.engine import Engine
from lambdatop.engine.rate_limiter import LOOKUPS_PER_S, TokenBuckets
from lambdatop.engine.spend_meter import SpendMeter
from lambdatop.engine.thread import EngineThread
from lambdatop.storage.journal_file import JournalFile


class Preflight(FakeSource):
    """Answers yes to one action."""

    async def collect(self, view: View) -> Sequence[Event]:
        await super().collect(view)
        at = self.clock.now()
        return (PermissionsObserved(SCOPE, at, Permissions(at, {"a:Yes": "yes"})),)


def with_preflight(directory: Path) -> tuple[EngineBench, Preflight]:
    bench = EngineBench(directory)
    preflight = Preflight("permissions", bench.clock)
    bench.backend.sources = (*bench.backend.sources, preflight)
    return bench, preflight


async def test_preflight_begins_after_the_others_and_then_keeps_its_own_pace(tmp_path: Path) -> None:
    bench, preflight = with_preflight(tmp_path)
    async with bench.running():
        began = bench.clock.monotonic()
        await bench.clock.until(lambda: bool(preflight.asked))
        assert preflight.asked[0] - began >= HEAD_START_S
        await bench.clock.until(lambda: bench.engine.latest().permissions is not None)
        assert bench.states()["permissions"] == "ok"
        await bench.clock.until(lambda: len(preflight.asked) == 2)
        assert 500 < preflight.asked[1] - preflight.asked[0] < 700


async def test_nobody_waits_for_preflight(tmp_path: Path) -> None:
    bench, preflight = with_preflight(tmp_path)
    async with bench.running():
        await bench.clock.until(lambda: all(bench.states().get(n) == "ok" for n in NAMES))
        began = bench.clock.monotonic()
        snapshot = await bench.engine.snapshot_once(15.0)
        assert bench.clock.monotonic() == began
        assert preflight.asked == []
        assert "permissions" not in {s.name for s in snapshot.sources}, "it has not begun, nor is it late"
        assert bench.loaded == 1


async def test_preflight_does_not_wait_for_a_source_that_never_answers(tmp_path: Path) -> None:
    bench, preflight = with_preflight(tmp_path)
    bench.sources["metrics"].takes_s = 50.0
    async with bench.running():
        began = bench.clock.monotonic()
        await bench.clock.until(lambda: bool(preflight.asked))
        assert preflight.asked[0] - began <= HEAD_START_S + PATIENCE_S + 1


async def test_who_is_asked_of_the_reader(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        [event] = await bench.engine.who(WORKER)
        assert event.who == "kim"


def test_who_is_asked_from_another_thread(tmp_path: Path) -> None:
    clock = SystemClock()
    engine = Engine(
        FakeBackend().connect,
        Settings(),
        clock,
        JournalFile(tmp_path / "j"),
        "operator",
        "0.1.0",
        SpendMeter(clock, 0.5),
        on_loaded=lambda: None,
    )
    thread = EngineThread(engine)
    thread.start()
    try:
        [event] = thread.who(WORKER).result(20)
        assert event.name == "PutFunctionConcurrency"
    finally:
        assert thread.stop()


async def test_cloudtrail_is_asked_at_a_third_of_its_rate_at_most(tmp_path: Path) -> None:
    clock = EngineBench(tmp_path).clock
    buckets = TokenBuckets(clock, Limits())
    await buckets.take("cloudtrail")
    assert clock.slept == []
    second = asyncio.ensure_future(buckets.take("cloudtrail"))
    assert await clock.until(second.done) >= 1 / LOOKUPS_PER_S
