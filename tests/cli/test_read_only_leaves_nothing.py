"""Read-only on the command line: no file beside the log, no code that changes, and exit code 4."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fakes.command_line import Cli
from fakes.entries import entry
from fakes.terminal import Terminal
from fakes.wire_account import answer_snapshots, furnish
from fakes.wire_stub import WireStub

from lambdatop.cli import exit_codes
from lambdatop.storage.journal_file import JournalFile

pytestmark = pytest.mark.wire

ACCOUNT = "111122223333"
CHANGES = ("lambdatop.aws.mutation.mutator", "lambdatop.aws.mutation.lease", "lambdatop.aws.mutation.drain")


@pytest.fixture
async def stub(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WireStub]:
    """Yield a stub to which every command of this test goes."""
    async with WireStub() as running:
        furnish(running)
        answer_snapshots(running)
        running.on(
            "sts", "GetCallerIdentity", {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/kim"}
        )
        keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}
        there = {"LAMBDATOP_ENDPOINT_URL": running.url, "LAMBDATOP_ALLOW_ENDPOINT_CHANGES": "1"}
        for name, value in (keys | there).items():
            monkeypatch.setenv(name, value)
        yield running


async def _modules_after(*argv: str) -> tuple[int, set[str]]:
    """Exit code of a command in a process of its own, and the modules that it had loaded at its end."""
    code = (
        "import sys, lambdatop.cli as c; code = c.main(sys.argv[1:]);"
        "print('\\n@@' + ' '.join(sys.modules)); raise SystemExit(code)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, set(out.decode().rpartition("@@")[2].split())


def _files(home: Path) -> dict[str, bytes]:
    """Return every file below the home directory but the log's, with its bytes."""
    found = (Path(place) / name for place, _, names in os.walk(home) for name in names)
    return {str(f.relative_to(home)): f.read_bytes() for f in found if "log" not in f.name}


@pytest.mark.parametrize("argv", [("snapshot", "--wait", "60"), ("journal",)], ids=lambda a: a[0])
async def test_nothing_is_written_and_nothing_that_changes_is_loaded(
    argv: tuple[str, ...], stub: WireStub, home: Path
) -> None:
    JournalFile(home / ".local/state/lambdatop").intent(entry())
    before = _files(home)
    assert before
    code, modules = await _modules_after("--read-only", *argv)
    assert code == exit_codes.DONE
    assert "lambdatop.storage.journal_file" in modules
    assert modules.isdisjoint(CHANGES)
    assert _files(home) == before


async def test_without_a_state_directory_none_is_made_but_for_the_log(stub: WireStub, home: Path) -> None:
    await _modules_after("--read-only", "snapshot", "--wait", "60")
    assert _files(home) == {}


@pytest.mark.parametrize(
    "argv",
    [
        ("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker"),
        ("undo", "--last", "--confirm", "x"),
        ("journal", "--settle"),
    ],
    ids=lambda a: a[0],
)
async def test_an_account_held_to_read_only_is_exit_4_and_changes_nothing(
    argv: tuple[str, ...], stub: WireStub, home: Path, cli: Cli, config: Callable[[str], Path]
) -> None:
    file = config(f"accounts:\n  '{ACCOUNT}':\n    read_only: true\n")
    JournalFile(home / ".local/state/lambdatop").intent(entry())
    before = _files(home)
    ran = await asyncio.to_thread(cli, *argv)
    assert ran.code == exit_codes.READ_ONLY, ran.err
    assert f"read-only mode ({file}:3 (account {ACCOUNT}))" in ran.err
    assert "--write" in ran.err
    assert [r.operation for r in stub.received] == ["GetCallerIdentity"]
    assert _files(home) == before


async def test_a_snapshot_of_such_an_account_says_read_only(
    stub: WireStub, cli: Cli, config: Callable[[str], Path]
) -> None:
    config(f"accounts:\n  '{ACCOUNT}':\n    read_only: true\n")
    ran = await asyncio.to_thread(cli, "snapshot", "--json", "--wait", "60")
    assert json.loads(ran.out)["mode"] == "read-only"


def test_config_show_knows_accounts_and_the_session_policy(cli: Cli, config: Callable[[str], Path]) -> None:
    file = config(f"session_policy: read-only\naccounts:\n  '{ACCOUNT}':\n    read_only: true\n")
    shown = json.loads(cli("config", "show", "--json").out)
    assert shown["session_policy"] == {"value": "read-only", "origin": f"{file}:1"}
    assert shown["read_only"] == {"value": True, "origin": f"session_policy, {file}:1"}
    assert shown[f"accounts.{ACCOUNT}.read_only"]["value"] is True
    assert f"accounts.{ACCOUNT}.read_only" in cli("config", "show").out
    assert cli("config", "check").code == exit_codes.DONE


async def test_the_console_writes_nothing_either(stub: WireStub, home: Path) -> None:
    JournalFile(home / ".local/state/lambdatop").intent(entry())
    before = _files(home)
    variables = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}

    def look() -> str:
        argv = [sys.executable, "-m", "lambdatop", "--read-only"]
        with Terminal(argv, variables | {"TERM": "xterm-256color"}, 120, 30) as term:
            shown = term.wait_for(lambda s: "orders-worker" in s and "READ-ONLY" in s)
            term.press("q")
            assert term.wait_for_exit() == exit_codes.DONE
            return shown

    assert "--read-only  READ-ONLY" in await asyncio.to_thread(look)
    assert _files(home) == before
