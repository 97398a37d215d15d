"""The `aws` command that a plan shows does what the plan does, by the real AWS CLI against a recording stub.

The AWS CLI pins a botocore of its own, so it lives in an environment of its own; `make test` builds it and
names it in LAMBDATOP_AWS_CLI.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import aws_cli_server
from fakes.aws_doubles import REGION
from fakes.nightly import NIGHTLY
from fakes.shown_plans import shown
from fakes.time_limit import PATIENCE_S
from fakes.wire_stub import WireStub

from lambdatop.domain.plans.plan import Call

AWS_CLI = os.environ.get("LAMBDATOP_AWS_CLI", "")
pytestmark = pytest.mark.skipif(not AWS_CLI, reason="LAMBDATOP_AWS_CLI names no AWS CLI; `make test` does")


def _chosen() -> dict[str, tuple[str, Call]]:
    """Return one command for each operation with the same options; at night all."""
    every = shown()
    alike = {
        (call.operation, *(word for word in line.split() if word.startswith("--"))): name
        for name, (line, call) in every.items()
    }
    return {name: every[name] for name in (every if NIGHTLY else alike.values())}


SHOWN = _chosen()


class AwsCli:
    """The real AWS CLI, answering one command after the other."""

    def __init__(self, home: Path) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        self.complaints = (home / "stderr").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [Path(AWS_CLI).with_name("python"), aws_cli_server.__file__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            text=True,
        )

    def run(self, words: list[str]) -> int:
        """Return the exit code of one command."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline() or -1)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(PATIENCE_S)
        self.complaints.close()


@pytest.fixture(scope="module")
def aws_cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsCli]:
    cli = AwsCli(tmp_path_factory.mktemp("home"))
    yield cli
    cli.close()


@pytest.mark.parametrize(("line", "call"), SHOWN.values(), ids=SHOWN)
async def test_the_shown_command_sends_the_planned_call(
    stub: WireStub, aws_cli: AwsCli, line: str, call: Call
) -> None:
    """As a person would paste it, towards the stub."""
    stub.on(call.service, call.operation, {})
    program, *words = shlex.split(line)
    assert program == "aws"
    code = await asyncio.to_thread(aws_cli.run, [*words, "--endpoint-url", stub.url])
    aws_cli.complaints.seek(0)
    assert code == 0, aws_cli.complaints.read()
    (sent,) = stub.received
    assert (sent.service, sent.operation, sent.region) == (call.service, call.operation, REGION)
    assert sent.params == dict(call.params)
