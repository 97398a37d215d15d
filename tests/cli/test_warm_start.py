"""A command that begins warm finds what a new interpreter finds, and ends as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.command_line import Process
from fakes.warm_start import ROOT, Awaited, Waited, fits

FOUND = """
import json, os, signal, sys, tempfile, time
signals = {s.name: str(signal.getsignal(s)) for s in signal.Signals}
descriptors = [n for n in range(64) if os.path.exists(f"/dev/fd/{n}")]
streams = [(s.name, s.encoding, s.line_buffering, s.isatty()) for s in (sys.stdin, sys.stdout, sys.stderr)]
print(json.dumps([sys.argv, os.getcwd(), dict(os.environ), signals, descriptors, streams, sys.stdin.read(),
                  tempfile.gettempdir(), time.tzname, sys.path[0], __name__]))
"""


def heed() -> None:
    """Set the signals that the shell may have told this process to ignore back to their defaults."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


HANGS = "import time; print('there', flush=True); time.sleep(1000)"


def test_it_finds_what_a_new_interpreter_finds(tmp_path: Path) -> None:
    environ = {**os.environ, "AWS_PROFILE": "größe", "TMPDIR": str(tmp_path), "TZ": "Asia/Tokyo"}
    argv = [sys.executable, "-c", FOUND, "a", "-b"]
    new = subprocess.run(
        argv,
        env=environ,
        cwd=ROOT,
        input="typed",
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=heed,
    )
    warm = Waited(("a", "-b"), environ, stdin="typed", code=FOUND)
    assert warm.communicate() == (new.stdout, new.stderr)
    assert warm.returncode == new.returncode == 0


@pytest.mark.parametrize("code", ["import sys; sys.exit(7)", "1 / 0", "print('x')", "import os; os._exit(3)"])
def test_it_ends_as_a_new_interpreter_ends(code: str) -> None:
    for target in ("/dev/full", os.devnull):
        with Path(target).open("wb") as stdout:
            argv = [sys.executable, "-c", code]
            new = subprocess.run(argv, stdout=stdout, stderr=subprocess.DEVNULL, timeout=60)
            warm = Waited((), stdout=stdout.fileno(), code=code)
            warm.communicate()
        assert warm.returncode == new.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_signal_ends_it_while_another_goes_on(number: signal.Signals) -> None:
    other, ended = await Awaited((), code=HANGS).reading(), await Awaited((), code=HANGS).reading()
    for one in (other, ended):
        assert one.stdout is not None
        assert await one.stdout.readline() == b"there\n"
    ended.send_signal(number)
    await ended.communicate()
    assert ended.returncode == -number
    other.kill()
    await other.communicate()
    assert other.returncode == -signal.SIGKILL


def test_what_an_interpreter_reads_at_its_start_needs_a_new_one(process: Process) -> None:
    assert fits({**os.environ, "AWS_PROFILE": "x"})
    assert not fits({**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert process("--version").out.startswith("lambdatop")
