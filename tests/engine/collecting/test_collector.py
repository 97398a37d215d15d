from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from fakes.clock import FakeClock
from fakes.entries import SCOPE
from fakes.sources import FakeSource

from lambdatop.domain.errors import Denied, SourceError, Throttled, Unreachable
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import Event, SourceReported
from lambdatop.engine.collecting.collector import Collector, Setting


class Bench:
    """One collector under a clock, with everything it has said."""

    def __init__(self, base_s: float = 10.0, takes_s: float = 0.0) -> None:
        self.clock = FakeClock()
        self.source = FakeSource("functions", self.clock, takes_s=takes_s)
        self.events: list[Event] = []
        self.told: list[BaseException] = []
        setting = Setting(
            SCOPE, self.clock, lambda: View(self.clock.now()), self._post, self.told.append, lambda: 0.5
        )
        self.collector = Collector(self.source, base_s, setting)

    def _post(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    @property
    def reports(self) -> list[SourceReported]:
        return [e for e in self.events if isinstance(e, SourceReported)]

    @property
    def states(self) -> list[str]:
        return [r.state for r in self.reports]

    @property
    def gaps(self) -> list[float]:
        asked = self.source.asked
        return [round(b - a, 3) for a, b in pairwise(asked)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bench]:
        task = asyncio.ensure_future(self.collector.run())
        try:
            yield self
            assert not task.done(), "a collector never dies"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_it_asks_at_its_pace_and_says_so() -> None:
    async with Bench(10).running() as bench:
        await bench.clock.advance(35)
        assert bench.gaps == [10, 10, 10]
        report = bench.reports[-1]
        assert (report.source, report.state, report.next_in_s, report.pace_s) == ("functions", "ok", 10, 10)
        assert len(bench.events) == 2 * len(bench.reports), "each round brings its events and one report"


async def test_the_pace_counts_from_start_to_start() -> None:
    async with Bench(10, takes_s=4).running() as bench:
        await bench.clock.advance(35)
        assert bench.gaps == [10, 10, 10]


async def test_rounds_never_overlap_and_missed_ticks_are_dropped() -> None:
    async with Bench(10, takes_s=25).running() as bench:
        await bench.clock.advance(120)
        assert bench.source.most_at_once == 1
        assert set(bench.gaps) == {26}, "the missed ticks are not caught up, and it may rest a little"


async def test_refresh_asks_at_once_but_not_twice() -> None:
    async with Bench(60, takes_s=5).running() as bench:
        await bench.clock.advance(20)
        bench.collector.refresh()
        await bench.clock.advance(2)
        assert bench.gaps == [20]
        bench.collector.refresh()  # a round is running: its answer is as fresh as can be
        await bench.clock.advance(30)
        assert bench.gaps == [20]


async def test_a_wake_during_a_round_brings_another_one() -> None:
    async with Bench(60, takes_s=5).running() as bench:
        await bench.clock.advance(2)
        bench.collector.wake()
        await bench.clock.advance(8)
        assert len(bench.source.asked) == 2


async def test_no_refresh_is_faster_than_the_floor() -> None:
    async with Bench(10).running() as bench:
        bench.source.floor = (90.0, "the budget is used up")
        await bench.clock.advance(5)
        for _ in range(10):
            bench.collector.refresh()
            await bench.clock.advance(5)
        assert len(bench.source.asked) == 1
        await bench.clock.advance(200)
        assert min(bench.gaps) >= 90
        assert (bench.reports[0].pace_s, bench.reports[0].pace_why) == (90, "the budget is used up")


@pytest.mark.parametrize(
    ("error", "state", "action", "promise"),
    [
        (
            Denied("You lack lambda:ListFunctions.", action="lambda:ListFunctions"),
            "denied",
            "lambda:ListFunctions",
            "",
        ),
        (Throttled("AWS asks for a slower pace."), "throttled", None, " It will be asked less often."),
        (Unreachable("No connection to the endpoint."), "failed", None, " It will be tried again."),
        (SourceError("Something else."), "failed", None, " It will be tried again."),
    ],
)
async def test_every_failure_has_its_state_and_its_sentence(
    error: SourceError, state: str, action: str | None, promise: str
) -> None:
    bench = Bench(10)
    bench.source.errors = [error]
    async with bench.running():
        await bench.clock.advance(1)
        (report,) = bench.reports
        assert (report.state, report.action, report.error) == (state, action, f"{error}{promise}")
        assert bench.told == [error]
        await bench.clock.advance(60)
        assert bench.states[1] == "ok"


async def test_a_bug_in_a_source_is_a_sentence_and_the_collector_lives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(10)
    bench.source.errors = [ZeroDivisionError("evil \x1b[2J\nname"), KeyError("x")]
    async with bench.running():
        await bench.clock.advance(100)
        assert bench.states[:2] == ["failed", "failed"]
        assert "ok" in bench.states
        sentence = bench.reports[0].error
        assert "ZeroDivisionError" in sentence
        assert "\x1b" not in sentence
        assert "\n" not in sentence
    assert "ZeroDivisionError" in caplog.text


async def test_failures_back_off_and_success_ends_it() -> None:
    bench = Bench(10)
    bench.source.errors = [None, *(Unreachable("No.") for _ in range(4))]
    async with bench.running():
        await bench.clock.advance(300)
        assert bench.gaps[:7] == [10, 20, 40, 80, 80, 10, 10]


async def test_throttling_slows_down_and_recovers_slowly() -> None:
    bench = Bench(10)
    bench.source.errors = [None, Throttled("slower"), Throttled("slower")]
    async with bench.running():
        await bench.clock.advance(300)
        assert bench.gaps[1:3] == [20, 40]
        assert bench.gaps[3:5] == [30, 22.5]
        assert bench.gaps[-1] == 10


@pytest.mark.parametrize("error", [Throttled("slower"), Unreachable("No."), SourceError("HTTP 500")])
async def test_a_first_answer_is_asked_for_again_soon(error: SourceError) -> None:
    bench = Bench(300)
    bench.source.errors = [error] * 4
    async with bench.running():
        await bench.clock.advance(800)
        assert bench.gaps[:4] == [2, 4, 8, 16]
        assert bench.states[:5] == [bench.states[0]] * 4 + ["ok"]
        assert min(bench.gaps[4:]) > 200, "once answered, its pace is its own"


async def test_a_first_denial_is_not_asked_again_soon() -> None:
    bench = Bench(60)
    bench.source.errors = [Denied("You lack it.", action="lambda:ListFunctions")]
    async with bench.running():
        await bench.clock.advance(100)
        assert len(bench.source.asked) == 1


async def test_a_round_that_takes_too_long_is_stale_then_given_up() -> None:
    async with Bench(10, takes_s=1000).running() as bench:
        await bench.clock.advance(19)
        assert bench.states == []
        await bench.clock.advance(2)
        assert bench.states == ["stale"]
        await bench.clock.advance(40)
        assert bench.states == ["stale", "failed"]
        assert "took longer than 60 s" in bench.reports[-1].error
        assert bench.source.running == 0, "the round was cancelled"
        await bench.clock.advance(100)
        assert len(bench.source.asked) > 1


async def test_a_round_that_cannot_be_ended_is_not_joined_by_another() -> None:
    bench = Bench(10, takes_s=400)
    bench.source.stubborn = True
    async with bench.running():
        await bench.clock.advance(300)
        assert bench.source.most_at_once == 1
        assert len(bench.source.asked) == 1
        assert "cancelled and has not ended yet" in bench.reports[-1].error
        bench.source.takes_s = 0.0
        await bench.clock.advance(400)
        assert bench.states[-1] == "ok"


async def test_a_slow_list_has_as_long_as_its_pace() -> None:
    async with Bench(300, takes_s=250).running() as bench:
        await bench.clock.advance(260)
        assert bench.states == ["ok"]


async def test_it_waits_for_what_it_needs_but_not_for_ever() -> None:
    bench = Bench(10)
    ready = asyncio.Event()
    task = asyncio.ensure_future(bench.collector.run(ready, 15.0))
    await bench.clock.advance(14)
    assert bench.source.asked == []
    await bench.clock.advance(2)
    assert len(bench.source.asked) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
