"""No key of an answer that broke off reaches stderr, stdout or the log, not even with --debug."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from fakes.sts_stub import KEYS, ROLE, LoginStub, home_with
from fakes.wire_stub import Body

SECRET, TOKEN = "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzz", "IQoJb3JpZ2luX2VjEJrTokenTokenToken"
XML = (
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>"
    f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{TOKEN}"
)
ODD = f"<AssumeRoleResponse><AssumeRoleResult><Strange one='{SECRET}'>{TOKEN}</Other></AssumeRoleResponse>"
PROFILE = f"[profile ops]\nrole_arn = {ROLE}\nsource_profile = base\n"


def logs(directory: Path) -> str:
    return "".join(file.read_text() for file in directory.rglob("lambdatop.log*"))


@pytest.mark.parametrize(
    ("command", "answer"),
    [("snapshot", XML), ("snapshot --debug", ODD), ("doctor --debug", XML), ("plan throttle_to_zero f", ODD)],
)
async def test_nothing_is_quoted(tmp_path: Path, command: str, answer: str) -> None:
    async with LoginStub() as stub:
        stub.on("sts", "AssumeRole", Body(answer.encode(), "text/xml"))
        env = home_with(tmp_path, PROFILE, KEYS) | {"AWS_ENDPOINT_URL": stub.url, "NO_PROXY": "127.0.0.1"}
        words = [sys.executable, "-m", "lambdatop", "--profile", "ops", *command.split()]
        child = await asyncio.create_subprocess_exec(
            *words,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told = b"".join(await child.communicate()).decode()
    assert child.returncode == 1
    assert "could not be understood (ResponseParserError)" in told
    for secret in (SECRET, TOKEN):
        assert secret not in told + logs(tmp_path)
