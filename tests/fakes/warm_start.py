"""Real processes of the command line that need not import it anew: one process imports, and forks for each.

A start of `python -m lambdatop` costs half a second of CPU, nearly all of it imports. Here a helper, one for
each process of tests, has them behind it; the console's (Textual) are not among them. It forks for each
command: the child takes arguments, environment, directory and the three descriptors as a new interpreter
would get them, heeds signals as one, leaves the loop of the helper, runs `python -m lambdatop` (or the code
that it was given, as `python -c`) and ends as an interpreter ends. Tests about imports, closed descriptors,
terminals and what an interpreter reads at its start begin a real interpreter in its place.

`python warm_start.py NUMBER` is the helper; NUMBER is the descriptor of its socket.Each command comes as
one byte with four descriptors: stdin, stdout, stderr, and a socket on which the helper says the pid of the
command, then its wait status.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli", "aws", "engine", "storage", "report", "config", "domain")
OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_")
"""Variables that an interpreter reads at its start begin with one of these."""
MOST_INPUT = 4096
"""What a pipe takes without a reader on every system."""


def fits(environ: Mapping[str, str]) -> bool:
    """Return whether an interpreter would start with this environment as the helper did."""
    return _of_the_interpreter(environ) == _helper().environ


def _of_the_interpreter(environ: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k.startswith(OF_THE_INTERPRETER)}


class Begun:
    """A command that was begun: what is common to those that are waited for and those that are awaited."""

    def __init__(
        self,
        argv: tuple[str, ...],
        environ: Mapping[str, str] | None = None,
        *,
        stdin: str = "",
        stdout: int | None = None,
        code: str = "",
    ) -> None:
        own, theirs = socket.socketpair()
        given, put = os.pipe()
        read_err, err = os.pipe()
        self._out, out = os.pipe() if stdout is None else (-1, stdout)
        self._err, self._report = read_err, own
        self._open = {number for number in (self._out, self._err) if number >= 0}
        data = stdin.encode()
        assert len(data) <= MOST_INPUT
        os.write(put, data)
        os.close(put)
        with theirs:
            _helper().begin(given, out, err, theirs.fileno())
        for number in (given, err, *(() if stdout is not None else (out,))):
            os.close(number)
        told = {"argv": argv, "environ": dict(environ or os.environ), "cwd": str(ROOT), "code": code}
        own.sendall(json.dumps(told).encode() + b"\n")
        self.pid = int.from_bytes(_exactly(own, 4), "big")
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        """Send it unless the command has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without a word."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, status: bytes) -> None:
        self.returncode = os.waitstatus_to_exitcode(int.from_bytes(status, "big"))
        self._report.close()


class Waited(Begun):
    """A command that a test waits for, as for `subprocess.Popen`."""

    def poll(self) -> int | None:
        """Return its exit code once it has ended."""
        if self.returncode is None and selected((self._report,), 0):
            self._ended(_exactly(self._report, 4))
        return self.returncode

    def communicate(self, timeout: float = 60.0) -> tuple[str, str]:
        """Return everything it printed until its end, except what was returned before."""
        end, told = time.monotonic() + timeout, {number: b"" for number in (self._out, self._err)}
        while self._open or self.poll() is None:
            assert time.monotonic() < end, f"not ended after {timeout} s: {told}"
            for one in selected(tuple(self._open) or (self._report,), end - time.monotonic()):
                if one is not self._report:
                    told[one] += (piece := os.read(one, 65536))
                    if not piece:
                        self._open.remove(one)
                        os.close(one)
        return told[self._out].decode(), told[self._err].decode()


def selected(among: tuple[Any, ...], seconds: float) -> list[Any]:
    """Return those that become readable within so many seconds."""
    with selectors.DefaultSelector() as selector:
        for one in among:
            selector.register(one, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(max(seconds, 0))]


class Awaited(Begun):
    """A command that a test awaits, as an `asyncio.subprocess.Process`."""

    stdout: asyncio.StreamReader | None = None
    stderr: asyncio.StreamReader

    async def reading(self) -> Awaited:
        """Return itself, once it reads what is printed."""
        self._report.setblocking(False)
        self._transports: list[asyncio.BaseTransport] = []
        self.stdout = await self._reader(self._out) if self._out >= 0 else None
        self.stderr = await self._reader(self._err)
        return self

    async def _reader(self, number: int) -> asyncio.StreamReader:
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(number, "rb", 0)
        )
        self._transports.append(transport)
        return reader

    async def communicate(self) -> tuple[bytes, bytes]:
        """Return everything it printed, once it has ended."""
        printed = [reader.read() for reader in (self.stdout, self.stderr) if reader is not None]
        *out, err = await asyncio.gather(*printed)
        if self.returncode is None:
            status = b""
            while len(status) < 4:
                piece = await asyncio.get_running_loop().sock_recv(self._report, 4 - len(status))
                assert piece, "the helper ended"
                status += piece
            self._ended(status)
        for transport in self._transports:
            transport.close()
        return b"".join(out), err


def _exactly(sock: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = sock.recv(count - len(found))
        assert piece, "the helper ended"
        found += piece
    return found


# -- the helper ------------------------------------------------------------------------------------


class Helper:
    """The helper of this process, from outside."""

    def __init__(self) -> None:
        self.environ = _of_the_interpreter(os.environ)
        self.socket, theirs = socket.socketpair()
        with theirs:
            argv = [sys.executable, __file__, str(theirs.fileno())]
            self.process = subprocess.Popen(
                argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[theirs.fileno()]
            )
        atexit.register(self.end)

    def begin(self, *numbers: int) -> None:
        """Hand the descriptors of a command over."""
        socket.send_fds(self.socket, [b"!"], [*numbers])

    def end(self) -> None:
        """End it: nothing more will come."""
        self.socket.close()
        self.process.communicate()


@functools.cache
def _helper() -> Helper:
    return Helper()


def warm_up() -> None:
    """Import what a command without a console imports."""
    import lambdatop

    for room in ROOMS:
        for module in pkgutil.walk_packages([f"{lambdatop.__path__[0]}/{room}"], f"lambdatop.{room}."):
            importlib.import_module(module.name)
    assert "textual" not in sys.modules


class Serving:
    """The helper from inside."""

    def __init__(self, number: int) -> None:
        self.socket = socket.socket(fileno=number)
        self.running: dict[int, socket.socket] = {}
        self.woken, wakes = socket.socketpair()
        for end in (self.woken, wakes):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        self.wakes = wakes

    def next_command(self) -> dict[str, Any]:
        """Fork for each command; returns in the child alone."""
        while True:
            ready = selected((self.socket, self.woken), 3600)
            if self.woken in ready:
                self.woken.recv(4096)
                self._reap()
            if self.socket not in ready:
                continue
            byte, numbers, _, _ = socket.recv_fds(self.socket, 1, 4)
            if not byte:
                os._exit(0)
            report = socket.socket(fileno=numbers[3])
            pid = os.fork()
            if pid == 0:
                return self._become(numbers[:3], report)
            report.sendall(pid.to_bytes(4, "big"))
            self.running[pid] = report
            for number in numbers[:3]:
                os.close(number)

    def _reap(self) -> None:
        for pid in tuple(self.running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                with self.running.pop(pid) as report, contextlib.suppress(BrokenPipeError):
                    report.sendall(status.to_bytes(4, "big"))

    def _become(self, streams: list[int], report: socket.socket) -> dict[str, Any]:
        """Set up what a new interpreter finds."""
        with report, report.makefile("rb") as lines:
            told: dict[str, Any] = json.loads(lines.readline())
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored under `nohup make test`
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # ignored in a shell's background
        for end in (self.socket, self.woken, self.wakes, *self.running.values()):
            end.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(told["environ"])
        os.chdir(told["cwd"])
        time.tzset()
        tempfile.tempdir = None
        return told


if __name__ == "__main__":
    sys.path[0] = ""  # as with -m
    warm_up()
    gc.freeze()
    command = Serving(int(sys.argv[1])).next_command()
    if command["code"]:
        sys.argv = ["-c", *command["argv"]]
        exec(compile(command["code"], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = ["lambdatop", *command["argv"]]
        runpy.run_module("lambdatop", run_name="__main__", alter_sys=True)
