"""The `aws` command that a plan shows does what the plan does, by the real AWS CLI against a recording stub.

The AWS CLI pins a botocore of its own, so it lives in an environment of its own; `make test` builds it and
names it in LAMBDATOP_AWS_CLI.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path

import pytest
from fakes.aws_doubles import REGION
from fakes.shown_plans import shown
from fakes.wire_stub import WireStub

from lambdatop.domain.plan import Call

AWS_CLI = os.environ.get("LAMBDATOP_AWS_CLI", "")
pytestmark = pytest.mark.skipif(not AWS_CLI, reason="LAMBDATOP_AWS_CLI names no AWS CLI; `make test` does")
SHOWN = shown()


async def run(line: str, stub: WireStub, home: Path) -> None:
    """A command as a person would paste it, towards the stub."""
    program, *words = shlex.split(line)
    assert program == "aws"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
    process = await asyncio.create_subprocess_exec(
        AWS_CLI,
        *words,
        "--endpoint-url",
        stub.url,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()


@pytest.mark.parametrize(("line", "call"), SHOWN.values(), ids=SHOWN)
async def test_the_shown_command_sends_the_planned_call(
    stub: WireStub, tmp_path: Path, line: str, call: Call
) -> None:
    stub.on(call.service, call.operation, {})
    await run(line, stub, tmp_path)
    (sent,) = stub.received
    assert (sent.service, sent.operation, sent.region) == (call.service, call.operation, REGION)
    assert sent.params == dict(call.params)
