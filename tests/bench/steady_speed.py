"""Memory and CPU of the whole console in a real terminal, at any size of account.

    PYTHONPATH=tests python -m bench.steady_speed [FUNCTIONS ...] [--seconds S] [--warm S] [--no-budget]

A real console (`--read-only`, 120 x 40, nobody types) against an account on the wire, where a third of the
functions runs. It is given time until the list and the first looks are done, then each second is measured:
its CPU (user and system of the whole process) and whether the account was asked for anything in it or in
the two before ("collecting") or not ("between"). Limits are lambdatop's own; with `--no-budget` all
functions are asked for in turns, so that all have their history sooner. RSS is of the end, its peak of all.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

from aiohttp import web
from bench.account_stub import Account
from bench.figure_rows import Figure, parser, told
from bench.log_pane_speed import Console
from bench.log_speed import environment_of

SIZES = (1_000, 10_000)
COLUMNS, LINES = 120, 40
AFTER_S = 2
"""Seconds after an answer that still count as collecting: it is parsed, folded and shown."""

NO_BUDGET = "limits: {budget_usd_per_hour: 0}\n"


class Counted(Account):
    """The account; counts the series that it was asked for, too."""

    series = 0

    def _metrics(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.series += len(asked["MetricDataQueries"])
        return super()._metrics(asked)


@contextmanager
def serving(functions: int, changing: float) -> Iterator[tuple[Counted, int]]:
    """Serve the account in a thread of this process, so that its calls can be counted.

    Yield its port, too.
    """
    account = Counted(functions, changing)
    loop = asyncio.new_event_loop()

    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", account.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def serve() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield account, asyncio.run_coroutine_threadsafe(serve(), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def peak_mb(pid: int) -> float:
    """Return the most memory a process has had so far, MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1000 if found else 0.0


def watched(console: Console, account: Account, seconds: float) -> tuple[list[float], list[float], float]:
    """Return % of a core for each second while collecting and between, and bytes to the terminal a second."""
    collecting: list[float] = []
    between: list[float] = []
    written, asked_at = console.count, time.monotonic()
    end = begun = time.monotonic()
    end += seconds
    while (now := time.monotonic()) < end:
        calls, cpu = account.calls, console.cpu_s()
        console.read(1.0)
        passed = time.monotonic() - now
        if account.calls != calls:
            asked_at = time.monotonic()
        of_a_core = (console.cpu_s() - cpu) / passed * 100
        (collecting if time.monotonic() - asked_at < AFTER_S else between).append(of_a_core)
    return collecting, between, (console.count - written) / (time.monotonic() - begun)


def measure(functions: int, warm_s: float, seconds: float, *, budget: bool) -> list[Figure]:
    """Return all figures of one size."""
    scene = f"{functions:,} functions" + ("" if budget else ", no budget")

    def said(figure: str, value: float, unit: str) -> Figure:
        return Figure("steady", scene, "lambdatop", figure, value, unit)

    with serving(functions, 0.2) as (account, port), tempfile.TemporaryDirectory() as home:
        if not budget:
            config = Path(home) / ".config" / "lambdatop" / "config.yaml"
            config.parent.mkdir(parents=True)
            config.write_text(NO_BUDGET, encoding="utf-8")
        console = Console(environment_of(port, home), COLUMNS, LINES)
        try:
            begun = time.monotonic()
            while time.monotonic() - begun < warm_s:
                console.read(1.0)
            early = console.rss_mb()
            warm_cpu = console.cpu_s()
            collecting, between, wire = watched(console, account, seconds)
            found = [
                said("RSS after the first looks", early, "MB"),
                said("RSS at the end", console.rss_mb(), "MB"),
                said("peak", peak_mb(console.process.pid), "MB"),
                said("CPU until then", warm_cpu, "s"),
                said("CPU between", mean(between) if between else 0.0, "% of a core"),
                said("seconds between", len(between), ""),
                said("CPU collecting", mean(collecting) if collecting else 0.0, "% of a core"),
                said("CPU of all seconds", mean([*between, *collecting]), "% of a core"),
                said("to the terminal", wire, "B/s"),
                said("calls", account.calls, ""),
            ]
            if os.environ.get("BENCH_DUMP"):
                print([round(x, 1) for x in between], [round(x, 1) for x in collecting], file=sys.stderr)
            return found
        finally:
            console.process.kill()
            console.process.wait()


def main() -> int:
    """Measure and tell."""
    made = parser(__doc__)
    made.add_argument("functions", type=int, nargs="*", default=SIZES)
    made.add_argument("--warm", type=float, default=120.0, metavar="S")
    made.add_argument("--seconds", type=float, default=120.0, metavar="S")
    made.add_argument("--no-budget", action="store_true", help="ask for all functions in turns, at any price")
    args = made.parse_args()
    found: list[Figure] = []
    for functions in args.functions:
        found += measure(functions, args.warm, args.seconds, budget=not args.no_budget)
    told(found, args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
