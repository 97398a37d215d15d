"""The journal begins anew when it is long: nothing is lost, and what is missing is said."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from fakes.entries import AT, SCOPE, entry

from lambdatop.domain import kept
from lambdatop.domain.journal import Entry, joined
from lambdatop.domain.scope import Key
from lambdatop.storage import archives, chain, journal_file, private
from lambdatop.storage.errors import JournalError
from lambdatop.storage.journal_file import JournalFile

WRITER = Path(__file__).parents[1] / "fakes" / "journal_writer.py"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    monkeypatch.setattr(kept, "RECENT", 2)
    monkeypatch.setattr(kept, "MOST", 4)
    return tmp_path / "j"


def whole(home: Path) -> tuple[Entry, ...]:
    journal = JournalFile(home)
    parts = [journal.read(), *journal.older()]
    return reduce(lambda newer, older: joined(older, newer), parts)


def change(journal: JournalFile, name: str, **fields: Any) -> None:
    journal.intent(entry(name, **fields))
    journal.outcome(name, AT, "applied", "", None)


def fill(home: Path, count: int, prefix: str = "e") -> JournalFile:
    journal = JournalFile(home)
    for i in range(count):
        change(journal, f"{prefix}{i:03d}", target=Key(SCOPE, "function", f"f{i % 3}"))
    return journal


def names(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir())


def test_a_long_journal_begins_anew_and_nothing_is_lost(home: Path) -> None:
    journal = fill(home, 40)
    assert len(names(home)) > 2
    assert [e.id for e in whole(home)] == [f"e{i:03d}" for i in range(40)]
    assert {e.outcome for e in whole(home)} == {"applied"}
    assert [e.id for e in journal.read()][-2:] == ["e038", "e039"]
    assert journal.path.stat().st_size < 12_000
    assert journal.gap() == ""
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_file_names_the_hash_of_the_one_before(home: Path) -> None:
    fill(home, 40)
    files = sorted(path for path in home.iterdir() if path.name != "journal.jsonl")
    for before, after in zip(files, [*files[1:], home / "journal.jsonl"], strict=True):
        first = json.loads(after.read_bytes().splitlines()[0])
        assert first["prev"] == chain.digest(before.read_bytes().splitlines()[-1])
        assert (first["record"], first["archive"]) == ("rotation", before.name)


def test_what_is_not_known_and_what_can_be_undone_stays_in_reach(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST", 1_000)
    journal = JournalFile(home)
    journal.intent(entry("open", target=Key(SCOPE, "function", "o")))
    change(journal, "standing", target=Key(SCOPE, "function", "s"))
    change(journal, "gone", target=Key(SCOPE, "function", "g"))
    change(journal, "undo", target=Key(SCOPE, "function", "g"), undoes="gone", depth=1)
    fill(home, 60)
    found = {e.id: e.outcome for e in journal.read()}
    assert (found["open"], found["standing"], found["undo"]) == ("open", "applied", "applied")
    assert "gone" not in found
    assert {e.id: e.outcome for e in whole(home)}["gone"] == "undone"
    journal.outcome("open", AT, "not-sent", "not applied (found)", None)
    assert {e.id: e.outcome for e in whole(home)}["open"] == "not-sent"


def test_an_old_journal_of_one_long_file_is_taken_over_whole(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ROTATE_BYTES", 1 << 40)
    fill(home, 50)
    before, entries = (home / "journal.jsonl").read_bytes(), JournalFile(home).read()
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    assert JournalFile(home).read() == entries
    assert names(home) == ["journal.jsonl"], "reading writes nothing"
    change(JournalFile(home), "new")
    assert names(home) == ["journal.000001.jsonl", "journal.jsonl"]
    assert (home / "journal.000001.jsonl").read_bytes().startswith(before)
    assert whole(home)[:-1] == entries


def test_a_missing_archive_is_said_and_nothing_is_refused(home: Path) -> None:
    journal = fill(home, 60)
    newest = sorted(home.iterdir())[-2]
    assert newest.name != "journal.000001.jsonl"
    moved = home.parent / "moved"
    newest.rename(moved)
    assert f"{newest.name} is missing" in journal.gap()
    with pytest.raises(JournalError, match="is missing"):
        list(journal.older())
    change(journal, "goes-on")
    moved.rename(newest)
    assert JournalFile(home).gap() == ""
    assert len(whole(home)) == 61


def test_an_oldest_archive_that_is_missing_is_said_without_reading_any(home: Path) -> None:
    journal = fill(home, 60)
    (home / "journal.000001.jsonl").unlink()
    assert "journal.000001.jsonl is missing" in journal.gap()
    assert len(next(journal.older())) > 0


@pytest.mark.parametrize("how", ["cut", "bent", "exchanged"])
def test_an_archive_that_is_not_what_it_was_is_said(home: Path, how: str) -> None:
    journal = fill(home, 60)
    first, second = home / "journal.000001.jsonl", home / "journal.000002.jsonl"
    data = first.read_bytes()
    if how == "cut":
        first.write_bytes(b"".join(data.splitlines(keepends=True)[:-1]))
    elif how == "bent":
        first.write_bytes(data.replace(b"kim", b"tim", 1))
    else:
        first.write_bytes(second.read_bytes())
    with pytest.raises(JournalError, match=r"is not the one|is damaged"):
        list(journal.older())


def test_a_journal_that_was_moved_away_leaves_its_archives_and_that_is_said(home: Path) -> None:
    fill(home, 40)
    last = names(home)[-2]
    kept_bytes = {p.name: p.read_bytes() for p in home.iterdir() if p.name != "journal.jsonl"}
    (home / "journal.jsonl").unlink()
    assert "was moved away" in JournalFile(home).gap()
    assert JournalFile(home).read() == ()
    journal = fill(home, 40, "n")
    assert last in journal.gap()
    assert [e.id for e in whole(home)] == [f"n{i:03d}" for i in range(40)]
    for name, data in kept_bytes.items():
        assert (home / name).read_bytes() == data, "the archives of another journal are not overwritten"


def test_a_journal_whose_beginning_was_cut_off_is_damaged(home: Path) -> None:
    fill(home, 40)
    path = home / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(JournalError, match="line 1 does not follow"):
        JournalFile(home).read()


def test_a_neighbour_who_waited_for_the_lock_writes_into_the_new_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has opened the old file, and gets its lock only when another one has taken the name."""
    journal = fill(home, 3)
    waiting, opened = threading.Event(), private.open_for_appending

    def slow(directory: int, path: Path, what: str = "journal") -> int:
        fd = opened(directory, path, what)
        if threading.current_thread() is not threading.main_thread() and not waiting.is_set():
            waiting.set()
            rotated.wait(30)
        return fd

    monkeypatch.setattr(journal_file, "open_for_appending", slow)
    rotated = threading.Event()
    neighbour = threading.Thread(target=lambda: change(JournalFile(home), "neighbour"))
    neighbour.start()
    assert waiting.wait(30)
    fill(home, 40, "x")
    assert len(names(home)) > 1
    rotated.set()
    neighbour.join(30)
    assert "neighbour" in [e.id for e in journal.read()]
    assert len(whole(home)) == 44


def test_several_processes_write_while_it_begins_anew(home: Path) -> None:
    side = home.parent / "effects"
    code = (
        f"import sys; sys.path[:0] = {[str(WRITER.parents[1]), str(WRITER.parents[2])]!r}\n"
        "from lambdatop.storage import archives; archives.ROTATE_BYTES = 20_000\n"
        "from lambdatop.domain import kept; kept.RECENT = kept.MOST = 5\n"
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
    """In a child: count the system calls of the journal, and `act` at the wanted one."""
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


def _full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _in_child(work: Callable[[], int]) -> int:
    """The exit code of `work` in a child, or minus the signal that ended it."""
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
    act = _full if how == "full disk" else _die

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


def test_a_full_disk_beside_a_written_record_is_told_and_costs_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_write_new", lambda *_: _full())
    journal = fill(home, 40)
    assert "cannot begin anew, so it goes on growing: the disk is full" in journal.gap()
    assert len(journal.read()) == 40
    monkeypatch.undo()
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    monkeypatch.setattr(kept, "RECENT", 2)
    change(journal, "later")
    assert journal.gap() == ""
    assert len(whole(home)) == 41


# -- work, not time -----------------------------------------------------------------------------------


def test_neither_start_nor_append_grows_with_what_was_done_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes read and lines understood by a start and by an append, after 1,000 and 4,000 changes."""
    monkeypatch.setattr(private, "sync", lambda fd: None)
    monkeypatch.setattr(archives, "ROTATE_BYTES", 100_000)
    monkeypatch.setattr(kept, "RECENT", 20)
    monkeypatch.setattr(kept, "MOST", 20)
    read, lines = [0], [0]
    read_from, record = private.read_from, chain._record

    def counted(fd: int, offset: int) -> bytes:
        data = read_from(fd, offset)
        read[0] += len(data)
        return data

    def understood(line: bytes, number: int) -> Any:
        lines[0] += 1
        return record(line, number)

    monkeypatch.setattr(journal_file, "read_from", counted)
    monkeypatch.setattr(archives, "read_from", counted)
    monkeypatch.setattr(chain, "_record", understood)
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
