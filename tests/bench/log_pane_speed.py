"""The console with a log that never stops: key to paint, bytes to the terminal, CPU, memory.

`python -m bench.log_pane_speed [--rate 5000] [--seconds 40] [--size 120x40]`. A real console in a real pty,
fed over HTTP by a process of its own (`log_flow_stub.py`). Keys: `i` (the whole pane is painted anew) and `e`
(all lines are filtered anew); the time runs from the byte written to the pty to the word that the key puts
into the pane's title, on the glass of a terminal (`glass.py`). Beside it, what a key takes in a program that
does nothing.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from bench.glass import Glass
from bench.key_speed import echoes
from bench.log_speed import environment_of
from bench.screen_table import percentile

KEYS = (("i", "no time"), ("e", "errors only"))
PAUSE_S = 0.15
FULL_S = 60
"""The pane holds 100,000 lines, of which the first 4,000 lie in the past: 19 s at 5,000 a second."""
ECHOES = 60


class Console:
    """A process in a pty; what it writes is counted, and kept since the last key."""

    def __init__(self, environment: dict[str, str], columns: int, lines: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lambdatop", "--read-only"],
            env=environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.count = 0
        # A terminal answers where its cursor is: by that the console knows what has arrived.
        self._glass = Glass(columns, lines, lambda said: os.write(self._master, said.encode()))

    def read(self, seconds: float, until: str | None = None, *, gone: bool = False) -> bool:
        """Read for some time, or until some words stand on screen (or are `gone`); whether they do."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            if select.select([self._master], [], [], left)[0]:
                data = os.read(self._master, 1 << 16)
                self.count += len(data)
                self._glass.feed(data)
                if until is not None and self._glass.shows(until) is not gone:
                    return True
        return False

    def press(self, key: str) -> None:
        """Type."""
        os.write(self._master, key.encode())

    def rss_mb(self) -> float:
        """Return resident memory, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1000 if found else 0.0

    def cpu_s(self) -> float:
        """Return CPU seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def shown_lines(self) -> int:
        """Return the number of lines in the title, as last painted."""
        said = (re.search(r"([\d,]+) lines", self._glass.line(y)) for y in range(self._glass.lines))
        return max((int(found[1].replace(",", "")) for found in said if found), default=0)


def measure(console: Console, seconds: float) -> dict[str, list[float]]:
    """Return the milliseconds from each key to its effect."""
    times: dict[str, list[float]] = {key: [] for key, _ in KEYS}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, word in KEYS:
            began = time.perf_counter()
            console.press(key)
            if console.read(5.0, word):
                times[key].append((time.perf_counter() - began) * 1000)
            console.read(PAUSE_S)
            console.press(key)
            console.read(5.0, word, gone=True)
            console.read(PAUSE_S)
    return times


def spread(took: list[float]) -> str:
    """Return a list of ms in words."""
    shares = [f"p{share * 100:.0f} {percentile(took, share):.0f} ms" for share in (0.5, 0.9, 0.99)]
    return f"{len(took)} presses, {', '.join(shares)}, worst {max(took):.0f} ms"


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--size", default="120x40")
    args = parser.parse_args()
    columns, lines = map(int, args.size.split("x"))
    stub = [sys.executable, "-m", "bench.log_flow_stub", str(args.rate)]
    with (
        subprocess.Popen(stub, stdout=subprocess.PIPE, text=True) as server,
        tempfile.TemporaryDirectory() as home,
    ):
        assert server.stdout is not None
        port = int(server.stdout.readline())
        console = Console(environment_of(port, home), columns, lines)
        try:
            _run(console, args.rate, args.seconds)
        finally:
            console.process.kill()
            console.process.wait()
            server.kill()
    return 0


def _run(console: Console, rate: int, seconds: float) -> None:
    assert console.read(30, "orders-worker"), "the console never saw the function"
    before_mb = console.rss_mb()
    console.press("4z")
    assert console.read(30, "following"), "the log pane never opened"
    began, cpu, count = time.monotonic(), console.cpu_s(), console.count
    console.read(FULL_S, "100,000 lines")
    idle_s = time.monotonic() - began
    print(f"following: {(console.count - count) / idle_s / 1000:.1f} kB/s to the terminal, ", end="")
    print(f"{(console.cpu_s() - cpu) / idle_s:.0%} of a core, ", end="")
    print(f"{console.shown_lines():,} lines after {idle_s:.1f} s")
    times = measure(console, seconds)
    for key, took in times.items():
        print(f"key {key}: {spread(took)}")
    print(f"a key of a program that does nothing, meanwhile: {spread(echoes(ECHOES))}")
    console.read(6)
    held = console.shown_lines()
    print(f"{rate:,} lines/s for {time.monotonic() - began:.0f} s: {held:,} lines held, ", end="")
    print(f"RSS {console.rss_mb():.0f} MB (before the log {before_mb:.0f} MB)")


if __name__ == "__main__":
    sys.exit(main())
