"""Starting and ending the demo, from the console's side. Imports neither the emulator nor an SDK."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import shutil
import site
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from lambdatop.demo.process.access import TOKEN_HEADER
from lambdatop.demo.scenarios import EMPTY, SCENARIOS

ACCOUNT = "123456789012"
REGION = "us-east-1"
# ministack takes a twelve-digit key for the account.
ACCESS_KEY = ACCOUNT
SECRET_KEY = "lambdatop-demo"
# Within the demo's directory, for the user's other AWS clients.
CREDENTIALS = "credentials"

PYTHON_VARIABLE = "LAMBDATOP_DEMO_PYTHON"
COMPRESSION_VARIABLE = "LAMBDATOP_DEMO_COMPRESSION"

# All that the demo's processes see of the user's environment: no AWS_*, no proxy, no home directory.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_OWNERS_UNKNOWN = (
    "This system does not tell who opens a connection: other users are kept out of the emulator by the "
    "secret of this run alone."
)
_MINUTE_S = 60.0
_ENDING_S = 10.0
_CALL_S = 10.0


class DemoUnavailable(RuntimeError):
    """The demo cannot start here: the emulator is not installed, or it failed. The message says which."""


@dataclass(frozen=True)
class Demo:
    """A running demo. End it with ``stop``; it also ends when this process does, however that happens.

    ``pid`` is the supervisor, the root of the demo's process tree; ``directory`` holds all of its files.
    """

    endpoint_url: str
    region: str
    account: str
    access_key: str
    secret_key: str = field(repr=False)
    # The secret of this run: the emulator serves nobody without it.
    session_token: str = field(repr=False)
    pid: int
    scenario: str
    compression: int
    notices: tuple[str, ...]
    directory: str
    _process: subprocess.Popen[bytes] = field(repr=False, compare=False)

    def stop(self) -> None:
        """End every process of the demo and remove its files. Stopping twice is harmless."""
        _end(self._process)
        # The supervisor has done this, unless somebody killed it.
        shutil.rmtree(self.directory, ignore_errors=True)

    def reset(self) -> None:
        """Make the emulator forget every resource, and the ledger everything it counted."""
        self._request("/_ministack/reset", b"")

    def ledger(self) -> dict[str, Any]:
        """Return what really happened: executions by function, counters by queue and stream."""
        answer: dict[str, Any] = json.loads(self._request("/_lambdatop/ledger", None))
        return answer

    def _request(self, path: str, body: bytes | None) -> bytes:
        request = urllib.request.Request(self.endpoint_url + path, body, {TOKEN_HEADER: self.session_token})
        # Without the default opener: the user's proxy has no business on the loopback interface.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_CALL_S) as response:
            answer: bytes = response.read()
        return answer

    def __enter__(self) -> Self:
        """Use the demo as a context manager."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop at the end of the context."""
        self.stop()


def start(
    scenario: str = "poison-queue",
    *,
    deploy: bool = True,
    timeout_s: float = 20,
    compression: int | None = None,
    async_retry_s: float | None = None,
    auth: bool = False,
) -> Demo:
    """Start the emulator with a scenario; return when the endpoint answers and the functions exist.

    Args:
        scenario: A name from ``SCENARIOS``; ignored without ``deploy``.
        deploy: False gives the bare repaired emulator: no functions, no traffic, no compression.
        timeout_s: How long the start may take, in seconds.
        compression: How many times faster the demo's minutes pass; by default the scenario's, or
            LAMBDATOP_DEMO_COMPRESSION.
        async_retry_s: Real seconds before the first retry of an asynchronous event; by default one
            compressed minute, or one second without ``deploy``.
        auth: Let the emulator verify signatures and evaluate IAM policies; only without ``deploy``.

    Raises:
        DemoUnavailable: ministack is not installed, or the server failed or took too long.
        ValueError: The scenario is unknown, the compression is not a whole number of at least 1, or ``auth``
            was combined with ``deploy``.
    """
    if deploy and scenario not in SCENARIOS:
        raise ValueError(f"unknown scenario {scenario!r}; known are {', '.join(SCENARIOS)}")
    if deploy and auth:
        raise ValueError("auth needs signed calls; the demo's own deployment is not signed")
    chosen = SCENARIOS[scenario] if deploy else EMPTY
    times = compression or (_wished_compression() if deploy else None) or chosen.compression
    retry_s = async_retry_s if async_retry_s is not None else (_MINUTE_S / times if deploy else 1.0)
    options = ["--scenario", chosen.name, "--account", ACCOUNT, "--region", REGION]
    options += ["--compression", str(times), "--async-retry-s", str(retry_s), *(["--auth"] if auth else [])]
    process = _spawn(options)
    try:
        answers = _await_ready(process, time.monotonic() + timeout_s)
    except BaseException:
        _end(process)
        raise
    return Demo(
        endpoint_url=f"http://127.0.0.1:{answers['port']}",
        region=REGION,
        account=ACCOUNT,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        session_token=answers["token"],
        pid=process.pid,
        scenario=chosen.name,
        compression=times,
        notices=(*chosen.notices_at(times), *([] if answers["tells_owners"] else [_OWNERS_UNKNOWN])),
        directory=answers["directory"],
        _process=process,
    )


def compression_of(scenario: str) -> int:
    """Return how many times faster a scenario's published minutes pass, by its own or the user's wish.

    Raises:
        ValueError: LAMBDATOP_DEMO_COMPRESSION is not a whole number of at least 1.
        KeyError: The scenario is unknown.
    """
    return _wished_compression() or SCENARIOS[scenario].compression


def _wished_compression() -> int | None:
    wish = os.environ.get(COMPRESSION_VARIABLE)
    if not wish:
        return None
    if not wish.isdecimal() or int(wish) < 1:
        raise ValueError(f"{COMPRESSION_VARIABLE} must be a whole number of at least 1, not {wish!r}")
    return int(wish)


def _spawn(options: list[str]) -> subprocess.Popen[bytes]:
    wish = os.environ.get(PYTHON_VARIABLE)
    # Made absolute, not resolved: a venv's Python is a link, and its place is what makes it the venv's.
    python = os.path.abspath(shutil.which(wish) or wish) if wish else sys.executable
    if not wish and importlib.util.find_spec("ministack") is None:
        raise DemoUnavailable("The demo needs the emulator: pip install 'lambdatop[demo]'")
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if not wish and site.ENABLE_USER_SITE:
        # The demo's home is elsewhere, but what was installed with --user stays importable.
        environment["PYTHONUSERBASE"] = site.getuserbase()
    environment["AWS_EC2_METADATA_DISABLED"] = "true"
    try:
        return subprocess.Popen(
            [python, "-P", "-m", "lambdatop.demo.process.supervisor", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise DemoUnavailable(f"The demo's Python cannot be started: {error}") from error


def _await_ready(process: subprocess.Popen[bytes], deadline: float) -> dict[str, Any]:
    """Collect the supervisor's and the server's lines until the server says that it is ready."""
    assert process.stdout is not None
    source = process.stdout.fileno()
    answers: dict[str, Any] = {}
    pending = b""
    while not answers.get("ready"):
        readable, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            raise DemoUnavailable("The demo's emulator did not answer in time.")
        chunk = os.read(source, 65536)
        if not chunk:
            raise DemoUnavailable("The demo's emulator ended before it answered.")
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            answers.update(json.loads(line))
        if "failed" in answers:
            raise DemoUnavailable(_explain(str(answers["failed"])))
    return answers


def _explain(log: str) -> str:
    if "No module named 'ministack'" in log or "No package metadata was found for ministack" in log:
        return "The demo needs the emulator: pip install 'lambdatop[demo]'"
    return f"The demo's emulator failed: {log.splitlines()[-1] if log else 'no reason given'}"


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()  # Its server dies with it; only then can a file be left behind.
        process.wait()
