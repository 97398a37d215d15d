"""kill -9 of the real command between intent and outcome, and what the next command says of it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.command_line import Cli
from fakes.entries import entry
from fakes.one_function import THROTTLE, OneFunction, begin
from fakes.warm_start import Awaited
from fakes.wire_account import ONE
from fakes.wire_stub import WireStub

from lambdatop.cli import exit_codes
from lambdatop.storage.journal_file import JournalFile

pytestmark = pytest.mark.wire


@pytest.fixture
async def aws() -> AsyncIterator[OneFunction]:
    async with WireStub() as stub:
        yield OneFunction(stub)


@pytest.fixture
def pointed(aws: OneFunction, home: Path, monkeypatch: pytest.MonkeyPatch) -> OneFunction:
    """Send every command of this test to the stub."""
    for name, value in aws.variables.items():
        monkeypatch.setenv(name, value)
    return aws


async def throttling(aws: OneFunction) -> Awaited:
    """Start a real process whose call has reached AWS and is not answered."""
    process = await begin(*THROTTLE)
    await asyncio.wait_for(aws.reached.wait(), 60)
    return process


@pytest.mark.parametrize(
    ("mode", "somebody", "detail", "outcome"),
    [
        ("hangs after", None, "applied (found)", "applied"),
        ("hangs after", 50, "changed by somebody", "unknown"),
    ],
)
async def test_the_next_command_says_what_became_of_it(
    pointed: OneFunction, cli: Cli, mode: str, somebody: int | None, detail: str, outcome: str
) -> None:
    pointed.mode = mode
    victim = await throttling(pointed)
    victim.kill()
    await victim.communicate()
    pointed.reserved = pointed.reserved if somebody is None else somebody
    settled = await asyncio.to_thread(cli, "journal", "--settle", "--json")
    assert settled.code == exit_codes.DONE, settled.err
    assert f"(throttle_to_zero orders-worker): {detail}" in settled.err
    (found,) = json.loads(settled.out)["entries"]
    assert found["outcome"] == outcome
    assert len(pointed.stub.calls("PutFunctionConcurrency")) == 1, "settling only reads"


async def test_a_foreign_endpoint_is_not_asked_what_became_of_it(
    pointed: OneFunction, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointed.mode = "hangs after"
    victim = await throttling(pointed)
    victim.kill()
    await victim.communicate()
    monkeypatch.delenv("LAMBDATOP_ALLOW_ENDPOINT_CHANGES")
    settled = await asyncio.to_thread(cli, "journal", "--settle")
    assert settled.code == exit_codes.USAGE
    assert "not AWS's own" in settled.err
    assert '"outcome": "open"' in cli("journal", "--json").out


def test_an_open_entry_says_how_to_find_out(cli: Cli, home: Path) -> None:
    journal = JournalFile(home / ".local/state/lambdatop")
    journal.intent(entry())
    for ran in (cli("journal", "--open"), cli("journal")):
        assert ran.code == exit_codes.DONE
        assert "journal --settle`, connected to 111122223333/eu-central-1, reads" in ran.err
    assert cli("journal", "--settle", "--read-only").code == exit_codes.READ_ONLY
    assert [e.outcome for e in journal.read()] == ["open"]
    journal.outcome("e1", 1.0, "applied", "", None)
    assert cli("journal").err == ""


async def test_what_cannot_be_settled_yet_is_not_passed_over_in_silence(
    pointed: OneFunction, cli: Cli
) -> None:
    pointed.mode = "hangs before"
    neighbour = await throttling(pointed)
    ran = await asyncio.to_thread(cli, "journal", "--settle", "--open")
    assert ran.code == exit_codes.UNKNOWN
    assert "throttle_to_zero" in ran.out
    assert "is still open: its process may be at work" in ran.err
    ran = await asyncio.to_thread(cli, "mitigate", "disable_trigger", ONE)
    assert "is still open: its process may be at work" in ran.err
    neighbour.kill()
    await neighbour.communicate()
    ran = await asyncio.to_thread(cli, "journal", "--settle", "--open")
    assert ran.code == exit_codes.UNKNOWN, "the request may outlive its process"
    assert "may still arrive" in ran.err


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_a_call_on_its_way_outlives_the_line_and_the_terminal(
    pointed: OneFunction, number: signal.Signals
) -> None:
    pointed.mode = "hangs after"
    process = await throttling(pointed)
    process.send_signal(number)
    assert b"waiting for its outcome" in await asyncio.wait_for(process.stderr.readline(), 60)
    pointed.stub._release.set()  # an answer of 503; the state read back shows what became of it
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == exit_codes.DONE
    assert out.startswith(b"applied:")
