"""Dying, full disks, neighbours and years while the journal begins anew: nothing is lost, nothing grows."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.archived import change, fill, full_disk, names, whole
from fakes.entries import AT, SCOPE, entry

from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations import retention
from lambdatop.storage import archives, hash_chain, journal_file, secure_files
from lambdatop.storage.errors import JournalError
from lambdatop.storage.journal_file import JournalFile

WRITER = Path(__file__).parents[1] / "fakes" / "journal_writer.py"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    monkeypatch.setattr(retention, "RECENT", 2)
    monkeypatch.setattr(retention, "MOST", 4)
    return tmp_path / "j"


def test_several_processes_write_while_it_begins_anew(home: Path) -> None:
    side = home.parent / "effects"
    code = (
        f"import sys; sys.path[:0] = {[str(WRITER.parents[1]), str(WRITER.parents[2])]!r}\n"
        "from lambdatop.storage import archives; archives.ROTATE_BYTES = 20_000\n"
        "from lambdatop.domain.mitigations import retention as kept; kept.RECENT = kept.MOST = 5\n"
        "from fakes.journal_writer import main; main(sys.argv[1], sys.argv[2], sys.argv[3], 80)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, home, side, name]) for name in ("a", "b", "c")]
    assert [w.wait(120) for w in writers] == [0, 0, 0]
    entries = whole(home)
    assert len(names(home)) > 5
    assert {e.outcome for e in entries} == {"applied"}
    assert sorted(e.id for e in entries) == sorted(f"{name}-{i}" for name in "abc" for i in range(80))
    assert sorted(side.read_text().split()) == sorted(e.id for e in entries)


# -- every system call ------------------------------------------------------------------------------

CALLS = [
    *(
        (os, n)
        for n in ("open", "write", "fsync", "rename", "unlink", "fchmod", "close", "ftruncate", "listdir")
    ),
    (fcntl, "flock"),
]


def _at_call(wanted: int, act: Callable[[], None], *, after: bool) -> list[int]:
    """Count the system calls of the journal in a child, and `act` at the wanted one."""
    seen = [0]

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            seen[0] += 1
            mine = seen[0] == wanted
            if mine and not after:
                act()
            try:
                return function(*args, **options)
            finally:
                if mine and after:
                    act()

        return call

    for module, name in CALLS:
        setattr(module, name, counted(getattr(module, name)))
    return seen


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _in_child(work: Callable[[], int]) -> int:
    """Return the exit code of `work` in a child, or minus the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _just_before(home: Path) -> int:
    """Fill a journal until the next outcome makes it begin anew; how many changes it holds."""
    journal, count = JournalFile(home), 0
    while not any("000002" in name for name in names(home) if home.exists()) if home.exists() else True:
        last = {p.name: p.read_bytes() for p in home.iterdir()} if home.exists() else {}
        change(journal, f"e{count:03d}", target=Key(SCOPE, "function", f"f{count % 3}"))
        count += 1
    for path in home.iterdir():
        path.unlink()
    for name, data in last.items():
        (home / name).write_bytes(data)
        (home / name).chmod(0o600)
    return count - 1


@pytest.fixture
def ready(home: Path) -> tuple[dict[str, bytes], int]:
    count = _just_before(home)
    return {p.name: p.read_bytes() for p in home.iterdir()}, count


def _restore(home: Path, files: dict[str, bytes]) -> None:
    for path in home.iterdir():
        path.unlink()
    for name, data in files.items():
        (home / name).write_bytes(data)
        (home / name).chmod(0o600)


@pytest.mark.parametrize("how", ["killed before", "killed after", "full disk"])
def test_at_every_system_call_of_the_change_nothing_is_lost(
    home: Path, ready: tuple[dict[str, bytes], int], how: str
) -> None:
    files, count = ready
    act = full_disk if how == "full disk" else _die

    def work(wanted: int) -> Callable[[], int]:
        def run() -> int:
            journal = JournalFile(home)
            journal.read()
            journal.intent(entry("last"))
            seen = _at_call(wanted, act, after=how == "killed after")
            try:
                journal.outcome("last", AT, "applied", "", None)
            except JournalError:
                return 1
            return 0 if seen[0] >= wanted else 2

        return run

    ends = []
    for wanted in range(1, 200):
        _restore(home, files)
        ends.append(_in_child(work(wanted)))
        if ends[-1] == 2:
            break
        assert ends[-1] in ((0, 1) if how == "full disk" else (-signal.SIGKILL,))
        found = {e.id: e.outcome for e in whole(home)}
        assert list(found) == [*(f"e{i:03d}" for i in range(count)), "last"], (wanted, names(home))
        assert {found[id_] for id_ in found if id_ != "last"} == {"applied"}
        assert found["last"] in (("applied",) if ends[-1] == 0 else ("open", "applied")), wanted
        assert JournalFile(home).gap() == "", (wanted, names(home))
        # Whoever comes next goes on, and begins the file anew if that was left undone.
        journal = fill(home, 20, "n")
        assert journal.gap() == ""
        assert len(whole(home)) == count + 21
        assert {"journal.000002.jsonl", "journal.jsonl"} <= set(names(home))
    assert ends[-1] == 2, "every call was reached"
    assert len(ends) > 20


# -- work, not time -----------------------------------------------------------------------------------


def test_neither_start_nor_append_grows_with_what_was_done_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes read and lines understood by a start and by an append, after 1,000 and 4,000 changes."""
    monkeypatch.setattr(secure_files, "sync", lambda fd: None)
    monkeypatch.setattr(archives, "ROTATE_BYTES", 100_000)
    monkeypatch.setattr(retention, "RECENT", 20)
    monkeypatch.setattr(retention, "MOST", 20)
    read, lines = [0], [0]
    read_from, record = secure_files.read_from, hash_chain._record

    def counted(fd: int, offset: int) -> bytes:
        data = read_from(fd, offset)
        read[0] += len(data)
        return data

    def understood(line: bytes, number: int) -> Any:
        lines[0] += 1
        return record(line, number)

    monkeypatch.setattr(journal_file, "read_from", counted)
    monkeypatch.setattr(archives, "read_from", counted)
    monkeypatch.setattr(hash_chain, "_record", understood)
    journal, made = JournalFile(tmp_path / "j"), 0
    for size in (1_000, 4_000):
        while made < size:
            change(journal, f"e{made}", target=Key(SCOPE, "function", f"f{made % 7}"))
            made += 1
        read[0] = lines[0] = 0
        JournalFile(tmp_path / "j").read()
        assert read[0] < 120_000
        assert lines[0] < 200
        read[0] = lines[0] = 0
        for _ in range(300):
            change(journal, f"e{made}", target=Key(SCOPE, "function", f"f{made % 7}"))
            made += 1
        assert read[0] / 600 < 3_000, (
            "each append reads its own line, and now and then the file that it closes"
        )
        assert lines[0] / 600 < 2
        assert len(journal.read()) < 120
