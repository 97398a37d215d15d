"""kill -9 between the steps of a plan: `journal` and the next command say what stands and how to go back."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.command_line import Cli
from fakes.entries import entry

from lambdatop.cli.unfinished import report_ends, under_way
from lambdatop.storage.journal_file import JournalFile

HALF = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from fakes.clock import FakeClock
from fakes.entries import SCOPE
from fakes.many_triggers import Triggers, TriggersMutator, TriggersReader, stop_in_order
from lambdatop.engine.mutating.executor import Executor
from lambdatop.storage.journal_file import JournalFile

async def main():
    clock = FakeClock()
    clock._now = __import__("time").time()
    triggers = Triggers(clock, 3)
    triggers.stuck = set(triggers.off_at)
    mutator = TriggersMutator(triggers)
    executor = Executor(clock, JournalFile(Path(sys.argv[1])), TriggersReader(triggers), mutator, "kim",
                        "operator", lambda events: None, scope=SCOPE)
    task = asyncio.ensure_future(executor.execute(stop_in_order(clock, 3), clock.now()))
    journal = JournalFile(Path(sys.argv[1]))
    while [e.outcome for e in journal.read()] != ["applied"] * 3:
        clock.jump(0)
        due = clock._next_due()
        if due is not None:
            clock._wake(due)
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture
def killed(home: Path) -> Path:
    state = home / ".local/state/lambdatop"
    tests = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", HALF, str(state), str(tests)], timeout=60, check=False)
    assert done.returncode == -9
    return state


def test_the_journal_says_what_stands_and_how_to_take_it_back(cli: Cli, killed: Path) -> None:
    ran = cli("journal", "--open")
    assert "ended halfway: 3 of 4 steps stand, 1 were not carried out" in ran.err
    entries = json.loads(cli("journal", "--json").out)
    (half,) = entries["halfway"]
    assert sorted(half["done"]) == ["p.1", "p.2", "p.3"]
    assert half["why"] is None
    assert f"lambdatop undo {half['done'][-1]}" in ran.err
    assert {e["plan"]["steps"] for e in entries["entries"]} == {4}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("applied", "applied (entry e1)"), ("unknown", "its outcome is not known (entry e1)")],
)
def test_how_a_change_ended_that_was_on_its_way_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], outcome: str, words: str
) -> None:
    journal = JournalFile(tmp_path)
    journal.intent(entry("e0", host=socket.gethostname(), pid=os.getpid()))
    journal.outcome("e0", 1.0, "applied", "", None)
    journal.intent(entry("e1", host=socket.gethostname(), pid=os.getpid()))
    before = under_way(journal)
    assert before == {"e1"}
    journal.outcome("e1", 2.0, outcome, "", None)  # type: ignore[arg-type]
    report_ends(journal, before)
    said = capsys.readouterr().err
    assert words in said
    assert "e0" not in said
