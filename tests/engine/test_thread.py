from __future__ import annotations

import asyncio
import re
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from types import FrameType

import pytest
from fakes.entries import WORKER
from fakes.sources import FakeBackend
from fakes.time_limit import PATIENCE_S

from lambdatop.domain.errors import LambdatopError, Unreachable
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.console import Console, Result
from lambdatop.domain.settings.settings import Settings
from lambdatop.engine.clock import SystemClock
from lambdatop.engine.engine import Engine
from lambdatop.engine.spend_meter import SpendMeter
from lambdatop.engine.thread import EngineThread
from lambdatop.storage.journal_file import JournalFile

LIMIT_S = PATIENCE_S
ROOT = Path(__file__).resolve().parents[2]


class Bench:
    """A real thread over an account in memory."""

    def __init__(self, directory: Path) -> None:
        self.backend = FakeBackend()
        self.journal = JournalFile(directory / "j")
        self.clock = SystemClock()
        self.engine = Engine(
            self.backend.connect,
            Settings(),
            self.clock,
            self.journal,
            "operator",
            "0.1.0",
            SpendMeter(self.clock, 0.5),
            on_loaded=lambda: None,
        )
        self.thread = EngineThread(self.engine)

    def plan(self) -> Plan:
        plan = self.thread.propose("throttle_to_zero", WORKER, {}).result(LIMIT_S)
        assert isinstance(plan, Plan)
        return plan

    def hold(self) -> tuple[Future[Result], asyncio.Event]:
        """Start a mutation that waits in the middle of its call."""
        assert self.backend.mutator is not None
        self.backend.mutator.gate = gate = asyncio.Event()
        reached = threading.Event()
        self.backend.mutator.on_send = reached.set
        future = self.thread.execute(self.plan(), self.clock.now())
        assert reached.wait(LIMIT_S)
        return future, gate

    def release(self, gate: asyncio.Event) -> None:
        assert self.thread._loop is not None
        self.thread._loop.call_soon_threadsafe(gate.set)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_it_is_what_the_console_asks_for(bench: Bench) -> None:
    console: Console = bench.thread
    assert console.latest().seq == 0


def test_a_change_from_another_thread(bench: Bench) -> None:
    bench.thread.start()
    result = bench.thread.execute(bench.plan(), bench.clock.now()).result(LIMIT_S)
    assert result.kind == "applied"
    undo = bench.thread.propose_undo(None).result(LIMIT_S)
    assert isinstance(undo, Plan)
    assert bench.thread.execute(undo, bench.clock.now()).result(LIMIT_S).kind == "applied"
    assert bench.backend.account.reserved == 7
    assert bench.thread.snapshot_once(LIMIT_S).result(LIMIT_S).targets
    assert bench.thread.stop(LIMIT_S) is True
    assert bench.backend.closed == 1


def test_between_a_key_and_its_planner_are_three_hops(bench: Bench) -> None:
    """CONTRIBUTING's "Follow a key to a plan" names the functions that it passes, in their order."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Follow a key to a plan", 1)[1].split("\n## ", 1)[0]
    steps = re.findall(r"^[3-8]\. `([^`]+)` `([^`]+)`", section, re.MULTILINE)
    wanted = {(str(ROOT / path), function): (path, function) for path, function in steps}
    called: list[tuple[str, str]] = []

    def call(frame: FrameType, event: str, arg: object) -> None:
        step = wanted.get((frame.f_code.co_filename, frame.f_code.co_name)) if event == "call" else None
        if step is not None and step not in called:
            called.append(step)

    before = sys.getprofile()
    threading.setprofile(call)  # of the engine's thread, which begins now
    sys.setprofile(call)
    try:
        bench.thread.start()
        bench.plan()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    assert bench.thread.stop(LIMIT_S) is True
    assert called == steps
    hops = [step for step in steps if step[1] in ("propose", "plan")]
    assert len(hops) == 3


def test_errors_come_through_the_future(bench: Bench) -> None:
    bench.backend.always = Unreachable("No connection.")
    bench.thread.start()
    with pytest.raises(Unreachable, match="No connection"):
        bench.thread.propose("throttle_to_zero", WORKER, {}).result(LIMIT_S)
    assert bench.thread.stop(LIMIT_S) is True


def test_stop_lets_a_call_under_way_end(bench: Bench) -> None:
    bench.thread.start()
    future, gate = bench.hold()
    stopped: list[bool] = []
    stopper = threading.Thread(target=lambda: stopped.append(bench.thread.stop(LIMIT_S)))
    stopper.start()
    stopper.join(0.1)
    assert stopper.is_alive()
    bench.release(gate)
    stopper.join(LIMIT_S)
    assert stopped == [True]
    assert future.result(LIMIT_S).kind == "applied"
    assert [e.outcome for e in bench.journal.read()] == ["applied"]


def test_cancelling_the_future_does_not_cancel_the_call(bench: Bench) -> None:
    bench.thread.start()
    future, gate = bench.hold()
    future.cancel()
    bench.release(gate)
    assert bench.thread.stop(LIMIT_S) is True
    assert [e.outcome for e in bench.journal.read()] == ["applied"]
    assert bench.backend.account.reserved == 0


def test_a_call_that_never_ends_does_not_keep_the_process_and_is_unknown(bench: Bench) -> None:
    bench.thread.start()
    future, _ = bench.hold()
    assert bench.thread.stop(0.05) is False
    assert not bench.thread._thread.is_alive()
    assert future.cancelled()
    assert [e.outcome for e in bench.journal.read()] == ["unknown"]


def test_who_waits_for_the_end_may_give_up(bench: Bench) -> None:
    bench.thread.start()
    bench.hold()
    stopped: list[bool] = []
    stopper = threading.Thread(target=lambda: stopped.append(bench.thread.stop(1000.0)))
    stopper.start()
    stopper.join(0.1)
    assert stopper.is_alive()
    bench.thread.give_up()
    stopper.join(LIMIT_S)
    assert stopped == [False]
    assert [e.outcome for e in bench.journal.read()] == ["unknown"]


def test_after_the_end_every_question_has_an_answer(bench: Bench) -> None:
    bench.thread.start()
    plan = bench.plan()
    assert bench.thread.stop(LIMIT_S) is True
    assert bench.thread.stop(LIMIT_S) is True
    bench.thread.refresh()
    bench.thread.watch(frozenset())
    with pytest.raises(LambdatopError, match="has stopped"):
        bench.thread.execute(plan, bench.clock.now()).result(LIMIT_S)
    assert bench.backend.account.reserved == 7


def test_an_engine_that_dies_says_so_in_the_snapshot(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(bench.engine, "run", die)
    bench.thread.start()
    bench.thread._thread.join(LIMIT_S)
    (source,) = bench.thread.latest().sources
    assert (source.name, source.state) == ("engine", "failed")
    assert "ZeroDivisionError" in source.error
