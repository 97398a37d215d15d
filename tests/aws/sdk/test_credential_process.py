"""A credential_process is waited for with a word and a bound, blamed by name, and never outlives us."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dateutil.parser
import pytest
from fakes.sts_stub import LoginStub, home_with

from lambdatop.aws.sdk import credential_process
from lambdatop.aws.sdk.credential_process import starter
from lambdatop.domain.errors import CredentialsError

pytestmark = pytest.mark.sdk

SECRET = "wJalrXUtnFEMIK7MDENG"
HANG = "echo $$ > {pid}; sleep 1000 & echo $! >> {pid}; wait"


async def output(directory: Path, script: str, say: Callable[[str], None] = lambda sentence: None) -> bytes:
    file = directory / "give"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    child = await starter("ops", say)(str(file), "an arg", stdout=asyncio.subprocess.PIPE, stderr=-1)
    out, err = await child.communicate()
    return bytes(out + err + f" {child.returncode}".encode())


async def gone(pids: Path) -> bool:
    """Return whether all processes of the file end within seconds."""
    return await asyncio.to_thread(lambda: all(_ended(int(pid)) for pid in pids.read_text().split()))


def _ended(pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10.0)[0])
    finally:
        os.close(handle)


KEYS = {"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": SECRET}
LONG = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12"


async def test_its_answer_and_its_arguments_come_through(tmp_path: Path) -> None:
    printed = json.dumps(KEYS | {"AccessKeyId": "an-arg"})
    script = f"printf '%s' '{printed}' | sed \"s/an-arg/$(echo $1 | tr -d ' ')/\"; echo said >&2"
    assert await output(tmp_path, script) == json.dumps(KEYS | {"AccessKeyId": "anarg"}).encode() + b" 0"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("the session is over", "(the session is over)"),
        (f"AWS_SECRET_ACCESS_KEY={LONG}", "(AWS_SECRET_ACCESS_KEY=•••)"),
        (f"got {LONG} for you", "(got ••• for you)"),
        (f"set aws_secret_access_key {SECRET}", "(set aws_secret_access_key •••)"),
        (f"run --password {SECRET} x", "(run --password ••• x)"),
        (json.dumps(KEYS), "•••"),
        ("", "with code 7: "),
    ],
)
async def test_a_failure_is_blamed_on_it_in_its_own_words_without_keys(
    tmp_path: Path, said: str, shown: str
) -> None:
    (tmp_path / "said").write_text(said)
    with pytest.raises(CredentialsError, match="profile 'ops' ended with code 7") as failed:
        await output(tmp_path, f"cat {tmp_path / 'said'} >&2; exit 7")
    assert shown in str(failed.value)
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize(
    ("changed", "blamed"),
    [
        ({"Version": SECRET}, "Version is not 1"),
        ({"Version": [SECRET]}, "Version is not 1"),
        ({"Version": None}, "Version is not 1"),
        ({"SecretAccessKey": None}, "usable SecretAccessKey"),
        ({"SecretAccessKey": [SECRET]}, "usable SecretAccessKey"),
        ({"SecretAccessKey": 5}, "usable SecretAccessKey"),
        ({"AccessKeyId": ""}, "usable AccessKeyId"),
        ({"AccessKeyId": f"{SECRET}\n"}, "usable AccessKeyId"),
        ({"SessionToken": f"{SECRET}\nX-Other: 1"}, "usable SessionToken"),
        ({"SessionToken": f"{SECRET}\u20ac"}, "usable SessionToken"),
        ({"SessionToken": {}}, "usable SessionToken"),
        ({"Expiration": SECRET}, "usable Expiration"),
        ({"Expiration": 5}, "usable Expiration"),
        ({"Expiration": "2030-01-01T00:00:00"}, "usable Expiration"),
        ({"Expiration": "99999999999999999999-01-01T00:00:00Z"}, "usable Expiration"),
    ],
)
async def test_what_are_no_credentials_is_blamed_on_it_and_not_quoted(
    tmp_path: Path, changed: dict[str, Any], blamed: str
) -> None:
    (tmp_path / "printed").write_text(json.dumps(KEYS | changed))
    with pytest.raises(CredentialsError, match=f"profile 'ops' printed JSON .*{blamed}: run it") as failed:
        await output(tmp_path, f"cat {tmp_path / 'printed'}")
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
async def test_another_encoding_is_blamed_on_it_too(tmp_path: Path, coding: str) -> None:
    (tmp_path / "printed").write_bytes(json.dumps(KEYS).encode(coding))
    with pytest.raises(CredentialsError, match="profile 'ops' printed something that is not JSON"):
        await output(tmp_path, f"cat {tmp_path / 'printed'}")


@pytest.mark.parametrize(
    "ends", [None, "2030-01-01T00:00:00Z", "2030-01-01T00:00:00+02:00", "2030-01-01 00:00 UTC"]
)
async def test_every_form_of_time_that_the_sdk_takes_is_taken(tmp_path: Path, ends: str | None) -> None:
    (tmp_path / "printed").write_text(json.dumps(KEYS | {"Expiration": ends, "SessionToken": None}))
    assert (await output(tmp_path, f"cat {tmp_path / 'printed'}")).endswith(b" 0")


async def test_a_long_text_for_a_time_is_not_read_by_a_parser_that_takes_seconds_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    monkeypatch.setattr(dateutil.parser, "parse", read.append)
    (tmp_path / "printed").write_text(json.dumps(KEYS | {"Expiration": "1 " * 1000}))
    with pytest.raises(CredentialsError, match="usable Expiration"):
        await output(tmp_path, f"cat {tmp_path / 'printed'}")
    assert read == []


async def test_it_is_said_after_some_seconds_and_ended_after_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_process, "WORD_S", 0.05)
    monkeypatch.setattr(credential_process, "BOUND_S", 0.5)
    said: list[str] = []
    pids = tmp_path / "pids"
    with pytest.raises(CredentialsError, match=r"profile 'ops' gave no answer within 0\.5 s and was ended"):
        await output(tmp_path, HANG.format(pid=pids), said.append)
    assert said == ["The credential_process of profile 'ops' has not answered yet; waiting …"]
    assert await gone(pids)


async def test_it_ends_with_a_cancelled_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = tmp_path / "pids"
    heard = asyncio.Event()
    monkeypatch.setattr(credential_process, "WORD_S", 0.2)
    waiting = asyncio.ensure_future(output(tmp_path, HANG.format(pid=pids), lambda sentence: heard.set()))
    await heard.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await gone(pids)


@pytest.mark.parametrize(
    "printed", [f"AccessKey {SECRET}", "", f'"{SECRET}"', "[1]", f'{{"SecretAccessKey":"{SECRET}']
)
async def test_what_is_not_json_is_blamed_and_not_quoted(tmp_path: Path, printed: str) -> None:
    with pytest.raises(CredentialsError, match="profile 'ops' printed something that is not JSON") as failed:
        await output(tmp_path, f"printf '%s' '{printed}'")
    assert SECRET not in str(failed.value)


async def test_what_prints_for_ever_and_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="printed more than 1048576 bytes"):
        await output(
            tmp_path,
            "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
        )
    with pytest.raises(CredentialsError, match="cannot be started: there is no program '/no/such'"):
        await starter("ops", print)("/no/such", stdout=-1, stderr=-1)


async def test_what_nobody_reads_any_more_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen: the pipe was full when it was ended, and its end was waited for without limit."""
    monkeypatch.setattr(credential_process, "OUTPUT_MAX", 0)
    read = asyncio.StreamReader.read

    async def when_full(stream: asyncio.StreamReader, n: int = -1) -> bytes:
        while not stream._paused and not stream.at_eof():  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0)
        return await read(stream, min(n, 1))

    with monkeypatch.context() as patched:
        patched.setattr(asyncio.StreamReader, "read", when_full)
        given_up = asyncio.create_task(output(tmp_path, "exec yes"))
        with pytest.raises(CredentialsError, match="printed more than 0 bytes"):
            await given_up


@pytest.mark.parametrize(
    ("number", "command"),
    [(signal.SIGTERM, "snapshot"), (signal.SIGHUP, "plan throttle_to_zero f"), (signal.SIGINT, "snapshot")],
)
async def test_no_signal_to_us_leaves_it_behind(tmp_path: Path, number: int, command: str) -> None:
    script, pids = tmp_path / "hang", tmp_path / "pids"
    script.write_text(f"#!/bin/sh\n{HANG.format(pid=pids)}\n")
    script.chmod(0o700)
    async with LoginStub() as stub:
        env = home_with(tmp_path, f"[default]\ncredential_process = {script}\n")
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lambdatop", *command.split()),
            env=env | {"AWS_ENDPOINT_URL": stub.url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert child.stderr is not None
        assert b"'default' has not answered yet" in await child.stderr.readline()
        os.kill(child.pid, number)
        await child.communicate()
    assert await gone(pids)
