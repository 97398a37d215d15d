"""Nobody but the endpoint hears of us: connections, datagrams, lookups and child processes are counted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes.hostile import HostileStub, running
from fakes.terminal import Terminal, environment

from lambdatop.cli import exit_codes

pytestmark = pytest.mark.wire

WITNESS = """
import json, os, sys

_file = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

def _hook(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        found = args[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        found = args[0]
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        found = str(args[0])
    else:
        return
    if isinstance(found, bytes):
        found = found.decode(errors="replace")
    os.write(_file, (json.dumps([event, found]) + "\\n").encode())

sys.addaudithook(_hook)
"""
"""What Python runs at its start as `sitecustomize`: an audit hook can neither be avoided nor removed."""


@dataclass
class Watched:
    """An environment that watches, and what was seen in it."""

    env: dict[str, str]
    file: Path
    stub: HostileStub
    port: int = field(init=False)

    def __post_init__(self) -> None:
        self.port = int(self.stub.url.rsplit(":", 1)[1])

    def seen(self) -> set[tuple[str, Any]]:
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        return {(event, tuple(what) if isinstance(what, list) else what) for event, what in lines}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "sitecustomize.py").write_text(WITNESS, encoding="utf-8")
    file = tmp_path / "seen"
    file.touch()
    with running(HostileStub()) as stub:
        # No AWS_EC2_METADATA_DISABLED: with keys given nobody may look for others.
        env = environment(
            tmp_path,
            WITNESS=str(file),
            AWS_ACCESS_KEY_ID="AKIATEST",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_REGION="us-east-1",
            LAMBDATOP_ENDPOINT_URL=stub.url,
        )
        env["PYTHONPATH"] = ":".join(filter(None, (str(tmp_path), env.get("PYTHONPATH"))))
        yield Watched(env, file, stub)


def only_the_endpoint(watched: Watched) -> None:
    assert {r.operation for r in watched.stub.received} >= {"GetCallerIdentity", "ListFunctions"}
    assert watched.seen() == {("socket.connect", ("127.0.0.1", watched.port))}


@pytest.mark.parametrize("mode", [["--read-only"], []], ids=["read-only", "operator"])
def test_a_snapshot_connects_to_the_endpoint_and_to_nothing_else(watched: Watched, mode: list[str]) -> None:
    argv = [sys.executable, "-m", "lambdatop", *mode, "snapshot", "--json"]
    done = subprocess.run(argv, env=watched.env, capture_output=True, timeout=60)
    assert done.returncode == exit_codes.DONE, done.stderr
    only_the_endpoint(watched)


def test_the_console_connects_to_the_endpoint_and_to_nothing_else(watched: Watched) -> None:
    with Terminal([sys.executable, "-m", "lambdatop"], watched.env, 120, 30) as term:
        term.wait_for("zq")
        term.press("H")
        term.wait_for("who changed")
        term.press("q")
        term.press("\x1b")
        term.wait_for(lambda screen: "who changed" not in screen)
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE
    only_the_endpoint(watched)


def test_without_the_network_nothing_is_asked_at_all(watched: Watched) -> None:
    for words in (["--help"], ["--version"], ["config", "show"], ["journal"], ["policy", "read-only"]):
        argv = [sys.executable, "-m", "lambdatop", *words]
        assert (
            subprocess.run(argv, env=watched.env, capture_output=True, timeout=60).returncode
            == exit_codes.DONE
        )
    assert watched.seen() == set()
