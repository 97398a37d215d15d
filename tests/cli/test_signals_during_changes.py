"""Real processes towards a server that trickles: every signal ends them within a bound, the journal knows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fakes.trickle
import pytest
from fakes.warm_start import Waited

from lambdatop.cli import exit_codes

pytestmark = pytest.mark.wire
LIMIT_S = 40.0
SERVER = Path(fakes.trickle.__file__)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SOON = """
import sys
from lambdatop.cli.terminal import signals
signals.GRACE_S = float(sys.argv.pop(1))
from lambdatop.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The command line with a nearer end of the wait."""


@dataclass
class Server:
    """A trickling server in a process of its own."""

    directory: Path
    url: str

    def asked(self) -> list[str]:
        file = self.directory / "asked"
        return file.read_text().splitlines() if file.exists() else []


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    running: list[subprocess.Popen[bytes]] = []

    def start(mode: str) -> Server:
        directory = tmp_path / "server"
        directory.mkdir()
        running.append(subprocess.Popen([sys.executable, str(SERVER), str(directory), mode]))
        port = directory / "port"
        until(port.exists, "the server did not start")
        return Server(directory, port.read_text())

    yield start
    for process in running:
        process.kill()
        process.wait()


@dataclass
class Command:
    process: Waited
    state: Path

    def entries(self) -> list[dict[str, object]]:
        file = self.state / "journal.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def end(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=LIMIT_S)
        assert self.process.returncode is not None
        return self.process.returncode, err


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG")}
    keep |= {"HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"}
    keep |= {"AWS_EC2_METADATA_DISABLED": "true"}
    running: list[Waited] = []

    def start(server: Server, *words: str, grace_s: float = 30.0) -> Command:
        state = tmp_path / "state"
        argv = [str(grace_s), *words]
        argv += ["--endpoint-url", server.url, "--region", "eu-central-1", "--state-dir", str(state)]
        process = Waited(tuple(argv), keep, code=SOON)
        running.append(process)
        return Command(process, state)

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


MITIGATE = (
    "mitigate",
    "throttle_to_zero",
    "mail",
    "--confirm",
    "mail",
    "--write",
    "--allow-endpoint-changes",
)
Begin = Callable[..., Command]
Serve = Callable[[str], Server]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_change_that_trickles_ends_with_the_grace_as_unknown(
    serve: Serve, begin: Begin, number: signal.Signals
) -> None:
    server = serve("change")
    command = begin(server, *MITIGATE, grace_s=0.3)
    until(lambda: "PutFunctionConcurrency" in server.asked(), "nothing was sent")
    command.process.send_signal(number)
    code, err = command.end()
    assert code == exit_codes.UNKNOWN
    assert "waiting for its outcome, at most" in err
    assert "the outcome is not known" in err
    assert [(e["record"], e.get("outcome")) for e in command.entries()] == [
        ("intent", None),
        ("outcome", "unknown"),
    ]
    assert server.asked().count("PutFunctionConcurrency") == 1


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_the_wait_at_once(serve: Serve, begin: Begin, number: signal.Signals) -> None:
    server = serve("change")
    command = begin(server, *MITIGATE, grace_s=1000.0)
    until(lambda: "PutFunctionConcurrency" in server.asked(), "nothing was sent")
    command.process.send_signal(number)
    end = time.monotonic() + LIMIT_S
    while command.process.poll() is None:  # the one of a pair that comes right behind the first is none
        assert time.monotonic() < end
        time.sleep(0.3)
        command.process.send_signal(number)
    code, _ = command.end()
    assert code == exit_codes.UNKNOWN
    assert command.entries()[-1]["outcome"] == "unknown"


@pytest.mark.parametrize("number", SIGNALS)
def test_before_anything_was_sent_it_ends_at_once_and_nothing_is_sent(
    serve: Serve, begin: Begin, number: signal.Signals
) -> None:
    server = serve("fresh read")
    command = begin(server, *MITIGATE, grace_s=1000.0)
    until(lambda: "GetFunctionConcurrency" in server.asked(), "nothing was read")
    command.process.send_signal(number)
    code, _ = command.end()
    assert code in (exit_codes.INTERRUPTED, -number)
    assert "PutFunctionConcurrency" not in server.asked()
    assert command.entries() == []


READING = (
    ("plan", "throttle_to_zero", "mail"),
    ("snapshot", "--wait", "1000"),
    ("logs", "mail", "--follow"),
    ("doctor",),
    ("undo", "--last", "--write", "--allow-endpoint-changes"),
    ("journal", "--settle", "--write"),
)


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
@pytest.mark.parametrize("number", SIGNALS)
def test_commands_that_read_end_at_once(
    serve: Serve, begin: Begin, words: tuple[str, ...], number: signal.Signals
) -> None:
    server = serve("identity")
    command = begin(server, *words)
    until(lambda: bool(server.asked()), "nothing was asked")
    command.process.send_signal(number)
    code, err = command.end()
    assert code in (exit_codes.INTERRUPTED, -number)
    assert "Traceback" not in err
