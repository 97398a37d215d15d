from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes.clock import settle
from fakes.engine_bench import NAMES, EngineBench
from fakes.entries import SCOPE, WORKER

from lambdatop.domain.errors import CredentialsError, Denied, LambdatopError, UsageError
from lambdatop.domain.state.events import Event, FunctionsListed
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import World


async def test_all_first_data_is_there_within_a_second(tmp_path: Path) -> None:
    async with EngineBench(tmp_path, takes_s=0.1).running() as bench:
        took = await bench.clock.until(lambda: all(bench.states().get(n) == "ok" for n in NAMES))
        assert took < 1.0
        snapshot = bench.engine.latest()
        assert [f.facts.name for f in snapshot.functions] == ["orders-worker"]
        assert [q.facts.name for q in snapshot.queues] == ["orders"]
        assert snapshot.targets[0].scope == SCOPE
        assert snapshot.mode == "operator"
        assert bench.loaded == 1


async def test_dependent_sources_first_look_at_what_they_need(tmp_path: Path) -> None:
    async with EngineBench(tmp_path, takes_s=0.1).running() as bench:
        await bench.clock.until(lambda: bool(bench.sources["metrics"].asked))
        assert WORKER in bench.sources["concurrency"].views[0].world.functions
        assert bench.sources["queues"].views[0].world.mappings
        world = bench.sources["metrics"].views[0].world
        assert world.functions
        assert world.queues


async def test_a_slow_list_does_not_hold_up_the_others_for_ever(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.sources["functions"].takes_s = 40.0
    async with bench.running():
        assert await bench.clock.until(lambda: bool(bench.sources["metrics"].asked)) <= 11
        began = bench.clock.monotonic()
        await bench.clock.until(lambda: bench.states().get("functions") == "ok")
        await bench.clock.until(lambda: bool(bench.sources["metrics"].views[-1].world.functions))
        assert bench.clock.monotonic() - began < 35, "it asks again as soon as the list is there"


async def test_one_denied_source_leaves_the_others_alone(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.sources["mappings"].always = Denied("No lambda:ListEventSourceMappings.", action="x:Y")
    async with bench.running():
        await bench.clock.advance(5)
        states = bench.states()
        assert states.pop("mappings") == "denied"
        assert set(states.values()) == {"ok"}
        assert bench.error("mappings") == "No lambda:ListEventSourceMappings."


async def test_snapshot_once_returns_as_soon_as_all_have_answered(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path, takes_s=0.5)
    bench.sources["alarms"].always = Denied("No.")
    async with bench.running():
        once = asyncio.ensure_future(bench.engine.snapshot_once(60))
        assert await bench.clock.until(once.done) < 5
        states = {s.name: s.state for s in (await once).sources}
        assert states["alarms"] == "denied"
        assert [states[n] for n in NAMES if n != "alarms"] == ["ok"] * 7


async def test_snapshot_once_does_not_wait_longer_than_asked(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.sources["metrics"].takes_s = 50
    async with bench.running():
        once = asyncio.ensure_future(bench.engine.snapshot_once(8))
        assert 7.9 < await bench.clock.until(once.done) < 8.1
        states = {s.name: s.state for s in (await once).sources}
        assert (states["functions"], states["metrics"]) == ("ok", "starting")


@pytest.mark.parametrize("error", [UsageError("No region."), CredentialsError("No credentials.")])
async def test_snapshot_once_fails_at_once_without_a_connection(
    tmp_path: Path, error: LambdatopError
) -> None:
    bench = EngineBench(tmp_path)
    bench.backend.always = error
    async with bench.running():
        with pytest.raises(type(error), match="No "):
            await bench.engine.snapshot_once(60)


async def test_the_watched_function_reaches_the_log_source_at_once(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        bench.engine.watch(frozenset({WORKER}))
        await settle()
        assert bench.sources["logs"].views[-1].watched == {WORKER}
        rounds = len(bench.sources["logs"].asked)
        bench.engine.watch(frozenset({WORKER}))
        await settle()
        assert len(bench.sources["logs"].asked) == rounds


async def test_whether_lines_come_live_reaches_the_log_source_at_once(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        bench.engine.watch(frozenset({WORKER}))
        await settle()
        assert bench.sources["logs"].views[-1].live == frozenset()
        bench.engine.watch(frozenset({WORKER}), live=True)
        await settle()
        assert bench.sources["logs"].views[-1].live == {WORKER}


async def test_a_source_with_news_of_its_own_is_asked_when_they_come(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    logs = bench.sources["logs"]
    wakes: list[Callable[[], None]] = []
    logs.when_news_come = wakes.append  # type: ignore[attr-defined]
    async with bench.running():
        await bench.clock.advance(2)
        rounds = len(logs.asked)
        wakes[0]()
        await settle()
        assert len(logs.asked) == rounds + 1


async def test_snapshots_come_at_most_four_times_and_at_least_once_a_second(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(60)
        first = bench.engine.latest().seq
        await bench.clock.advance(60)
        assert 48 <= bench.engine.latest().seq - first <= 240
        assert bench.engine.latest().at == pytest.approx(bench.clock.now(), abs=1.3)


async def test_our_own_spend_is_shown(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        bench.meter.count("cloudwatch", "GetMetricData", 0.01)
        await bench.clock.advance(2.5)
        spend = bench.engine.latest().spend
        assert dict(spend.calls)["cloudwatch.GetMetricData"] == 1
        assert spend.usd == pytest.approx(0.01)


async def test_a_bad_event_costs_one_event(tmp_path: Path) -> None:
    def picky(world: World, events: Sequence[Event]) -> World:
        if any(isinstance(e, FunctionsListed) for e in events):
            raise ZeroDivisionError("a bug in fold")
        return fold_all(world, events)

    async with EngineBench(tmp_path, fold_all=picky).running() as bench:
        await bench.clock.advance(3)
        assert bench.states()["engine"] == "failed"
        assert "FunctionsListed" in bench.error("engine")
        assert bench.engine.latest().queues


async def test_a_bug_in_build_is_said_and_the_old_data_stays(tmp_path: Path) -> None:
    from lambdatop.domain.snapshots.builder import build_snapshot

    broken: list[bool] = []

    def build(world: World, **arguments: Any) -> Any:
        if broken:
            raise ZeroDivisionError("a bug in build")
        return build_snapshot(world, **arguments)

    async with EngineBench(tmp_path, build=build).running() as bench:
        await bench.clock.advance(3)
        broken.append(True)
        seq = bench.engine.latest().seq
        await bench.clock.advance(3)
        assert bench.states()["engine"] == "failed"
        assert bench.engine.latest().functions
        assert bench.engine.latest().seq > seq
        broken.clear()
        await bench.clock.advance(3)
        assert "engine" not in bench.states()


async def test_a_loop_that_dies_by_a_bug_is_said_in_every_snapshot_from_then_on(tmp_path: Path) -> None:
    def bug() -> None:
        raise ZeroDivisionError("a bug after loading")

    bench = EngineBench(tmp_path, on_loaded=bug)
    async with bench.running():
        for _ in range(3):
            await bench.clock.advance(5)
            assert bench.states()["engine"] == "failed"
            assert "ZeroDivisionError" in bench.error("engine")
