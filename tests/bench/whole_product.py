"""lambdatop as it is on an account of a local server, both processes of their own, for benchmarks of the
screen.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.log_speed import environment_of
from bench.peer import Peer

LISTING_S = 0.25
"""A page of fifty functions, at four of the five requests a second that the control plane may be asked."""


@dataclass(frozen=True)
class Server:
    """A server of a busy account; `environment` points lambdatop at it."""

    process: subprocess.Popen[str]
    environment: dict[str, str]

    def first(self) -> tuple[str, float]:
        """Return the next operation that was answered for the first time, and when (s of `perf_counter`)."""
        assert self.process.stdout is not None
        _, operation, at = self.process.stdout.readline().split()
        return operation, float(at)


@contextmanager
def server(functions: int, changing: float, lines_per_s: int = 0, *, budget: float = 0.5) -> Iterator[Server]:
    """Serve an account and a home directory; `budget` is what metrics may cost (USD/h, 0: no limit)."""
    command = [sys.executable, "-m", "bench.busy_stub", str(functions), str(changing), str(lines_per_s)]
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            config = Path(home, "config.yaml")
            config.write_text(f"limits:\n  budget_usd_per_hour: {budget}\n", encoding="utf-8")
            yield Server(process, environment_of(port, home) | {"LAMBDATOP_CONFIG": str(config)})
        finally:
            process.kill()
            process.wait()


def command(*more: str) -> list[str]:
    """Return the command of the console in read-only mode."""
    return [sys.executable, "-m", "lambdatop", "--read-only", *more]


def wait_until_listed(peer: Peer, functions: int) -> None:
    """Wait until the list is complete.

    Then show one pane alone, in the order of names, which does not change.
    """
    peer.wait_for("service-0", 60)
    peer.press("z")
    peer.wait_for(f"hot functions  {functions:,} ", 60 + functions / 50 * LISTING_S * 2)
    peer.press("s")
    peer.read(2)
    peer.press("g")
    peer.wait_for("service-00000", 30)
    peer.read(3)


def show_log(peer: Peer) -> None:
    """Show all panes again, with the log of the first function, which is marked so that it stays below."""
    peer.press("zg ")
    peer.wait_for("following", 60)
    peer.read(12)
