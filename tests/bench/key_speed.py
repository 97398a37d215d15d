"""From a key to what it does on the screen: at ten thousand rows, beside other tables, with all that goes
on.

`python -m bench.key_speed [--functions N] [--keys N] [--scenes WORD ...] [--json FILE]`. A key moves the
cursor; the time runs from the byte written to the terminal to the line of the cursor on the terminal's
glass. Keys come at irregular moments, about ten a second. First the screen alone (rows that change each
second, no engine) beside DataTable and textual-fastdatatable with as many rows, then the whole product on an
account of a local server: at rest, with metrics being read, and with a log of 5,000 lines a second besides.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import median

from bench import whole_product
from bench.peer import Peer
from bench.screen_table import Findings, arguments, percentile

DOWN, UP = "\x1b[B", "\x1b[A"
REACH = 12
"""Lines between which the cursor moves, so that nothing scrolls."""
PROBE = 20
"""A column of the glass that all tables cover with the name of a function."""
PATIENCE_S = 12.0
BASELINES = Path(__file__).with_name("baselines")
ECHO = [sys.executable, str(BASELINES / "echo.py")]


class Cursor:
    """The line of a table's cursor on the glass, found by its ground."""

    def __init__(self, peer: Peer) -> None:
        assert peer.glass is not None
        self._glass, self._peer = peer.glass, peer
        self._before = self._glass.grounds(PROBE)
        peer.press(DOWN)
        assert peer.read(30, lambda: self._lit() is not None), "no cursor was seen to move"
        peer.read(1)
        self.ground = self._lit() or ""

    def _lit(self) -> str | None:
        """Return background that one line alone has, and had not before, while its neighbour above had it."""
        after = self._glass.grounds(PROBE)
        for y, (above, old, new) in enumerate(
            zip(self._before, self._before[1:], after[1:], strict=False), 1
        ):
            if new == above != old and after.count(new) == 1 and after[y - 1] == old:
                return new
        return None

    def line(self) -> int:
        """Return the line; -1 while there is none."""
        grounds = self._glass.grounds(PROBE)
        return grounds.index(self.ground) if self.ground in grounds else -1

    def move(self, step: int, *, exact: bool = True) -> float:
        """Return the ms from the key to the paint; `exact` False takes any other line."""
        before = self.line()
        shown = (lambda: self.line() == before + step) if exact else (lambda: self.line() not in (-1, before))
        began = self._peer.press(DOWN if step > 0 else UP)
        self._peer.read(PATIENCE_S, shown)
        return (time.perf_counter() - began) * 1000


def keys(peer: Peer, count: int) -> list[float]:
    """Return the ms of so many keys, at irregular moments."""
    cursor, random, took = Cursor(peer), Random(8), []
    for number in range(count):
        took.append(cursor.move(1 if number // REACH % 2 == 0 else -1))
        peer.read(random.uniform(0.05, 0.15))
    return took


def echoes(count: int) -> list[float]:
    """Return the ms of so many keys of a program that does nothing: the noise of this machine now."""
    random, took = Random(8), []
    with Peer(ECHO) as peer:
        peer.wait_for("ready")
        for _ in range(count):
            before = peer.count
            began = peer.press("x")
            peer.read(PATIENCE_S, lambda before=before: peer.count > before)  # type: ignore[misc]
            took.append((time.perf_counter() - began) * 1000)
            peer.read(random.uniform(0.05, 0.15))
    return took


def tables(functions: int, fast_table: str) -> dict[str, Callable[[float, str], list[str]]]:
    """Return the commands of tables with so many rows, by the share that changes."""

    def base(python: str, file: str) -> Callable[[float, str], list[str]]:
        return lambda share, how: [python, str(BASELINES / file), str(functions), str(share), how]

    found = {
        "lambdatop": lambda share, how: [
            sys.executable, "-m", "bench.shown_account", str(functions), str(share), how,
        ],
        "Textual DataTable": base(sys.executable, "data_table.py"),
    }  # fmt: skip
    if fast_table:
        found["textual-fastdatatable"] = base(fast_table, "fast_table.py")
    return found


def add_all(
    found: Findings, scene: str, who: str, runs: Sequence[list[float]], command: Sequence[str]
) -> tuple[float, float]:
    """Add median and 99th percentile of each run; return their medians over the runs."""
    p50 = found.add(scene, who, "key to paint p50", [median(run) for run in runs], "ms", command)
    p99 = found.add(scene, who, "key to paint p99", [percentile(run, 0.99) for run in runs], "ms", command)
    return p50, p99


def screen_alone(found: Findings, functions: int, count: int, runs: int, fast_table: str) -> None:
    """Measure tables whose rows change each second."""
    floor = [echoes(count) for _ in range(runs)]
    add_all(found, "no screen at all", "echo (this machine's noise)", floor, ECHO)
    for share in (0.0, 0.2, 1.0):
        scene = f"{functions:,} rows, {share:.0%} change"
        took: dict[str, list[list[float]]] = {}
        made = tables(functions, fast_table)
        for _ in range(runs):
            for who, make in made.items():
                with Peer(make(share, "rows")) as peer:
                    peer.wait_for("service-00003", 120)
                    if who == "lambdatop":
                        peer.press("z")
                    peer.read(3)
                    took.setdefault(who, []).append(keys(peer, count))
        p99 = {
            who: add_all(found, scene, who, lists, made[who](share, "rows"))[1] for who, lists in took.items()
        }
        for who in p99.keys() - {"lambdatop"}:
            ratio = p99[who] / p99["lambdatop"]
            found.add(scene, f"{who} / lambdatop", "ratio of p99", [ratio], "x", ["this run"])


def whole(found: Findings, functions: int, count: int, runs: int, lines_per_s: int) -> None:
    """Measure the product: engine, collectors and screen."""
    command = whole_product.command()
    scenes: dict[str, list[list[float]]] = {}
    for _ in range(runs):
        with (
            whole_product.server(functions, 1.0, lines_per_s, budget=0) as server,
            Peer(command, environment=server.environment) as peer,
        ):
            whole_product.wait_until_listed(peer, functions)
            peer.read(30)
            scenes.setdefault("a minute's reading of metrics", []).append(keys(peer, count))
            peer.press("d")
            scenes.setdefault("all metrics asked for at once", []).append(keys(peer, count))
            whole_product.show_log(peer)
            scene = f"log of {lines_per_s:,} lines/s, metrics read"
            scenes.setdefault(scene, []).append(keys(peer, count))
    for scene, lists in scenes.items():
        add_all(found, f"{functions:,} functions, {scene}", "lambdatop, whole", lists, command)


def main() -> int:
    """Measure and print the table."""
    parser = arguments("from a key to what it does on the screen", runs=3)
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--lines", type=int, default=5_000, help="lines of log per second")
    parser.add_argument("--only", choices=("screen", "whole"))
    args = parser.parse_args()
    found = Findings("keys")
    if args.only != "whole":
        screen_alone(found, args.functions, args.keys, args.runs, args.fast_table)
    if args.only != "screen":
        whole(found, args.functions, args.keys, args.runs, args.lines)
    found.show(args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
