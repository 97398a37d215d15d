"""What goes over the line to the terminal, and what a slow line does to keys.

`python -m bench.wire_speed [--json FILE]`. Bytes per second on 200 x 56: at rest, paused, with a fifth of
fifty rows' figures changing each second, while paging; beside a DataTable, textual-fastdatatable, htop and
btop where they are installed. Then behind lines of 32 kB/s, and of 8 kB/s with 150 ms delay: keys, and
whether anything older is ever shown after something newer.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import whole_product
from bench.key_speed import BASELINES, Cursor, keys
from bench.peer import Peer
from bench.screen_table import Findings, arguments, percentile

VISIBLE = 52
"""Rows of the small account: as many as there is room for."""
SIXTEEN = {"TERM": "xterm", "COLORTERM": ""}
LINES = (("32 kB/s", 32_000.0, 0.0), ("8 kB/s, 150 ms", 8_000.0, 0.15))
SETTLE_S, SLOW_S = 6.0, 20.0
FEW = 10
"""Keys of a table that answers after ten seconds."""
GIVEN_UP_MS = 30_000.0
"""As long as is waited for its first move."""
PAGE_DOWN, PAGE_UP = "\x1b[6~", "\x1b[5~"
_TOPS = {
    "htop": ["htop", "-d", "10"],
    "btop": ["btop"],
    "top": ["top", "-d", "1"],
}


def shown(count: int, share: float, how: str) -> list[str]:
    """Return the command of the console without an engine."""
    return [sys.executable, "-m", "bench.shown_account", str(count), str(share), how]


def table(count: int, share: float, how: str) -> list[str]:
    """Return the command of Textual's table."""
    return [sys.executable, str(BASELINES / "data_table.py"), str(count), str(share), how]


def settled(peer: Peer, *, zoom: bool, seconds: float = SETTLE_S) -> Peer:
    """Return the peer once it shows rows and all of the first screen has arrived."""
    peer.wait_for("service-00003", 120)
    if zoom:
        peer.press("z")
    peer.read(seconds)
    return peer


def others(found: Findings, seconds: float, fast_table: str) -> None:
    """Measure those that are installed."""
    for who, command in _TOPS.items():
        path = shutil.which(command[0])
        if path is None:
            print(f"{who} is not installed", file=sys.stderr)
            continue
        with TemporaryDirectory() as home:
            Path(home, "btop").mkdir()
            Path(home, "btop", "btop.conf").write_text("update_ms=1000\n", encoding="ascii")
            environment = {"XDG_CONFIG_HOME": home}
            with Peer(command, shown=False, environment=environment) as peer:
                peer.read(SETTLE_S)
                rate = peer.bytes_per_s(seconds)
                found.add("its own figures, 1 Hz", who, "to the terminal", [rate], "B/s", command)
    for share, scene in ((0.0, "at rest"), (0.2, "20% of 50 rows' figures, 1 Hz")):
        commands = {"Textual DataTable": table(VISIBLE, share, "cells")}
        if fast_table:
            fast = [fast_table, str(BASELINES / "fast_table.py"), str(VISIBLE), str(share), "cells"]
            commands["textual-fastdatatable"] = fast
        for who, command in commands.items():
            with settled(Peer(command), zoom=False) as peer:
                found.add(scene, who, "to the terminal", [peer.bytes_per_s(seconds)], "B/s", command)


def own(found: Findings, seconds: float, runs: int) -> None:
    """Measure lambdatop at rest, paused, and with a fifth of its figures changing."""
    command = shown(VISIBLE, 0, "cells")
    rest, still = [], []
    for _ in range(runs):
        with settled(Peer(command), zoom=True) as peer:
            rest.append(peer.bytes_per_s(seconds))
            peer.press("p")
            peer.read(2)
            still.append(peer.bytes_per_s(seconds))
    found.add("at rest", "lambdatop", "to the terminal", rest, "B/s", command)
    found.add("paused", "lambdatop", "to the terminal", still, "B/s", command)
    command = shown(VISIBLE, 0.2, "cells")
    for what, environment in (("true colour", {}), ("16 colours", SIXTEEN)):
        rates = []
        for _ in range(runs):
            with settled(Peer(command, environment=environment), zoom=True) as peer:
                rates.append(peer.bytes_per_s(seconds))
        scene = "20% of 50 rows' figures, 1 Hz"
        found.add(scene, f"lambdatop, {what}", "to the terminal", rates, "B/s", command)
    command = shown(10_000, 0.2, "rows")
    with settled(Peer(command), zoom=True) as peer:
        rate = peer.bytes_per_s(seconds)
        found.add("20% of 10,000 rows, 1 Hz", "lambdatop", "to the terminal", [rate], "B/s", command)


def paging(found: Findings) -> None:
    """Page every quarter of a second, down and up again."""
    for who, command in (
        ("lambdatop", shown(10_000, 0, "rows")),
        ("Textual DataTable", table(10_000, 0, "rows")),
    ):
        with settled(Peer(command), zoom=who == "lambdatop") as peer:
            count, began = peer.count, time.perf_counter()
            for page in range(40):
                peer.press(PAGE_DOWN if page < 20 else PAGE_UP)
                peer.read(0.25)
            per_page = (peer.count - count) / 40
            found.add("four pages a second", who, "bytes a page", [per_page], "count", command)
            rate = (peer.count - count) / (time.perf_counter() - began)
            found.add("four pages a second", who, "to the terminal", [rate], "B/s", command)


def whole_at_rest(found: Findings, seconds: float) -> None:
    """Measure the product at rest, its engine running."""
    command = whole_product.command()
    with (
        whole_product.server(100, 0.2) as server,
        Peer(command, environment=server.environment) as peer,
    ):
        whole_product.wait_until_listed(peer, 100)
        peer.read(20)
        rate = peer.bytes_per_s(max(60.0, seconds))
        found.add("at rest, a minute", "lambdatop, whole", "to the terminal", [rate], "B/s", command)


def add_keys(found: Findings, scene: str, who: str, took: Sequence[float], command: Sequence[str]) -> None:
    """Add median and 99th percentile."""
    found.add(scene, who, "key to paint p50", [median(took)], "ms", command)
    found.add(scene, who, "key to paint p99", [percentile(took, 0.99)], "ms", command)


def slow_lines(found: Findings, functions: int, count: int) -> None:
    """Measure keys behind slow lines."""
    for words, rate, delay_s in LINES:
        scene = f"{words}, 20% of {functions:,} rows"
        command = shown(functions, 0.2, "rows")
        with settled(Peer(command, rate=rate, delay_s=delay_s), zoom=True, seconds=SLOW_S) as peer:
            add_keys(found, scene, "lambdatop", keys(peer, count), command)
        command = table(functions, 0.2, "rows")
        with settled(Peer(command, rate=rate, delay_s=delay_s), zoom=False, seconds=SLOW_S) as peer:
            try:
                took = keys(peer, min(count, FEW))
            except AssertionError:  # behind 8 kB/s its cursor is not seen to move at all
                took = [GIVEN_UP_MS]
            add_keys(found, scene, "Textual DataTable", took, command)


def slow_logs(found: Findings, functions: int, count: int, lines_per_s: int) -> None:
    """Measure keys behind slow lines with a log on the screen: the whole product."""
    command = whole_product.command()
    for words, rate, delay_s in LINES:
        with (
            whole_product.server(functions, 0.2, lines_per_s) as server,
            Peer(command, environment=server.environment, rate=rate, delay_s=delay_s) as peer,
        ):
            whole_product.wait_until_listed(peer, functions)
            whole_product.show_log(peer)
            scene = f"{words}, {functions:,} functions, log of {lines_per_s:,}/s"
            flow = peer.bytes_per_s(10)
            found.add(scene, "lambdatop, whole", "to the terminal", [flow], "B/s", command)
            add_keys(found, scene, "lambdatop, whole", keys(peer, count), command)


class Numbers:
    """The numbers of the changes in each line, frame by frame: they must never become smaller."""

    def __init__(self, peer: Peer) -> None:
        assert peer.glass is not None
        self._glass = peer.glass
        self._last: dict[int, int] = {}
        self.frames = self.older = self.distinct = 0
        self._glass.at_frame = self.look

    def look(self) -> None:
        """Read at the end of a frame."""
        self.frames += 1
        for y in range(self._glass.lines):
            found = re.search(r"service-\d+ +([\d,]+) ", self._glass.line(y))
            if found:
                number = int(found[1].replace(",", ""))
                last = self._last.get(y, 0)
                self.older += number < last
                self.distinct += number > last
                self._last[y] = number


def never_older(found: Findings, seconds: float) -> int:
    """Return how often an older row came after a newer one.

    Each carries the number of its change, four a second.
    """
    command, bad = shown(VISIBLE, 1, "numbered"), 0
    with TemporaryDirectory() as home:
        config = Path(home, "config.yaml")
        config.write_text("screen:\n  refresh: 0.25\n", encoding="utf-8")
        for words, rate, delay_s in LINES:
            environment = {"LAMBDATOP_CONFIG": str(config)}
            peer = Peer(command, rate=rate, delay_s=delay_s, environment=environment)
            with settled(peer, zoom=True, seconds=SLOW_S):
                numbers = Numbers(peer)
                cursor, end = Cursor(peer), time.monotonic() + seconds
                while time.monotonic() < end:
                    cursor.move(1, exact=False)
                    cursor.move(-1, exact=False)
                    peer.read(0.3)
            scene = f"{words}, all rows 4 times a second"
            found.add(scene, "lambdatop", "frames looked at", [numbers.frames], "count", command)
            found.add(scene, "lambdatop", "rows that became newer", [numbers.distinct], "count", command)
            found.add(scene, "lambdatop", "rows that became older", [numbers.older], "count", command)
            bad += numbers.older or not numbers.distinct
    return bad


SCENES = ("rest", "own", "others", "paging", "slow", "logs", "older")


def main() -> int:
    """Measure and print the table."""
    parser = arguments("what goes over the line to the terminal", runs=3)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=150)
    parser.add_argument("--lines", type=int, default=1_000, help="lines of log per second")
    parser.add_argument("--scenes", nargs="*", choices=SCENES, default=SCENES)
    args = parser.parse_args()
    found, bad = Findings("wire"), 0
    for scene in args.scenes:
        if scene == "own":
            own(found, args.seconds, args.runs)
        elif scene == "others":
            others(found, args.seconds, args.fast_table)
        elif scene == "paging":
            paging(found)
        elif scene == "rest":
            whole_at_rest(found, args.seconds)
        elif scene == "slow":
            slow_lines(found, args.functions, args.keys)
        elif scene == "logs":
            slow_logs(found, args.functions, args.keys, args.lines)
        else:
            bad = never_older(found, args.seconds)
    found.show(args.json)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
