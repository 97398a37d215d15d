from __future__ import annotations

import fcntl
import json
import os
import resource
import stat
from pathlib import Path

import pytest
from fakes.entries import AT, entry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdatop.domain.sanitize import clean_line
from lambdatop.storage import secure_files
from lambdatop.storage.errors import JournalError, LockedOut
from lambdatop.storage.journal_file import JournalFile


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "state" / "lambdatop"


def test_reads_nothing_and_creates_nothing_before_the_first_write(home: Path) -> None:
    assert JournalFile(home).read() == ()
    assert not home.exists()


def test_an_intent_and_its_outcome_come_back_exactly(home: Path) -> None:
    written = entry(before={"reserved_concurrency": None}, undo=None)
    JournalFile(home).intent(written)
    assert JournalFile(home).read() == (written,)
    JournalFile(home).outcome("e1", AT + 1, "applied", "", {"reserved_concurrency": 0})
    expected = replace(written, outcome="applied", outcome_at=AT + 1, seen={"reserved_concurrency": 0})
    assert JournalFile(home).read() == (expected,)


def test_another_attempt_comes_back_as_its_time(home: Path) -> None:
    JournalFile(home).intent(entry())
    JournalFile(home).attempt("e1", AT + 3, 2, "busy")
    assert JournalFile(home).read() == (entry(again_s=3.0),)
    record = json.loads((home / "journal.jsonl").read_bytes().splitlines()[-1])
    assert (record["number"], record["detail"]) == (2, "busy")


def test_an_intent_happens_once(home: Path) -> None:
    JournalFile(home).intent(entry())
    with pytest.raises(JournalError, match="already"):
        JournalFile(home).intent(entry())
    assert JournalFile(home).read() == (entry(),)


def test_absent_zero_and_n_stay_apart(home: Path) -> None:
    for name, value in (("a", None), ("b", 0), ("c", 7)):
        JournalFile(home).intent(entry(name, before={"reserved_concurrency": value}))
    values = [e.before["reserved_concurrency"] for e in JournalFile(home).read()]
    assert values == [None, 0, 7]
    assert [type(v) for v in values] == [type(None), int, int]


def test_the_same_tuple_comes_back_while_nothing_changes(home: Path) -> None:
    journal = JournalFile(home)
    journal.intent(entry())
    assert journal.read() is journal.read()
    JournalFile(home).intent(entry("e2"))
    assert [e.id for e in journal.read()] == ["e1", "e2"]


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_modes_do_not_depend_on_the_umask(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        JournalFile(home).intent(entry())
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "journal.jsonl").stat().st_mode) == 0o600


def test_a_symlinked_directory_is_refused(home: Path, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    home.parent.mkdir()
    home.symlink_to(real)
    for act in (lambda: JournalFile(home).intent(entry()), JournalFile(home).read):
        with pytest.raises(JournalError, match="symbolic link"):
            act()
    assert list(real.iterdir()) == []


def test_a_symlinked_file_is_refused_and_its_target_untouched(home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    home.mkdir(parents=True, mode=0o700)
    (home / "journal.jsonl").symlink_to(victim)
    with pytest.raises(JournalError, match="symbolic link"):
        JournalFile(home).intent(entry())
    assert victim.read_text() == "precious"


def test_a_hard_link_is_refused(home: Path) -> None:
    JournalFile(home).intent(entry())
    os.link(home / "journal.jsonl", home / "other")
    with pytest.raises(JournalError, match="hard link"):
        JournalFile(home).read()


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_directory_that_others_can_write_is_refused(home: Path, mode: int) -> None:
    home.mkdir(parents=True)
    home.chmod(mode)
    with pytest.raises(JournalError, match="written by others"):
        JournalFile(home).intent(entry())


def test_a_file_that_others_can_read_is_refused(home: Path) -> None:
    JournalFile(home).intent(entry())
    (home / "journal.jsonl").chmod(0o644)
    with pytest.raises(JournalError, match="chmod 600"):
        JournalFile(home).read()


def test_a_fifo_in_its_place_neither_blocks_nor_serves(home: Path) -> None:
    home.mkdir(parents=True, mode=0o700)
    os.mkfifo(home / "journal.jsonl", 0o600)
    with pytest.raises(JournalError, match="not a regular file"):
        JournalFile(home).read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_foreign_owner_is_refused(home: Path) -> None:
    JournalFile(home).intent(entry())
    os.chown(home / "journal.jsonl", 12345, -1)
    with pytest.raises(JournalError, match="somebody else"):
        JournalFile(home).read()
    os.chown(home, 12345, -1)
    with pytest.raises(JournalError, match="somebody else"):
        JournalFile(home).intent(entry("e2"))


def _three_lines(home: Path) -> bytes:
    journal = JournalFile(home)
    journal.intent(entry("e1"))
    journal.outcome("e1", AT + 1, "applied", "", None)
    journal.intent(entry("e2"))
    return journal.path.read_bytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_torn_at_any_byte_keeps_its_whole_lines_and_is_mended(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    home = tmp_path_factory.mktemp("torn") / "j"
    whole = _three_lines(home)
    cut = data.draw(st.integers(0, len(whole)))
    path = home / "journal.jsonl"
    path.write_bytes(whole[:cut])
    complete = whole[:cut].count(b"\n")
    torn = not whole[:cut].endswith(b"\n") and cut > 0
    expected = {0: [], 1: ["open"], 2: ["applied"], 3: ["applied", "open"]}[complete]
    assert [e.outcome for e in JournalFile(home).read()] == expected
    assert path.read_bytes() == whole[:cut], "reading must not repair"

    JournalFile(home).intent(entry("e3"))
    assert [e.outcome for e in JournalFile(home).read()] == [*expected, "open"]
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    notes = [r for r in records if r["record"] == "repair"]
    assert len(notes) == (1 if torn else 0)
    if torn:
        assert notes[0]["cut_bytes"] == cut - (whole[:cut].rfind(b"\n") + 1)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_before_the_last_line_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    home = tmp_path_factory.mktemp("bent") / "j"
    whole = bytearray(_three_lines(home))
    second_end = whole.index(b"\n", whole.index(b"\n") + 1)
    at = data.draw(st.integers(0, second_end))
    whole[at] = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]))
    path = home / "journal.jsonl"
    path.write_bytes(bytes(whole))
    with pytest.raises(JournalError, match=r"damaged: line [1-4] "):
        JournalFile(home).read()
    with pytest.raises(JournalError, match="damaged"):
        JournalFile(home).intent(entry("e3"))
    assert path.read_bytes() == bytes(whole), "a damaged journal is evidence and stays as it is"


def test_a_broken_middle_names_its_line(home: Path) -> None:
    lines = _three_lines(home).splitlines(keepends=True)
    (home / "journal.jsonl").write_bytes(lines[0] + b"garbage\n" + lines[2])
    with pytest.raises(JournalError, match="line 2 is not JSON"):
        JournalFile(home).read()
    (home / "journal.jsonl").write_bytes(lines[0] + lines[2])
    with pytest.raises(JournalError, match="line 2 does not follow"):
        JournalFile(home).read()


def test_a_line_that_lost_its_line_feed_under_a_running_console_is_no_line(home: Path) -> None:
    """What was seen: the next intent was written behind it, in a line that nobody could read again."""
    journal = JournalFile(home)
    journal.intent(entry("e1"))
    journal.intent(entry("e2"))
    os.truncate(home / "journal.jsonl", (home / "journal.jsonl").stat().st_size - 1)
    journal.intent(entry("e3"))
    assert [e.id for e in journal.read()] == ["e1", "e3"]
    assert [e.id for e in JournalFile(home).read()] == ["e1", "e3"]


def test_no_outcome_is_written_into_a_file_that_does_not_hold_its_intent(home: Path) -> None:
    """What was seen: a backup put back while a call was under way; the change was told as written down."""
    journal, file = JournalFile(home), home / "journal.jsonl"
    journal.intent(entry("e1"))
    backup = file.read_bytes()
    journal.intent(entry("e2"))
    file.write_bytes(backup)
    with pytest.raises(JournalError, match="holds no intent e2 any more"):
        journal.attempt("e2", AT, 2, "")
    with pytest.raises(JournalError, match="holds no intent e2 any more"):
        journal.outcome("e2", AT, "applied", "", None)
    assert file.read_bytes() == backup
    journal.outcome("e1", AT, "applied", "", None)
    assert [e.outcome for e in JournalFile(home).read()] == ["applied"]


def test_a_replaced_file_is_read_from_its_beginning(home: Path) -> None:
    journal = JournalFile(home)
    journal.intent(entry("e1"))
    journal.path.rename(home / "old")
    journal.intent(entry("new"))
    assert [e.id for e in journal.read()] == ["new"]


def test_a_file_written_anew_in_place_is_read_from_its_beginning(home: Path) -> None:
    journal, other = JournalFile(home), JournalFile(home.parent / "other")
    for name in ("a", "b"):
        journal.intent(entry(name))
    for name in ("long" * 50, "c", "d"):
        other.intent(entry(name))
    journal.path.write_bytes(other.path.read_bytes())
    assert [e.id for e in journal.read()] == ["long" * 50, "c", "d"]
    journal.path.write_bytes(b"")
    assert journal.read() == ()
    journal.intent(entry("anew"))
    assert [e.id for e in JournalFile(home).read()] == ["anew"]


def test_a_full_disk_is_a_sentence_and_leaves_the_journal_as_it_was(home: Path) -> None:
    journal = JournalFile(home)
    journal.intent(entry("e1"))
    before = journal.path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(JournalError, match="may not grow"):
            journal.intent(entry("e2"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.path.read_bytes() == before
    journal.intent(entry("e3"))
    assert [e.id for e in journal.read()] == ["e1", "e3"]


def test_an_intent_that_fsync_refuses_is_not_left_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = JournalFile(home)
    journal.intent(entry("e1"))

    def refuse(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(secure_files, "sync", refuse)
    with pytest.raises(JournalError, match="the disk reports an error"):
        journal.intent(entry("e2"))
    assert [e.id for e in JournalFile(home).read()] == ["e1"]


def test_a_held_lock_is_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = JournalFile(home)
    journal.intent(entry("e1"))
    monkeypatch.setattr(secure_files, "LOCK_TRIES", 2)
    with journal.path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(LockedOut, match="keeps the journal"):
            journal.intent(entry("e2"))
    journal.intent(entry("e3"))
    assert [e.id for e in journal.read()] == ["e1", "e3"]


def test_readers_do_not_wait_for_each_other_and_a_writer_does(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = JournalFile(home)
    journal.intent(entry("e1"))
    monkeypatch.setattr(secure_files, "LOCK_TRIES", 1)
    with journal.path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert [e.id for e in JournalFile(home).read()] == ["e1"]
        with pytest.raises(LockedOut):
            journal.intent(entry("e2"))


def test_a_failed_read_and_a_failed_write_say_which_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = JournalFile(tmp_path / "file")
    for look in (journal.read, journal.gap, lambda: list(journal.older())):
        with pytest.raises(JournalError, match="cannot be read: a part of the path is not a directory"):
            look()
    with pytest.raises(JournalError, match="cannot be written: "):
        JournalFile(tmp_path / "file" / "below").intent(entry())


def test_a_directory_that_cannot_be_listed_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    JournalFile(home).intent(entry())

    def broken(fd: int) -> list[str]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "listdir", broken)
    with pytest.raises(JournalError, match="cannot be read: the disk reports an error"):
        JournalFile(home).gap()


def test_no_file_is_left_open(home: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    journal = JournalFile(home)
    for name in ("e1", "e2", "e3"):
        journal.intent(entry(name))
        journal.read()
    with pytest.raises(JournalError):
        journal.intent(entry("e1"))
    journal.path.unlink()
    assert journal.read() == ()
    assert len(os.listdir("/dev/fd")) == before


def test_what_json_cannot_say_exactly_is_not_written(home: Path) -> None:
    journal = JournalFile(home)
    journal.intent(entry("e1"))
    before = journal.path.read_bytes()
    for strange in (float("nan"), b"bytes", object()):
        with pytest.raises(JournalError, match="cannot hold"):
            journal.intent(entry("e2", before={"x": strange}))
    assert journal.path.read_bytes() == before


def test_hostile_text_cannot_forge_a_line(home: Path) -> None:
    evil = 'x\n{"record":"outcome","id":"e1","outcome":"applied"}\u2028\ud800\x00'
    journal = JournalFile(home)
    journal.intent(entry("e1", actor=evil))
    (found,) = JournalFile(home).read()
    assert found.outcome == "open"
    assert found.actor == clean_line(evil)
    assert journal.path.read_bytes().count(b"\n") == 1


def test_a_record_of_a_later_version_is_kept_and_skipped(home: Path) -> None:
    from lambdatop.storage.hash_chain import encode

    journal = JournalFile(home)
    journal.intent(entry("e1"))
    with journal.path.open("ab") as file:
        file.write(encode({"record": "note", "text": "from the future"}, journal._chain.last))
    journal.intent(entry("e2"))
    assert [e.id for e in JournalFile(home).read()] == ["e1", "e2"]
