"""Every exit code of the contract from real processes, whatever stdout and stderr are."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

import pytest
from fakes.one_function import THROTTLE, OneFunction, begin, run, run_anew, run_shell
from fakes.wire_account import ONE
from fakes.wire_stub import Hang, WireStub

from lambdatop.cli import exit_codes
from lambdatop.storage.journal_file import JournalFile

pytestmark = pytest.mark.wire


@pytest.fixture
async def aws(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OneFunction]:
    """Yield the stub, to which every command of this test goes."""
    async with WireStub() as stub:
        made = OneFunction(stub)
        for name, value in made.variables.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def full_disk() -> Iterator[IO[bytes]]:
    """Yield a stdout that takes no byte."""
    with Path("/dev/full").open("wb") as full:
        yield full


UNDO = ("undo", "orders-worker", "--confirm", "orders-worker")
NOWHERE = ("--endpoint-url", "http://127.0.0.1:9")
CODES = [
    (("policy", "read-only"), "answers", exit_codes.DONE),
    (("config", "path"), "answers", exit_codes.DONE),
    (("config", "check"), "answers", exit_codes.DONE),
    (("demo", "--list"), "answers", exit_codes.DONE),
    (("journal",), "answers", exit_codes.DONE),
    (("journal", "--settle"), "answers", exit_codes.DONE),
    (("plan", "throttle_to_zero", "orders-worker"), "answers", exit_codes.DONE),
    (("snapshot", "--wait", "60"), "answers", exit_codes.DONE),
    (THROTTLE, "answers", exit_codes.DONE),
    (UNDO, "throttled", exit_codes.DONE),
    (THROTTLE, "refuses", exit_codes.FAILED),
    (("plan", "enable_trigger", ONE), "answers", exit_codes.FAILED),
    (UNDO, "throttled, then 50", exit_codes.FAILED),
    (("snapshot", "--wait", "5", *NOWHERE), "answers", exit_codes.FAILED),
    (("logs", "orders-worker", *NOWHERE), "answers", exit_codes.FAILED),
    (("doctor", *NOWHERE), "answers", exit_codes.FAILED),
    (("plan", "throttle_to_zero", "orders-worker", *NOWHERE), "answers", exit_codes.FAILED),
    (("version",), "answers", exit_codes.DONE),
    (("completion", "bash"), "answers", exit_codes.DONE),
    (("nonsense",), "answers", exit_codes.USAGE),
    (("plan", "nonsense", "orders-worker"), "answers", exit_codes.USAGE),
    (("plan", "throttle_to_zero", "nobody"), "answers", exit_codes.USAGE),
    (("mitigate", "throttle_to_zero", "orders-worker"), "answers", exit_codes.USAGE),
    (("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "x"), "answers", exit_codes.USAGE),
    (("undo",), "answers", exit_codes.USAGE),
    (("undo", "x", "--last"), "answers", exit_codes.USAGE),
    (("undo", "nobody"), "answers", exit_codes.USAGE),
    (("snapshot", "--fail-on", "nonsense"), "answers", exit_codes.USAGE),
    (("logs", "orders-worker", "--since", "nonsense"), "answers", exit_codes.USAGE),
    (("policy", "nonsense"), "answers", exit_codes.USAGE),
    (("config", "check", "--config", "/nowhere"), "answers", exit_codes.USAGE),
    (("demo", "--scenario", "nonsense"), "answers", exit_codes.USAGE),
    ((), "answers", exit_codes.USAGE),
    (("snapshot", "--wait", "60", "--fail-on", "info"), "dead trigger", exit_codes.FAIL_ON_MET),
    ((*THROTTLE, "--read-only"), "answers", exit_codes.READ_ONLY),
    ((*UNDO, "--read-only"), "throttled", exit_codes.READ_ONLY),
    (("journal", "--settle", "--read-only"), "answers", exit_codes.READ_ONLY),
    (THROTTLE, "ignores", exit_codes.UNKNOWN),
    (UNDO, "throttled, then ignores", exit_codes.UNKNOWN),
    (("journal", "--settle"), "accepted", exit_codes.UNKNOWN),
]


async def _set_up(aws: OneFunction, how: str) -> None:
    first, _, then = how.partition(", then ")
    if first == "throttled":
        assert (await run(*THROTTLE)).code == exit_codes.DONE
    elif first == "accepted":
        aws.mode = "ignores"
        assert (await run(*THROTTLE)).code == exit_codes.UNKNOWN
    elif first == "dead trigger":
        mapping = aws.stub._replies[("lambda", "ListEventSourceMappings")][0]
        assert isinstance(mapping, dict)
        mapping["EventSourceMappings"][0]["State"] = "Disabled"
    else:
        aws.mode = first
    if then == "50":
        aws.reserved = 50
    elif then:
        aws.mode = then


@pytest.mark.parametrize(("argv", "how", "code"), CODES)
async def test_each_code_of_the_contract(
    aws: OneFunction, argv: tuple[str, ...], how: str, code: int
) -> None:
    await _set_up(aws, how)
    ran = await run(*argv)
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err


def test_the_table_has_every_code_and_every_command() -> None:
    from lambdatop.cli.parser import COMMANDS

    wanted = {v for name, v in vars(exit_codes).items() if name.isupper() and isinstance(v, int)}
    assert {code for _, _, code in CODES} | {exit_codes.INTERRUPTED} == wanted
    assert {argv[0] for argv, _, _ in CODES if argv} >= set(COMMANDS)


async def test_ctrl_c_is_130(aws: OneFunction) -> None:
    aws.stub.on("sts", "GetCallerIdentity", Hang(aws.reached.set))
    process = await begin("plan", "throttle_to_zero", "orders-worker")
    await asyncio.wait_for(aws.reached.wait(), 60)
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == exit_codes.INTERRUPTED


@pytest.mark.parametrize("closed", [">&-", "1</dev/null"])
@pytest.mark.parametrize(
    "argv", [THROTTLE, ("journal", "--settle"), ("plan", "throttle_to_zero", "orders-worker")]
)
async def test_a_stdout_that_takes_nothing_is_refused_before_anything_is_sent(
    aws: OneFunction, home: Path, argv: tuple[str, ...], closed: str
) -> None:
    ran = await run_shell(f'exec "$@" {closed}', *argv)
    assert ran.code == exit_codes.USAGE
    assert "stdout" in ran.err
    assert "nothing was done" in ran.err
    assert aws.stub.received == []
    assert JournalFile(home / ".local/state/lambdatop").read() == ()


@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_a_change_keeps_its_code_when_only_printing_fails(
    full_disk: IO[bytes], aws: OneFunction, home: Path, form: tuple[str, ...]
) -> None:
    for argv, reserved in ((THROTTLE, 0), (UNDO, 7)):
        ran = await (run if form else run_anew)(*argv, *form, stdout=full_disk)
        assert (ran.code, aws.reserved) == (exit_codes.DONE, reserved), ran.err
        newest = JournalFile(home / ".local/state/lambdatop").read()[-1]
        assert "stdout cannot be written: No space left on device" in ran.err
        assert "applied: Done" in ran.err
        assert f"lambdatop undo {newest.id}" in ran.err


@pytest.mark.parametrize(("mode", "code"), [("refuses", exit_codes.FAILED), ("ignores", exit_codes.UNKNOWN)])
async def test_a_failed_change_keeps_its_code_too(
    full_disk: IO[bytes], aws: OneFunction, mode: str, code: int
) -> None:
    aws.mode = mode
    assert (await run(*THROTTLE, stdout=full_disk)).code == code
    read, write = os.pipe()
    os.close(read)
    ran = await run(*THROTTLE, stdout=write)
    os.close(write)
    assert ran.code == code
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "argv",
    [
        ("snapshot", "--wait", "60"),
        ("plan", "throttle_to_zero", "orders-worker"),
        ("plan", "throttle_to_zero", "orders-worker", "--json"),
        ("journal", "--json"),
        ("policy", "operator"),
        ("config", "show"),
        ("demo", "--list"),
        ("--help",),
    ],
)
async def test_where_printing_is_all_a_full_disk_is_a_failure(
    full_disk: IO[bytes], aws: OneFunction, argv: tuple[str, ...]
) -> None:
    ran = await (run_anew if argv[0] == "policy" else run)(*argv, stdout=full_disk)
    assert ran.code == exit_codes.FAILED
    assert "stdout cannot be written: No space left on device" in ran.err


async def test_what_was_met_or_unknown_stays_so_on_a_full_disk(
    full_disk: IO[bytes], aws: OneFunction
) -> None:
    await _set_up(aws, "dead trigger")
    ran = await run("snapshot", "--wait", "60", "--fail-on", "info", stdout=full_disk)
    assert (ran.code, "stdout cannot be written" in ran.err) == (exit_codes.FAIL_ON_MET, True)
    await _set_up(aws, "accepted")
    ran = await run("journal", "--settle", stdout=full_disk)
    assert (ran.code, "stdout cannot be written" in ran.err) == (exit_codes.UNKNOWN, True)


async def test_a_broken_pipe_hides_no_code(aws: OneFunction) -> None:
    await _set_up(aws, "dead trigger")
    for argv, code in (
        (("snapshot", "--wait", "60", "--fail-on", "info", "--json"), exit_codes.FAIL_ON_MET),
        (("plan", "throttle_to_zero", "orders-worker"), exit_codes.DONE),
        (THROTTLE, exit_codes.DONE),
    ):
        read, write = os.pipe()
        os.close(read)
        ran = await run_anew(*argv, stdout=write)
        os.close(write)
        assert ran.code == code, (argv, ran.err)
        assert "stdout" not in ran.err
    assert aws.reserved == 0


@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&-", "<&- 2>&-"])
async def test_a_stderr_that_takes_nothing_changes_no_code(aws: OneFunction, streams: str) -> None:
    ran = await run_shell(f'exec "$@" {streams}', *THROTTLE, "--json")
    assert (ran.code, json.loads(ran.out)["result"], aws.reserved) == (exit_codes.DONE, "applied", 0)
    assert (await run_shell(f'exec "$@" {streams}', "nonsense")).code == exit_codes.USAGE
    assert (await run_shell(f'exec "$@" {streams}', "undo", "nobody")).code == exit_codes.USAGE


async def test_no_file_of_ours_takes_the_place_of_a_closed_stream(aws: OneFunction, home: Path) -> None:
    ran = await run_shell('exec "$@" <&- 2>&-', *THROTTLE)
    assert ran.code == exit_codes.DONE
    (entry,) = JournalFile(home / ".local/state/lambdatop").read()
    assert entry.outcome == "applied"
