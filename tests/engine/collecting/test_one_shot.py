"""Asking on within `--wait`: who is asked again, who is given up, and what is said about the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.engine_bench import EngineBench
from fakes.sources import FakeSource

from lambdatop.domain.errors import Denied, SourceError, Throttled
from lambdatop.domain.facts.not_read import Gap, Reason
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import Event
from lambdatop.domain.state.snapshot import Snapshot

ACTION = "sns:ListSubscriptionsByTopic"


class Waiting(FakeSource):
    """Has `left` things to ask, and asks `each` of them in a round that goes well."""

    def __init__(
        self, clock: FakeClock, left: int, each: int, *, takes_s: float = 0.0, name: str = "wiring"
    ) -> None:
        super().__init__(name, clock, takes_s=takes_s)
        self.left, self.each = left, each
        self.reason: Reason = "not asked"

    async def collect(self, view: View) -> Sequence[Event]:
        found = await super().collect(view)
        self.left = max(0, self.left - self.each)
        return found

    def unasked(self, view: View) -> Sequence[Gap]:
        return (Gap(self.name, ACTION, None, self.reason, self.left),) if self.left else ()


class Eager(Waiting):
    """Says that nothing is left from the moment at which it asks."""

    async def collect(self, view: View) -> Sequence[Event]:
        self.takes_s = 5.0 if self.asked else 0.0
        self.left -= self.each if self.asked else 0
        return await FakeSource.collect(self, view)


def with_source(directory: Path, left: int, each: int, takes_s: float = 0.0) -> tuple[EngineBench, Waiting]:
    bench = EngineBench(directory)
    source = Waiting(bench.clock, left, each, takes_s=takes_s)
    bench.backend.sources = (*bench.backend.sources, source)
    return bench, source


async def look(bench: EngineBench, wait_s: float) -> tuple[Snapshot, float]:
    """Return the snapshot, and how long it took, s."""
    async with bench.running():
        once = asyncio.ensure_future(bench.engine.snapshot_once(wait_s))
        took_s = await bench.clock.until(once.done)
        return await once, took_s


def told(snapshot: Snapshot) -> tuple[Gap, ...]:
    return tuple(gap for gap in snapshot.gaps if gap.source == "wiring")


async def test_it_asks_until_nothing_is_left_and_then_ends(tmp_path: Path) -> None:
    bench, source = with_source(tmp_path, 40, 10)
    snapshot, took_s = await look(bench, 600)
    assert source.left == 0
    assert len(source.asked) == 4
    assert told(snapshot) == ()
    assert took_s < 5, "it does not wait for the pace of 60 s, nor for the end of --wait"


async def test_it_waits_for_what_is_being_asked(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    source = Eager(bench.clock, 10, 10)
    other = Waiting(bench.clock, 2, 1, name="streams", takes_s=1.0)
    bench.backend.sources = (*bench.backend.sources, source, other)
    _, took_s = await look(bench, 600)
    assert len(source.asked) == 2
    assert took_s >= 5.0, "the answer may be the finding"


async def test_when_time_runs_out_it_says_how_much_is_left(tmp_path: Path) -> None:
    bench, _ = with_source(tmp_path, 40, 10, takes_s=6.0)
    snapshot, took_s = await look(bench, 15)
    assert 14.9 < took_s < 15.1
    assert told(snapshot) == (Gap("wiring", ACTION, None, "out of time", 20),)


async def test_a_source_that_has_not_answered_at_all_is_out_of_time(tmp_path: Path) -> None:
    bench, _ = with_source(tmp_path, 40, 10, takes_s=50.0)
    snapshot, _ = await look(bench, 15)
    assert told(snapshot) == (Gap("wiring", ACTION, None, "out of time", 40),)


async def test_a_source_that_makes_no_progress_is_given_up(tmp_path: Path) -> None:
    bench, source = with_source(tmp_path, 40, 0)
    snapshot, took_s = await look(bench, 600)
    assert took_s < 5
    assert len(source.asked) <= 4
    assert told(snapshot) == (Gap("wiring", ACTION, None, "left out", 40),)


async def test_who_is_not_waited_for_takes_no_time_from_the_others(tmp_path: Path) -> None:
    bench, _ = with_source(tmp_path, 40, 20, takes_s=30.0)
    idle = Waiting(bench.clock, 400, 20, name="permissions")
    bench.backend.sources = (*bench.backend.sources, idle)
    snapshot, took_s = await look(bench, 600)
    assert told(snapshot) == ()
    assert len(idle.asked) <= 2, "at its own pace"
    assert took_s < 70
    (left,) = (gap for gap in snapshot.gaps if gap.source == "permissions")
    assert left.reason == "left out"


async def test_what_the_budget_forbids_is_not_asked_again_and_again(tmp_path: Path) -> None:
    bench, source = with_source(tmp_path, 40, 0)
    source.reason = "over the limit"
    snapshot, took_s = await look(bench, 600)
    assert (len(source.asked), took_s < 5) == (1, True)
    assert told(snapshot) == (Gap("wiring", ACTION, None, "over the limit", 40),)


@pytest.mark.parametrize("error", [Throttled("Slower."), SourceError("Broken.")])
async def test_what_failed_is_asked_again_after_a_pause(tmp_path: Path, error: Exception) -> None:
    bench, source = with_source(tmp_path, 30, 10)
    source.errors = [error]
    snapshot, took_s = await look(bench, 600)
    assert told(snapshot) == ()
    assert source.asked[1] - source.asked[0] >= 1.8, "two seconds, give or take a tenth by chance"
    assert took_s < 60


async def test_what_is_throttled_later_is_given_up_with_that_reason(tmp_path: Path) -> None:
    bench, source = with_source(tmp_path, 30, 10)
    source.errors, source.always = [None], Throttled("Slower.")
    snapshot, took_s = await look(bench, 600)
    assert 5 < took_s < 60
    assert told(snapshot) == (Gap("wiring", ACTION, None, "throttled", 20),)


async def test_a_first_answer_that_stays_throttled_is_asked_for_until_time_is_up(tmp_path: Path) -> None:
    bench, source = with_source(tmp_path, 30, 10)
    source.always = Throttled("Slower.")
    snapshot, took_s = await look(bench, 100)
    assert 99 < took_s < 101
    assert len(source.asked) > 3
    assert told(snapshot) == (Gap("wiring", ACTION, None, "throttled", 30),)


async def test_what_is_denied_is_tried_once_more_and_no_further(tmp_path: Path) -> None:
    bench, source = with_source(tmp_path, 30, 10)
    source.always = Denied("No.", action=ACTION)
    snapshot, took_s = await look(bench, 600)
    assert took_s < 5
    assert len(source.asked) <= 3, "its first round, once when what it needs had come, and once more"
    assert told(snapshot) == (Gap("wiring", ACTION, None, "denied", 30),)
