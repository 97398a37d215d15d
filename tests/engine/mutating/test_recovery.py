from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.account import MAPPING, Account
from fakes.clock import FakeClock
from fakes.entries import SCOPE, entry
from fakes.mitigation_flow import MitigationFlow, mitigation_flow

from lambdatop.domain.errors import Unreachable
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.plan import Call
from lambdatop.engine.mutating.executor import Process
from lambdatop.engine.mutating.recovery import LATE_S
from lambdatop.storage.errors import JournalError
from lambdatop.storage.journal_file import JournalFile

MORTAL = Path(__file__).parents[2] / "fakes" / "mortal.py"


def _gone_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


GONE = _gone_pid()


@pytest.fixture
def way(tmp_path: Path) -> MitigationFlow:
    return mitigation_flow(tmp_path / "j", process=Process("bastion", os.getpid()))


def _die(tmp_path: Path, point: str, what: str) -> Account:
    """Run a mutation in a real process that kills itself at `point`; the account as it left it."""
    command = [sys.executable, str(MORTAL), str(tmp_path / "j"), str(tmp_path / "account"), point, what]
    child = subprocess.run(command, timeout=60, check=False)
    assert child.returncode == -signal.SIGKILL
    return Account(tmp_path / "account")


# Where it dies x what AWS then shows x what recovery says.
DEATHS = [
    ("before-intent", "throttle", [], None),
    ("after-intent", "throttle", [], ("not-sent", "not applied (found)")),
    ("in-send", "throttle", ["PutFunctionConcurrency"], ("applied", "applied (found)")),
    ("before-outcome", "throttle", ["PutFunctionConcurrency"], ("applied", "applied (found)")),
    ("after-intent", "purge", [], ("unknown", "cannot be told")),
    ("in-send", "purge", ["PurgeQueue"], ("unknown", "cannot be told")),
]


@pytest.mark.parametrize(("point", "what", "calls", "verdict"), DEATHS)
def test_kill_9_anywhere_is_settled_by_the_next_start(
    tmp_path: Path, point: str, what: str, calls: list[str], verdict: tuple[str, str] | None
) -> None:
    account = _die(tmp_path, point, what)
    assert account.calls == calls
    way = mitigation_flow(tmp_path / "j", account)
    assert [e.outcome for e in way.journal.read()] == ([] if verdict is None else ["open"])
    if verdict == ("not-sent", "not applied (found)"):
        assert asyncio.run(way.executor.recover()) == (), "its request may outlive its process"
        way.clock.jump(LATE_S)
    settled = asyncio.run(way.executor.recover())
    assert [(e.outcome, e.detail.split(":")[0]) for e in settled] == ([verdict] if verdict else [])
    assert [e.outcome for e in JournalFile(tmp_path / "j").read()] == ([verdict[0]] if verdict else [])
    assert account.calls == calls, "recovery only reads"
    assert asyncio.run(way.executor.recover()) == ()


def test_kill_9_then_somebody_else_then_recovery(tmp_path: Path) -> None:
    account = _die(tmp_path, "in-send", "throttle")
    account.reserved = 50
    (found,) = asyncio.run(mitigation_flow(tmp_path / "j", account).executor.recover())
    assert (found.outcome, found.seen) == ("unknown", {"reserved_concurrency": 50})
    assert found.detail.startswith("changed by somebody")
    assert all(text in found.detail for text in ("0", "7", "50"))


async def test_what_was_applied_can_be_undone_after_recovery(way: MitigationFlow) -> None:
    way.account.reserved = 0
    way.journal.intent(entry("e1", pid=GONE))
    assert [e.outcome for e in await way.executor.recover()] == ["applied"]
    assert (await way.execute(await way.undo())).kind == "applied"
    assert way.account.reserved == 7


def test_a_living_neighbours_intent_is_left_alone(way: MitigationFlow) -> None:
    neighbour = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        way.journal.intent(entry("e1", pid=neighbour.pid))
        assert asyncio.run(way.executor.recover()) == ()
    finally:
        neighbour.communicate(b"\n")
    way.clock.jump(LATE_S)
    assert [e.outcome for e in asyncio.run(way.executor.recover())] == ["not-sent"]


async def test_another_machines_intent_is_given_time(way: MitigationFlow) -> None:
    way.journal.intent(entry("e1", host="elsewhere", pid=GONE, at=way.clock.now()))
    way.clock.jump(599)
    assert await way.executor.recover() == ()
    way.clock.jump(2)
    assert [e.id for e in await way.executor.recover()] == ["e1"]


async def test_our_own_call_under_way_is_not_recovered(tmp_path: Path) -> None:
    way = mitigation_flow(tmp_path / "j")
    way.mutator.gate = asyncio.Event()
    caller = asyncio.ensure_future(way.execute(await way.plan()))
    await way.mutator.reached.wait()
    assert await way.executor.recover() == ()
    way.mutator.gate.set()
    assert (await caller).kind == "applied"


async def test_a_former_process_with_our_id_does_not_block_recovery(way: MitigationFlow) -> None:
    way.journal.intent(entry("e1", pid=os.getpid()))  # process ids begin anew in every container
    way.clock.jump(LATE_S)
    assert [e.id for e in await way.executor.recover()] == ["e1"]


async def test_other_accounts_are_not_judged_by_this_one(way: MitigationFlow) -> None:
    elsewhere = Key(Scope("999999999999", SCOPE.region), "function", "orders-worker")
    way.journal.intent(entry("e1", target=elsewhere, pid=GONE))
    assert await way.executor.recover() == ()
    assert way.reader.reads == 0


async def test_what_cannot_be_read_stays_open(way: MitigationFlow) -> None:
    way.journal.intent(entry("e1", pid=GONE))
    way.reader.failing = [Unreachable("No connection.")]
    assert await way.executor.recover() == ()
    assert [e.outcome for e in way.journal.read()] == ["open"]
    way.clock.jump(LATE_S)
    assert [e.id for e in await way.executor.recover()] == ["e1"]


async def test_a_trigger_that_still_changes_is_judged_later(way: MitigationFlow) -> None:
    call = Call("lambda", "UpdateEventSourceMapping", {"UUID": MAPPING.id, "Enabled": False})
    states = {"before": {"state": "Enabled"}, "after": {"state": "Disabled"}}
    way.journal.intent(entry("e1", pid=GONE, target=MAPPING, call=call, **states))
    way.account.trigger = "Disabling"
    assert await way.executor.recover() == ()
    way.account.trigger = "Disabled"
    assert [e.outcome for e in await way.executor.recover()] == ["applied"]


async def test_recovering_twice_at_once_writes_one_outcome(tmp_path: Path) -> None:
    JournalFile(tmp_path / "j").intent(entry("e1", pid=GONE, host="bastion"))
    account, clock = Account(), FakeClock(auto=True)
    ways = [
        mitigation_flow(tmp_path / "j", account, clock=clock, process=Process("bastion", os.getpid()))
        for _ in "ab"
    ]
    ways[0].reader.on_read = lambda: ways[1].journal.outcome("e1", 1.0, "not-sent", "quicker", None)
    assert await ways[0].executor.recover() == ()
    assert [e.detail for e in ways[1].journal.read()] == ["quicker"]


async def test_a_damaged_journal_stops_recovery_with_its_sentence(
    way: MitigationFlow, tmp_path: Path
) -> None:
    way.journal.intent(entry("e1", pid=GONE))
    (tmp_path / "j" / "journal.jsonl").write_bytes(b"x\n")
    with pytest.raises(JournalError, match="line 1"):
        await way.executor.recover()
