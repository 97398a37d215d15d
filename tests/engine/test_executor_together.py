from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fakes.account import ORDERS, Account
from fakes.clock import settle
from fakes.mitigation_flow import MitigationFlow, mitigation_flow
from fakes.time_limit import PATIENCE_S

from lambdatop.storage.journal_file import JournalFile


@pytest.fixture
def way(tmp_path: Path) -> MitigationFlow:
    return mitigation_flow(tmp_path / "j")


async def test_cancelling_the_caller_does_not_cancel_the_call(way: MitigationFlow) -> None:
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


async def test_a_call_that_is_given_up_is_written_down_as_unknown(way: MitigationFlow) -> None:
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
    for turns in count():
        if turns >= 40 and "applied" in ends:  # a busy disk takes more turns until the first one is applied
            break
        way = mitigation_flow(tmp_path / f"j{turns}")
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


class SlowDisk(JournalFile):
    """A journal whose write of `slow` ("intent", "outcome") waits in its thread until it may go on."""

    def __init__(self, directory: Path, slow: str) -> None:
        super().__init__(directory)
        self.slow = slow
        self.writing, self.may_end = threading.Event(), threading.Event()

    def _append(self, record: Mapping[str, Any]) -> None:
        if record["record"] == self.slow and not self.may_end.is_set():
            self.writing.set()
            assert self.may_end.wait(PATIENCE_S)
        super()._append(record)


@pytest.mark.usefixtures("real_threads")
@pytest.mark.parametrize(("slow", "end"), [("intent", ("not-sent", 0)), ("outcome", ("applied", 1))])
@pytest.mark.parametrize("times", [1, 2])
async def test_giving_up_while_the_journal_is_written_to_waits_for_the_write(
    tmp_path: Path, slow: str, end: tuple[str, int], times: int
) -> None:
    journal = SlowDisk(tmp_path, slow)
    way = mitigation_flow(tmp_path, journal=journal)
    caller = asyncio.ensure_future(way.execute(await way.plan()))
    await asyncio.to_thread(journal.writing.wait, PATIENCE_S)
    abandoned = [asyncio.ensure_future(way.executor.abandon()) for _ in range(times)]
    await asyncio.sleep(0)
    journal.may_end.set()
    await asyncio.gather(*abandoned)
    (entry,) = JournalFile(tmp_path).read()
    assert (entry.outcome, len(way.account.calls)) == end
    await asyncio.gather(caller, return_exceptions=True)


async def test_two_mutations_of_one_target_go_one_after_the_other(way: MitigationFlow) -> None:
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


async def test_other_targets_do_not_wait(way: MitigationFlow) -> None:
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
    one = mitigation_flow(tmp_path / "j", account)
    two = mitigation_flow(tmp_path / "j", account)
    plans = await one.plan(), await two.plan()
    first = await one.execute(plans[0])
    second = await two.execute(plans[1])
    assert (first.kind, second.kind) == ("applied", "drift")
    assert account.calls == ["PutFunctionConcurrency"]
