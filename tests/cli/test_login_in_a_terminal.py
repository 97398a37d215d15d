"""MFA codes and `:login` on a real terminal: a clean line, no code on screen, and the console comes back."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from fakes.sts_stub import KEYS, MFA, SERIAL, SSO, LoginStub, home_with, sso_token
from fakes.terminal import Terminal

CODE, NEXT = "271828", "314159"

pytestmark = pytest.mark.wire


def lambdatop(*argv: str) -> list[str]:
    return [sys.executable, "-m", "lambdatop", *argv]


async def test_a_wrong_code_is_asked_for_again_and_none_is_shown(tmp_path: Path) -> None:
    stub = LoginStub(CODE)
    async with stub:
        env = home_with(tmp_path, MFA, KEYS) | {"AWS_ENDPOINT_URL": stub.url, "AWS_PROFILE": "ops"}

        def play() -> tuple[int, bytes]:
            with Terminal(lambdatop("snapshot", "--wait", "20"), env, 150, 40) as terminal:
                terminal.wait_for(f"MFA code of {SERIAL} for profile ops:")
                terminal.press("12ab\r")
                terminal.wait_for("an MFA code has six digits")
                terminal.press("161803\r")
                terminal.wait_for("did not take the MFA code")
                terminal.wait_for(lambda screen: screen.count("MFA code of") == 3)
                terminal.press(f"{CODE}\r")
                return terminal.wait_for_exit(), bytes(terminal.written)

        code, written = await asyncio.to_thread(play)
        assert code == 0
        assert [c["TokenCode"] for c in stub.calls("AssumeRole")] == ["161803", CODE]
        assert b"161803" not in written
        assert CODE.encode() not in written
        assert {r.access_key for r in stub.received if r.service == "lambda"} == {"ASIAROLE"}


async def test_the_console_asks_before_it_takes_the_terminal_and_login_asks_anew(tmp_path: Path) -> None:
    stub = LoginStub(CODE, NEXT)
    async with stub:
        env = home_with(tmp_path, MFA, KEYS) | {"AWS_ENDPOINT_URL": stub.url, "TERM": "xterm-256color"}

        def play() -> bytes:
            with Terminal(lambdatop("--profile", "ops"), env, 150, 40) as terminal:
                terminal.wait_for("MFA code of")
                assert b"\x1b[?1049h" not in terminal.written
                terminal.press(f"{CODE}\r")
                terminal.wait_for(lambda screen: "123456789012" in screen and "credentials 49" in screen)
                terminal.press(":login\r")
                terminal.wait_for("MFA code of")
                terminal.press(f"{NEXT}\r")
                terminal.wait_for("Connecting with the new MFA code.")
                terminal.wait_for(lambda screen: "credentials 4" in screen and "123456789012" in screen)
                while len(stub.calls("AssumeRole")) < 2:
                    terminal.wait_for("credentials", 1)
                terminal.press("q")
                assert terminal.wait_for_exit() == 0
                return bytes(terminal.written)

        written = await asyncio.to_thread(play)
        assert [c["TokenCode"] for c in stub.calls("AssumeRole")] == [CODE, NEXT]
        assert CODE.encode() not in written
        assert NEXT.encode() not in written


async def test_login_runs_the_aws_cli_and_the_console_goes_on(tmp_path: Path) -> None:
    stub = LoginStub()
    async with stub:
        env = home_with(tmp_path, SSO) | {"AWS_ENDPOINT_URL": stub.url, "TERM": "xterm-256color"}
        file, token = sso_token(env)
        tools = tmp_path / "bin"
        tools.mkdir()
        aws = tools / "aws"
        aws.write_text(
            f"#!/bin/sh\necho \"fake aws: $*\"\nmkdir -p '{file.parent}'\necho '{token}' > '{file}'\n"
        )
        aws.chmod(0o700)
        env["PATH"] = f"{tools}:{env['PATH']}"

        def play() -> None:
            with Terminal(lambdatop("--profile", "corp"), env, 150, 40) as terminal:
                terminal.wait_for("The login session is over or was never started")
                terminal.press("\x0c")
                terminal.wait_for("123456789012")
                assert b"fake aws: sso login --profile corp" in terminal.written
                terminal.press("q")
                assert terminal.wait_for_exit() == 0

        await asyncio.to_thread(play)
        assert set(stub.bearers) == {"bearer"}
