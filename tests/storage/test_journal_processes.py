from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from fakes.time_limit import PATIENCE_S

from lambdatop.storage.journal_file import JournalFile

WRITER = Path(__file__).parents[1] / "fakes" / "journal_writer.py"


def _write(directory: Path, side: Path, prefix: str, count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(WRITER), str(directory), str(side), prefix, str(count)]
    return subprocess.Popen(command)


def test_two_processes_share_one_journal(tmp_path: Path) -> None:
    side = tmp_path / "effects"
    writers = [_write(tmp_path / "j", side, prefix, 60) for prefix in ("a", "b")]
    assert [w.wait(PATIENCE_S) for w in writers] == [0, 0]
    entries = JournalFile(tmp_path / "j").read()
    assert len(entries) == 120
    assert {e.outcome for e in entries} == {"applied"}
    for prefix in ("a", "b"):
        mine = [e.id for e in entries if e.id.startswith(prefix)]
        assert mine == [f"{prefix}-{i}" for i in range(60)]


def test_after_kill_9_every_effect_has_its_intent_on_disk(tmp_path: Path) -> None:
    side = tmp_path / "effects"
    side.touch()
    chance = random.Random(20_261_121)
    for round_ in range(20):
        writer = _write(tmp_path / "j", side, f"r{round_}", 1_000_000)
        wanted = side.stat().st_size + chance.randrange(1, 400)
        while side.stat().st_size < wanted:
            assert writer.poll() is None, "the writer ended by itself"
            time.sleep(0.001)
        writer.kill()
        writer.wait(PATIENCE_S)
    effects = side.read_text().split()
    outcomes = {e.id: e.outcome for e in JournalFile(tmp_path / "j").read()}
    assert len(effects) > 20
    assert [e for e in effects if e not in outcomes] == []
    still_open = [e for e, outcome in outcomes.items() if outcome == "open"]
    assert len(still_open) <= 20, "at most the one that was under way in each round"
