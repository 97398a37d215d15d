"""A small process between the console and the demo's server, which ends the latter with the former.

It holds the read end of a pipe as stdin. When the console ends, even by ``kill -9``, the pipe ends; then the
supervisor kills the server's process group and whatever escaped from it, and removes the directory
that held every file of the demo. It lives in a session of its own: ctrl-c in the terminal does not reach it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType

from lambdatop.demo.process.lifeline import adopt_orphans, children, kill

PREFIX = "lambdatop-demo-"
_ENDING_S = 5.0
_LOG_TAIL = 2000


def main(arguments: list[str]) -> None:
    """Run the server until it ends, stdin ends, or a signal asks for the end."""
    wake_read, wake_write = os.pipe()
    _listen_for_signals(wake_write)
    adopt_orphans()
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        server = _start(directory, arguments)
        threading.Thread(target=_watch, args=(server, wake_write), daemon=True).start()
        print(json.dumps({"directory": str(directory)}), flush=True)
        ready, _, _ = select.select([sys.stdin.fileno(), wake_read], [], [])
        # Without a word on stdin the server ended by itself: say why, if anybody still listens.
        if sys.stdin.fileno() not in ready and server.poll() is not None:
            _report(directory)
        _end(server.pid)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _listen_for_signals(wake_write: int) -> None:
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _ignore)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Leave it to the wake-up pipe: the handler only keeps the signal from killing this process."""


def _start(directory: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TMPDIR": str(directory), "HOME": str(directory)}
    with (directory / "server.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "lambdatop.demo.process.server", *arguments],
            stdin=subprocess.DEVNULL,
            stderr=log,
            cwd=directory,
            env=environment,
            process_group=0,
        )


def _watch(server: subprocess.Popen[bytes], wake_write: int) -> None:
    server.wait()
    with contextlib.suppress(OSError):
        os.write(wake_write, b"\0")


def _report(directory: Path) -> None:
    log = (directory / "server.log").read_text(encoding="utf-8", errors="replace")
    with contextlib.suppress(OSError):
        print(json.dumps({"failed": log[-_LOG_TAIL:].strip() or "the server ended"}), flush=True)


def _end(server_pid: int) -> None:
    """Kill the server's group, then every child that is left or arrives, and collect them all."""
    kill(server_pid, group=True)
    deadline = time.monotonic() + _ENDING_S
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            for child in children(os.getpid()):
                kill(child)
            time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1:])
