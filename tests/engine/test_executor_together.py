from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fakes.account import ORDERS, Account
from fakes.clock import settle
from fakes.corridor import Corridor, corridor


@pytest.fixture
def way(tmp_path: Path) -> Corridor:
    return corridor(tmp_path / "j")


async def test_cancelling_the_caller_does_not_cancel_the_call(way: Corridor) -> None:
    way.mutator.gate = asyncio.Event()
    caller = asyncio.ensure_future(way.execute(await way.plan()))
    await way.mutator.reached.wait()
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    assert caller.cancelled()
    assert way.executor.busy
    way.mutator.gate.set()
    await way.executor.drain()
    assert not way.executor.busy
    assert [e.outcome for e in way.journal.read()] == ["applied"]
    assert way.account.reserved == 0


async def test_a_call_that_is_given_up_is_written_down_as_unknown(way: Corridor) -> None:
    way.mutator.gate = asyncio.Event()
    caller = asyncio.ensure_future(way.execute(await way.plan()))
    await way.mutator.reached.wait()
    await way.executor.abandon()
    await asyncio.gather(caller, return_exceptions=True)
    assert caller.cancelled()
    (entry,) = way.journal.read()
    assert (entry.outcome, entry.detail) == ("unknown", "cancelled while the call was on its way")


@pytest.mark.usefixtures("real_threads")
async def test_cancellation_at_any_turn_never_leaves_an_effect_without_intent(tmp_path: Path) -> None:
    ends: set[str] = set()
    for turns in range(40):
        way = corridor(tmp_path / f"j{turns}")
        caller = asyncio.ensure_future(way.execute(await way.plan()))
        for _ in range(turns):
            await asyncio.sleep(0.0005 if turns > 8 else 0)
        await way.executor.abandon()
        await asyncio.gather(caller, return_exceptions=True)
        entries = way.journal.read()
        ends |= {e.outcome for e in entries} or {"nothing"}
        assert len(way.account.calls) <= len(entries) <= 1
        if way.account.calls:
            assert entries[0].outcome in ("applied", "unknown")
    assert {"nothing", "applied"} <= ends


async def test_two_mutations_of_one_target_go_one_after_the_other(way: Corridor) -> None:
    way.mutator.gate = asyncio.Event()
    first_plan, second_plan = await way.plan(), await way.plan()
    first = asyncio.ensure_future(way.execute(first_plan))
    second = asyncio.ensure_future(way.execute(second_plan))
    await way.mutator.reached.wait()
    await settle()
    assert len(way.mutator.sent) == 1
    way.mutator.gate.set()
    assert (await first).kind == "applied"
    assert (await second).kind == "drift", "the second planned on what the first has changed"


async def test_other_targets_do_not_wait(way: Corridor) -> None:
    slow = await way.plan()
    quick = await way.plan("purge_queue", ORDERS)
    way.mutator.gate = asyncio.Event()
    first = asyncio.ensure_future(way.execute(slow))
    await way.mutator.reached.wait()
    second = asyncio.ensure_future(way.execute(quick))
    await settle()
    assert len(way.mutator.sent) == 2
    way.mutator.gate.set()
    assert [(await first).kind, (await second).kind] == ["applied", "applied"]


async def test_two_consoles_racing_never_both_change(tmp_path: Path) -> None:
    account = Account()
    one = corridor(tmp_path / "j", account)
    two = corridor(tmp_path / "j", account)
    plans = await one.plan(), await two.plan()
    first = await one.execute(plans[0])
    second = await two.execute(plans[1])
    assert (first.kind, second.kind) == ("applied", "drift")
    assert account.calls == ["PutFunctionConcurrency"]
