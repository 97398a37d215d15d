"""`lambdatop journal` and `undo` where older entries are in archives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.command_line import Cli
from fakes.entries import AT, SCOPE, entry

from lambdatop.cli import exit_codes
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations import retention
from lambdatop.storage import archives
from lambdatop.storage.journal_file import JournalFile


@pytest.fixture
def state(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write forty changes and one open intent, which is the oldest."""
    monkeypatch.setattr(archives, "ROTATE_BYTES", 6_000)
    monkeypatch.setattr(retention, "RECENT", 2)
    monkeypatch.setattr(retention, "MOST", 3)
    monkeypatch.setattr("lambdatop.cli.commands.journal.RECENT", 2)
    directory = home / ".local/state/lambdatop"
    journal = JournalFile(directory)
    journal.intent(entry("open", target=Key(SCOPE, "function", "o")))
    for i in range(40):
        journal.intent(entry(f"e{i:03d}", target=Key(SCOPE, "function", f"f{i % 3}")))
        journal.outcome(f"e{i:03d}", AT, "applied", "", None)
    return directory


WHOLE = ["open", *(f"e{i:03d}" for i in range(40))]


def ids(out: str) -> list[str]:
    return [e["id"] for e in json.loads(out)["entries"]]


def test_all_is_shown_in_its_order(cli: Cli, state: Path) -> None:
    ran = cli("journal", "--json")
    assert (ran.code, ids(ran.out), json.loads(ran.out)["missing"]) == (exit_codes.DONE, WHOLE, None)
    assert all(name in cli("journal").out for name in WHOLE)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20, 40, 41, 1000])
def test_only_the_newest_are_shown_where_a_limit_is_given(cli: Cli, state: Path, count: int) -> None:
    ran = cli("journal", "--json", "--last", str(count))
    assert (ran.code, ids(ran.out)) == (exit_codes.DONE, WHOLE[-count:])


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5", "²", "9" * 5000])
def test_another_limit_is_refused(cli: Cli, state: Path, count: str) -> None:
    ran = cli("journal", "--last", count)
    assert ran.code == exit_codes.USAGE
    assert "use 1 or more" in ran.err or "expected one argument" in ran.err


def test_few_need_no_archive(cli: Cli, state: Path) -> None:
    for path in state.glob("journal.0*"):
        path.write_bytes(b"not read\n")
    assert ids(cli("journal", "--json", "--last", "2").out) == WHOLE[-2:]
    assert ids(cli("journal", "--json", "--open").out) == ["open"]


@pytest.mark.parametrize("how", ["--json", "--open", "--last"])
def test_a_missing_archive_is_said_and_the_rest_shown(cli: Cli, state: Path, how: str) -> None:
    (state / "journal.000001.jsonl").unlink()
    ran = cli("journal", "--json", *([how, "30"] if how == "--last" else [how] if how != "--json" else []))
    assert ran.code == exit_codes.FAILED
    assert "journal.000001.jsonl is missing" in ran.err
    assert "journal.000001.jsonl is missing" in json.loads(ran.out)["missing"]
    assert "e039" in ids(ran.out) or how == "--open"


def test_a_changed_archive_is_said(cli: Cli, state: Path) -> None:
    path = state / "journal.000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"kim", b"tim", 1))
    ran = cli("journal", "--json")
    assert (ran.code, "is damaged" in ran.err) == (exit_codes.FAILED, True)
    assert ids(ran.out)[-1] == "e039"


def test_a_journal_that_was_moved_away_is_said(cli: Cli, state: Path) -> None:
    (state / "journal.jsonl").unlink()
    ran = cli("journal")
    assert (ran.code, ran.out) == (exit_codes.FAILED, "")
    assert "was moved away" in ran.err
