"""Servers that other people wrote, each as a process of its own on a loopback port of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

ACCOUNT = "123456789012"
REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x" * 40}
"""The emulator takes a key of twelve digits for the account; moto takes any key."""
ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
ENDS_S = 10.0


class Server(NamedTuple):
    """A server that answers; `client` makes a boto3 client for it."""

    name: str
    url: str

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client, which sends each request once."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                retries={"total_max_attempts": 1},
                inject_host_prefix=False,
                read_timeout=30,
                proxies={},
            ),
        )


@contextmanager
def moto(python: str) -> Iterator[Server]:
    """Run moto's server with the Python of the environment that holds it."""
    port = _free_port()
    # Functions are not run: that would need Docker. What they would return is moto's own word.
    words = [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environ = {"MOTO_ACCOUNT_ID": ACCOUNT, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    with _running("moto", words, environ, port) as server:
        _post(f"{server.url}/moto-api/config", b'{"lambda": {"use_docker": false}}')
        yield server


@contextmanager
def plain() -> Iterator[Server]:
    """Run the emulator of the development extras as its authors made it, without what the demo mends."""
    port = _free_port()
    environ = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "ERROR",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }
    python = os.environ.get("LAMBDATOP_DEMO_PYTHON") or sys.executable
    with _running("plain emulator", [python, "-m", "ministack"], environ, port) as server:
        yield server


@contextmanager
def _running(name: str, words: Sequence[str], more: Mapping[str, str], port: int) -> Iterator[Server]:
    """Start it, wait until it answers, and end it with its children."""
    keep = {k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "TZ") if k in os.environ}
    with tempfile.TemporaryDirectory(prefix="lambdatop-foreign-") as directory:
        log = Path(directory) / "server.log"
        home = {"HOME": directory, "TMPDIR": directory, "AWS_EC2_METADATA_DISABLED": "true"}
        with log.open("wb") as to:
            process = subprocess.Popen(
                list(words),
                stdin=subprocess.DEVNULL,
                stdout=to,
                stderr=to,
                cwd=directory,
                env={**keep, **home, **KEYS, **more},
                start_new_session=True,
            )
        _STARTED.append(process)
        try:
            server = Server(name, f"http://127.0.0.1:{port}")
            _await(server, process, log)
            yield server
        finally:
            _end(process)
            _STARTED.remove(process)


_STARTED: list[subprocess.Popen[bytes]] = []


def end_on_signals() -> None:
    """End every server, and this process, when a signal asks for it: threads that wait would not."""

    def end(number: int, frame: object) -> None:
        for process in _STARTED:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def _await(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _post(server.url + "/", None)
            return
        except urllib.error.HTTPError:
            return  # whatever it says, it answers
        except OSError:
            time.sleep(0.1)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"{server.name} did not start:\n{tail}")


def _post(url: str, body: bytes | None) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with opener.open(request, timeout=5) as answer:
        answer.read()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the group that was started here, and nothing else."""
    for send in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, send)
        except ProcessLookupError:
            break
        try:
            process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
