"""The journal begins anew when it is long: nothing is lost, and what is missing is said."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest
from fakes.archived import change, fill, full_disk, names, whole
from fakes.entries import AT, SCOPE, entry

from lambdatop.domain import kept
from lambdatop.domain.scope import Key
from lambdatop.storage import archives, chain, journal_file, private
from lambdatop.storage.errors import JournalError
from lambdatop.storage.journal_file import JournalFile


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    monkeypatch.setattr(kept, "RECENT", 2)
    monkeypatch.setattr(kept, "MOST", 4)
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


def test_a_full_disk_beside_a_written_record_is_told_and_costs_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_write_new", lambda *_: full_disk())
    journal = fill(home, 40)
    assert "cannot begin anew, so it goes on growing: the disk is full" in journal.gap()
    assert len(journal.read()) == 40
    monkeypatch.undo()
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    monkeypatch.setattr(kept, "RECENT", 2)
    change(journal, "later")
    assert journal.gap() == ""
    assert len(whole(home)) == 41
