"""Somebody sets the clock while a change is under way: ages that decide something do not follow it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.account import ORDERS
from fakes.entries import AT, entry
from fakes.mitigation_flow import MitigationFlow, mitigation_flow
from msgspec.structs import replace

from lambdatop.domain.plans.journal import Entry, Uptime, attempt_record, intent_record, replay
from lambdatop.domain.plans.plan import Plan, Refusal
from lambdatop.engine.clock import SystemClock
from lambdatop.engine.mutating.executor import Process
from lambdatop.engine.mutating.recovery import ABANDONED_S, LATE_S

DAY_S = 86_400.0


def _gone_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


GONE = _gone_pid()


@pytest.fixture
def way(tmp_path: Path) -> MitigationFlow:
    return mitigation_flow(tmp_path / "j", process=Process("bastion", os.getpid()))


def _left(way: MitigationFlow, **changes: object) -> Entry:
    """Write an open intent of a process that died a moment ago on this machine."""
    fields = {"pid": GONE, "at": way.clock.now(), "uptime": way.clock.uptime()} | changes
    made = entry("e1", **fields)
    way.journal.intent(made)
    return made


async def test_a_step_forward_does_not_shorten_the_two_minutes(way: MitigationFlow) -> None:
    _left(way)
    way.clock.jump(5)
    way.clock.step(600)
    assert await way.executor.recover() == ()
    way.account.reserved = 0  # the request arrives now, 30 s late
    way.clock.jump(30)
    assert [e.outcome for e in await way.executor.recover()] == ["applied"]
    assert (await way.undo()).undoes == "e1"


@pytest.mark.parametrize("step_s", [600.0, -600.0, DAY_S, -DAY_S, -30 * DAY_S])
async def test_not_applied_is_said_after_two_minutes_whatever_the_clock_says(
    way: MitigationFlow, step_s: float
) -> None:
    _left(way)
    way.clock.step(step_s)
    way.clock.jump(LATE_S - 1)
    assert await way.executor.recover() == ()
    way.clock.jump(2)
    assert [e.outcome for e in await way.executor.recover()] == ["not-sent"]


@pytest.mark.parametrize("step_s", [600.0, -DAY_S])
async def test_two_minutes_are_kept_for_a_lost_answer_too(tmp_path: Path, step_s: float) -> None:
    way = mitigation_flow(tmp_path / "j", behave="dropped")
    assert (await way.execute(await way.plan())).kind == "unknown"
    spent = sum(way.clock.slept)
    way.clock.step(step_s)
    way.clock.jump(LATE_S - spent - 1)
    assert await way.executor.recover() == ()
    way.clock.jump(2)
    assert [e.outcome for e in await way.executor.recover()] == ["not-sent"]


async def test_a_neighbour_who_lives_is_left_alone_for_ten_minutes_of_real_time(way: MitigationFlow) -> None:
    _left(way, pid=os.getppid())
    way.clock.step(DAY_S)
    way.clock.jump(ABANDONED_S - 1)
    assert await way.executor.recover() == ()
    way.clock.jump(2)
    assert [e.outcome for e in await way.executor.recover()] == ["not-sent"]


@pytest.mark.parametrize("host", ["bastion", "elsewhere"])
async def test_after_a_new_start_the_clock_counts_but_no_more_than_the_machine_has_run(
    way: MitigationFlow, host: str
) -> None:
    _left(way, host=host, uptime=Uptime("0ther", 500_000.0, "CLOCK_BOOTTIME"))
    way.clock.ran_s = 20.0  # the machine was started again 20 s ago, with a clock that is ahead
    way.clock.step(ABANDONED_S + 1)
    found = await way.executor.recover()
    assert [e.outcome for e in found] == ([] if host == "bastion" else ["not-sent"])
    way.clock.jump(LATE_S - 20)
    found = (*found, *await way.executor.recover())
    assert [e.outcome for e in found] == ["not-sent"]


async def test_an_entry_from_the_future_is_watched_and_does_not_wait_for_the_future(
    way: MitigationFlow,
) -> None:
    """Another machine wrote it with a clock that is a day ahead."""
    _left(way, host="elsewhere", at=way.clock.now() + DAY_S, uptime=Uptime("0ther", 1.0, "CLOCK_BOOTTIME"))
    assert await way.executor.recover() == ()
    way.clock.jump(ABANDONED_S - 1)
    assert await way.executor.recover() == ()
    way.clock.jump(2)
    assert [e.outcome for e in await way.executor.recover()] == ["not-sent"]


async def test_an_effect_is_found_at_once_however_old_the_entry_is(way: MitigationFlow) -> None:
    _left(way, at=way.clock.now() + DAY_S)
    way.account.reserved = 0
    assert [e.outcome for e in await way.executor.recover()] == ["applied"]


@pytest.mark.parametrize("step_s", [0.0, -DAY_S, DAY_S])
async def test_a_purge_is_refused_for_a_minute_and_not_for_a_day(way: MitigationFlow, step_s: float) -> None:
    assert (await way.execute(await way.plan("purge_queue", ORDERS))).kind == "applied"
    way.account.messages = 5
    way.clock.step(step_s)
    way.clock.jump(20)
    refused = await way.executor.proposals.propose("purge_queue", ORDERS, {})
    assert isinstance(refused, Refusal)
    assert "purged 20 s ago" in refused.reason
    way.clock.jump(41)
    assert isinstance(await way.executor.proposals.propose("purge_queue", ORDERS, {}), Plan)


async def test_a_purge_of_unknown_age_is_no_reason_to_refuse(way: MitigationFlow) -> None:
    """An older version wrote it, and the clock was set back since."""
    assert (await way.execute(await way.plan("purge_queue", ORDERS))).kind == "applied"
    way.account.messages = 5
    way.clock.boot = "an0ther"
    way.clock.step(-DAY_S)
    assert isinstance(await way.executor.proposals.propose("purge_queue", ORDERS, {}), Plan)


async def test_a_clock_set_back_while_the_plan_is_checked_does_not_lengthen_the_confirmation(
    way: MitigationFlow,
) -> None:
    plan = await way.plan()

    def slow() -> None:
        way.clock.jump(61)
        way.clock.step(-50)

    way.reader.on_read = slow
    result = await way.execute(plan)
    assert (result.kind, way.mutator.sent) == ("expired", [])


async def test_a_confirmation_from_the_future_says_why_it_is_void(way: MitigationFlow) -> None:
    result = await way.execute(await way.plan(), -60)
    assert (result.kind, way.mutator.sent) == ("expired", [])
    assert "clock was set back" in result.message


def test_the_two_minutes_count_from_the_last_attempt() -> None:
    made = entry("e1", uptime=Uptime("b", 10.0, "CLOCK_BOOTTIME"))
    for at, again_s in ((AT + 4, 4.0), (AT - DAY_S, 0.0), (AT + DAY_S, ABANDONED_S)):
        (found,) = replay([intent_record(made), attempt_record("e1", at, 2, "busy")])
        assert found == replace(made, again_s=again_s)


def test_the_machines_own_clock_is_written_and_comes_back() -> None:
    clock = SystemClock()
    one, two = clock.uptime(), clock.uptime()
    assert one.boot == two.boot
    assert one.s <= two.s
    assert one.clock == ("CLOCK_BOOTTIME" if hasattr(time, "CLOCK_BOOTTIME") else "CLOCK_MONOTONIC")
    (found,) = replay([intent_record(entry(uptime=one))])
    assert found.uptime == one
    age_s = found.age_s(0.0, two)
    assert age_s is None if not one.boot else age_s == two.s - one.s


def test_ages_without_a_common_start_are_the_clocks_or_not_known() -> None:
    made = entry(uptime=Uptime("one", 5.0, "CLOCK_BOOTTIME"))
    assert made.age_s(AT + 7, Uptime("two", 1.0, "CLOCK_BOOTTIME")) == 7
    assert made.age_s(AT - 7, Uptime("two", 1.0, "CLOCK_BOOTTIME")) is None
    assert made.age_s(AT + 7, Uptime("one", 4.0, "CLOCK_BOOTTIME")) is None
    assert entry().age_s(AT - 1) is None
