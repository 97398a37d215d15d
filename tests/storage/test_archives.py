"""The journal begins anew when it is long: nothing is lost, and what is missing is said."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from fakes.archived import change, fill, full_disk, names, whole
from fakes.entries import AT, SCOPE, entry

from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations import retention
from lambdatop.storage import archives, hash_chain, journal_file, secure_files
from lambdatop.storage.errors import JournalError
from lambdatop.storage.hash_chain import Chain, Rotation
from lambdatop.storage.journal_file import JournalFile


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    monkeypatch.setattr(retention, "RECENT", 2)
    monkeypatch.setattr(retention, "MOST", 4)
    monkeypatch.setattr(secure_files, "sync", lambda fd: None)
    return tmp_path / "j"


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
        assert first["prev"] == hash_chain.digest(before.read_bytes().splitlines()[-1])
        assert (first["record"], first["archive"]) == ("rotation", before.name)


def test_what_is_not_known_and_what_can_be_undone_stays_in_reach(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST", 1_000)
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
    fill(home, 20, "goes-on")
    assert not newest.exists(), "its number is not given to another one"
    moved.rename(newest)
    assert JournalFile(home).gap() == ""
    assert len(whole(home)) == 80


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
    waiting, opened = threading.Event(), secure_files.open_for_appending

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


def test_a_full_disk_beside_a_written_record_is_told_and_costs_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_write_new", lambda *_: full_disk())
    journal = fill(home, 40)
    assert "cannot begin anew, so it goes on growing: the disk is full" in journal.gap()
    assert len(journal.read()) == 40
    monkeypatch.undo()
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    monkeypatch.setattr(retention, "RECENT", 2)
    change(journal, "later")
    assert journal.gap() == ""
    assert len(whole(home)) == 41


# -- what it is made of -------------------------------------------------------------------------------


def test_it_begins_anew_from_a_mebibyte_on_and_from_twice_what_was_carried_over() -> None:
    def is_long(size: int, carried: int | None = None) -> bool:
        before = None if carried is None else Rotation(1, "journal.000001.jsonl", "f" * 64, 1, carried)
        return archives.is_long(Chain(size=size, before=before))

    mebibyte = 1024 * 1024
    assert [is_long(size) for size in (0, mebibyte - 1, mebibyte)] == [False, False, True]
    assert [is_long(size, 5) for size in (mebibyte - 1, mebibyte)] == [False, True]
    assert [is_long(size, mebibyte) for size in (2 * mebibyte - 1, 2 * mebibyte)] == [False, True]


def test_archives_are_numbered_in_six_places_and_more() -> None:
    assert archives.archive_name(7) == "journal.000007.jsonl"
    assert archives.archive_name(1_234_567) == "journal.1234567.jsonl"


def test_only_an_outcome_lets_it_begin_anew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = fill(home, 3)
    monkeypatch.setattr(archives, "ROTATE_BYTES", 10)
    journal.intent(entry("open"))
    assert names(home) == ["journal.jsonl"], "between intent and call nothing is moved"
    journal.outcome("open", AT, "applied", "", None)
    assert names(home) == ["journal.000001.jsonl", "journal.jsonl"]
    first, *rest = journal.path.read_bytes().splitlines(keepends=True)
    assert json.loads(first)["carried_bytes"] == len(b"".join(rest)) > 0


def test_what_others_left_beside_it_is_not_overwritten(home: Path) -> None:
    home.mkdir(mode=0o700)
    for name in ("journal.000003.jsonl", "journal.12.jsonl", "journal.000009.jsonl.old"):
        (home / name).write_text("mine")
    (home / "journal.jsonl.new").write_text("left by one that died")
    (home / "journal.000004.jsonl.new").write_text("left by one that died")
    journal = fill(home, 12)
    assert names(home)[:2] == ["journal.000003.jsonl", "journal.000004.jsonl"]
    assert not [name for name in names(home) if name.endswith(".new")]
    assert (home / "journal.000003.jsonl").read_text() == "mine"
    assert journal.gap() == (
        f"The journal {journal.path} does not go on from journal.000003.jsonl beside it: the file that did "
        "was moved away. What these hold is not shown, and cannot be undone from here."
    )
    assert len(whole(home)) == 12


@pytest.mark.parametrize("how", ["empty", "open to others", "link", "another"])
def test_what_is_no_copy_of_this_journal_is_left_and_said(home: Path, how: str) -> None:
    journal = fill(home, 2)
    there = home / "journal.000001.jsonl"
    if how == "link":
        there.symlink_to(journal.path)
    else:
        there.write_bytes({"empty": b"", "another": b"x"}.get(how, journal.path.read_bytes()))
        there.chmod(0o644 if how == "open to others" else 0o600)
    assert "does not go on from journal.000001.jsonl beside it" in journal.gap()
    data = there.read_bytes()
    fill(home, 12, "n")
    assert "journal.000002.jsonl" in names(home)
    assert how == "link" or there.read_bytes() == data
    there.unlink()
    assert JournalFile(home).gap() == ""
    assert len(whole(home)) == 14


def test_a_copy_of_one_that_died_is_no_gap_and_is_written_anew(home: Path) -> None:
    journal = fill(home, 3)
    for name in ("journal.000001.jsonl", "journal.000002.jsonl", "journal.000004.jsonl"):
        (home / name).write_bytes(journal.path.read_bytes() if "4" in name else b"another\n")
        (home / name).chmod(0o600)
    assert "go on from journal.000001.jsonl, journal.000002.jsonl beside" in journal.gap()
    fill(home, 4, "n")
    assert [name for name in names(home) if "4" in name or "5" in name] == ["journal.000004.jsonl"]
    assert (home / "journal.000004.jsonl").read_bytes().count(b"\n") > 6
    assert len(whole(home)) == 7


def test_every_archive_that_is_missing_is_named(home: Path) -> None:
    journal = fill(home, 60)
    for number in (1, 3):
        (home / f"journal.00000{number}.jsonl").unlink()
    assert journal.gap() == (
        f"Of the journal {journal.path} journal.000001.jsonl, journal.000003.jsonl is missing: what was done "
        "then is not shown, and cannot be undone from here. Put it back beside the journal."
    )
    with pytest.raises(JournalError, match=r"Of the journal .* journal.000003.jsonl is missing: what was"):
        list(JournalFile(home).older())


def test_of_nothing_nothing_is_missing(tmp_path: Path) -> None:
    assert JournalFile(tmp_path / "j").gap() == ""
    assert list(JournalFile(tmp_path / "j").older()) == []
    assert archives.gap(tmp_path / "j" / "journal.jsonl", Chain()) == ""
    assert archives.gap(tmp_path / "journal.jsonl", Chain()) == ""


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("longer", "is not the one that the journal goes on from: its last line is another one"),
        ("bent", "is damaged: line 1 .*[.] Put the file back as it was[.]$"),
        ("a link", "cannot be read: it is a symbolic link"),
    ],
)
def test_an_archive_that_cannot_be_trusted_says_why(home: Path, how: str, why: str) -> None:
    journal = fill(home, 20)
    newest = home / names(home)[-2]
    data = newest.read_bytes()
    if how == "a link":
        newest.rename(home / "elsewhere")
        newest.symlink_to(home / "elsewhere")
    else:
        newest.write_bytes(data + b"torn" if how == "longer" else b"x" + data[1:])
    with pytest.raises(JournalError, match=f"{newest} {why}"):
        next(journal.older())


def test_the_archives_come_newest_first_and_when_they_are_asked_for(home: Path) -> None:
    journal = fill(home, 60)
    batches = list(JournalFile(home).older())
    assert len(batches) == len(names(home)) - 1
    assert [batch[-1].id for batch in batches] == sorted((b[-1].id for b in batches), reverse=True)
    (home / "journal.000001.jsonl").write_text("damaged")
    parts = journal.older()
    assert [next(parts) for _ in batches[1:]] == batches[:-1]
    with pytest.raises(JournalError, match="not the one"):
        next(parts)


@pytest.mark.parametrize("umask", [0, 0o777])
def test_modes_of_archives_do_not_depend_on_the_umask(home: Path, umask: int) -> None:
    journal, before = fill(home, 1), os.umask(umask)
    try:
        for n in range(20):
            change(journal, f"n{n}")
    finally:
        os.umask(before)
    assert len(names(home)) > 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o600}


def test_each_new_name_is_on_disk_before_anything_else_happens_and_nobody_can_write_before(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, object]] = []
    rename, fsync = os.rename, os.fsync

    def renamed(old: str, new: str, **options: Any) -> None:
        if new == "journal.jsonl":
            with (home / old).open("rb") as neighbour, pytest.raises(BlockingIOError):
                fcntl.flock(neighbour, fcntl.LOCK_EX | fcntl.LOCK_NB)
        rename(old, new, **options)
        done.append(("named", new))

    def synced(fd: int) -> None:
        fsync(fd)
        done.append(("on disk", stat.S_ISDIR(os.fstat(fd).st_mode)))

    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(secure_files, "sync", synced)
    fill(home, 20)
    named = [i for i, (what, _) in enumerate(done) if what == "named"]
    assert [done[i][1] for i in named[:2]] == ["journal.000001.jsonl", "journal.jsonl"]
    for i in named:
        assert done[i - 1 : i + 2] == [("on disk", False), done[i], ("on disk", True)]


def _open_files() -> int:
    return len(os.listdir("/dev/fd"))


def test_no_file_is_left_open(home: Path) -> None:
    before = _open_files()
    journal = fill(home, 40)
    for _ in range(3):
        assert journal.gap() == ""
        assert JournalFile(home).read()
        assert list(journal.older())
    (home / "journal.000001.jsonl").write_bytes(journal.path.read_bytes())
    with pytest.raises(JournalError):
        list(journal.older())
    (home / "journal.000001.jsonl").write_text("no journal\n")
    with pytest.raises(JournalError):
        list(journal.older())
    (home / "journal.000001.jsonl").unlink()
    with pytest.raises(JournalError):
        list(journal.older())
    (home / "journal.999999.jsonl").write_bytes(journal.path.read_bytes())
    (home / "journal.999999.jsonl").chmod(0o600)
    assert "000001" in journal.gap()
    change(journal, "later")
    journal.path.unlink()
    assert journal.read() == ()
    assert "999999" in journal.gap()
    assert _open_files() == before


@pytest.mark.parametrize("at", [1, 2])
def test_a_disk_that_gets_full_leaves_neither_parts_nor_open_files(
    home: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    append, count = secure_files.append_durably, [0]

    def full(fd: int, data: bytes) -> None:
        count[0] += 1
        append(fd, data[: len(data) // 2])
        if count[0] % 2 == at % 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    journal = fill(home, 3)
    before = _open_files()
    monkeypatch.setattr(archives, "append_durably", full)
    assert "goes on growing: the disk is full" in fill(home, 12, "n").gap()
    assert not [name for name in names(home) if name.endswith(".new")]
    assert _open_files() == before
    assert len(journal.read()) == 15
