"""A wire stub with one function whose reservation is 7, for real processes of the command line."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import IO, Any

from fakes.command_line import Ran
from fakes.entries import SCOPE
from fakes.warm_start import Awaited
from fakes.wire_account import answer_snapshots, furnish
from fakes.wire_stub import Fault, Hang, WireStub

ROOT = Path(__file__).resolve().parents[2]
THROTTLE = ("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker")


class OneFunction:
    """The stub, and how changes are answered.

    `mode`: answers, refuses, ignores (success without effect), hangs before or hangs after the effect.
    """

    def __init__(self, stub: WireStub) -> None:
        self.stub = stub
        self.reserved: int | None = 7
        self.mode = "answers"
        self.reached = asyncio.Event()
        furnish(stub)
        answer_snapshots(stub)
        stub.on("sts", "GetCallerIdentity", {"Account": SCOPE.account, "Arn": "arn:aws:iam::1:user/kim"})
        stub.on("lambda", "GetFunctionConfiguration", self._configuration)
        stub.on("lambda", "GetFunctionConcurrency", lambda _: self._answer())
        stub.on("lambda", "PutFunctionConcurrency", self._put)

    def _configuration(self, params: dict[str, Any]) -> Any:
        """Return the configuration by name or by ARN."""
        name = params["FunctionName"].rpartition(":")[2]
        if name != "orders-worker":
            return Fault("ResourceNotFoundException", status=404)
        arn = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:{name}"
        return {"FunctionName": name, "FunctionArn": arn, "Timeout": 7}

    def _answer(self) -> dict[str, Any]:
        return {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}

    def _put(self, params: dict[str, Any]) -> Any:
        if self.mode == "hangs before":
            return Hang(self.reached.set)
        if self.mode == "refuses":
            return Fault("ResourceConflictException", status=409)
        if self.mode == "ignores":
            return params
        self.reserved = params["ReservedConcurrentExecutions"]
        return Hang(self.reached.set) if self.mode == "hangs after" else self._answer()

    @property
    def variables(self) -> dict[str, str]:
        """The environment that points the command line here."""
        keys = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_REGION": SCOPE.region,
        }
        return keys | {"LAMBDATOP_ENDPOINT_URL": self.stub.url, "LAMBDATOP_ALLOW_ENDPOINT_CHANGES": "1"}

    @property
    def changes(self) -> int:
        """How many changes were sent."""
        return len(self.stub.calls("PutFunctionConcurrency"))


async def begin(*argv: str, stdout: int | IO[Any] | None = None) -> Awaited:
    """Start the real command line; its environment is this process's."""
    number = stdout if stdout is None or isinstance(stdout, int) else stdout.fileno()
    return await Awaited(argv, stdout=number).reading()


async def run(*argv: str, stdout: int | IO[Any] | None = None) -> Ran:
    """Run the real command line to its end."""
    process = await begin(*argv, stdout=stdout)
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


async def run_anew(*argv: str, stdout: int | IO[Any] = asyncio.subprocess.PIPE) -> Ran:
    """Run it in an interpreter that starts with it."""
    return await _interpreted(sys.executable, "-m", "lambdatop", *argv, stdout=stdout)


async def run_shell(line: str, *argv: str) -> Ran:
    """Run `line` in a shell, where `"$@"` is the command: for redirections that only a shell can make."""
    return await _interpreted("/bin/sh", "-c", line, "sh", sys.executable, "-m", "lambdatop", *argv)


async def _interpreted(*argv: str, stdout: int | IO[Any] = asyncio.subprocess.PIPE) -> Ran:
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode is not None
    return Ran(process.returncode, (out or b"").decode(), err.decode())
