"""What the console tells about looking reaches the source that looks, at once and once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fakes import console_scene as scene
from fakes.engine_bench import EngineBench
from fakes.entries import SCOPE, WORKER
from msgspec.structs import replace

from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.plans.finding import Severity
from lambdatop.domain.sources import LOOKED_UP
from lambdatop.domain.state.events import CallersObserved, Event, PollsPlanned
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.engine.collecting.focus import FULL_S, READ_AGAIN_S

OTHER = WORKER._replace(id="other")
PLAN = PollingStatus("calm", 60, 60, 60, 60, 60, 66, 66, 66, 1.0, 0.01, 10)


async def test_rows_that_come_on_screen_wake_the_metrics_and_rows_that_leave_do_not(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(5)
        metrics = bench.sources["metrics"]
        before = len(metrics.views)
        bench.engine.set_visible(frozenset({WORKER, OTHER}))
        await bench.clock.advance(1)
        assert len(metrics.views) == before + 1
        assert metrics.views[-1].visible == {WORKER, OTHER}
        bench.engine.set_visible(frozenset({WORKER}))
        await bench.clock.advance(1)
        assert len(metrics.views) == before + 1
        bench.engine.refresh()
        await bench.clock.advance(1)
        assert metrics.views[-1].visible == {WORKER}
        assert not any(v.full for v in metrics.views)


async def test_a_full_look_stays_wanted_until_its_round_is_complete(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(5)
        metrics = bench.sources["metrics"]
        bench.engine.set_visible(frozenset(), full=True)
        await bench.clock.advance(1)
        assert metrics.views[-1].full
        bench.engine.refresh()
        await bench.clock.advance(1)
        assert metrics.views[-1].full, "the round before did not say that it was complete"
        metrics.answer = lambda: (PollsPlanned(SCOPE, bench.clock.now(), PLAN, full=True),)
        bench.engine.refresh()
        bench.engine.refresh()
        await bench.clock.advance(1)
        bench.engine.refresh()
        await bench.clock.advance(1)
        assert not metrics.views[-1].full


async def test_a_full_look_that_cannot_be_completed_is_given_up(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(5)
        bench.engine.set_visible(frozenset(), full=True)
        await bench.clock.advance(FULL_S + 70)
        assert not bench.sources["metrics"].views[-1].full


@pytest.mark.parametrize(("severity", "hot"), [("critical", True), ("warning", True), ("info", False)])
async def test_functions_of_open_incidents_are_hot(tmp_path: Path, severity: Severity, hot: bool) -> None:
    incident = replace(scene.snapshot().incidents[0], functions=(WORKER,), severity=severity)
    made = Snapshot(seq=1, incidents=(incident,))
    async with EngineBench(tmp_path, build=lambda world, **rest: made).running() as bench:
        await bench.clock.advance(5)
        bench.engine.refresh()
        await bench.clock.advance(1)
        assert (bench.sources["metrics"].views[-1].hot == {WORKER}) == hot


async def test_who_turns_to_a_function_has_its_callers_looked_for_at_once(tmp_path: Path) -> None:
    async with EngineBench(tmp_path, names=("functions", *LOOKED_UP)).running() as bench:
        for name in LOOKED_UP:
            bench.sources[name].answer = _looked(bench, name)
        bench.engine.refresh()
        await bench.clock.advance(5)

        def asked() -> list[int]:
            return [len(bench.sources[name].views) for name in LOOKED_UP]

        before = asked()
        bench.engine.watch(frozenset({WORKER}))
        await bench.clock.advance(1)
        assert asked() == before, "looked for a moment ago"
        await bench.clock.advance(READ_AGAIN_S)
        bench.engine.watch(frozenset({OTHER}))
        await bench.clock.advance(1)
        assert asked() == [n + 1 for n in before]
        assert bench.sources["pipes"].views[-1].watched == {OTHER}
        bench.engine.watch(frozenset({WORKER}))
        await bench.clock.advance(1)
        assert asked() == [n + 1 for n in before]
        await bench.clock.advance(READ_AGAIN_S)
        bench.engine.watch(frozenset({WORKER}))
        await bench.clock.advance(1)
        assert asked() == [n + 2 for n in before], "who opens the function that was watched all the time"


def _looked(bench: EngineBench, name: str) -> Callable[[], Sequence[Event]]:
    return lambda: (CallersObserved(SCOPE, bench.clock.now(), name, ()),)
