"""From the start of the process to the first frame and to the panes, and from the endpoint's first answer to
the first useful row.

`python -m bench.start_speed [--runs N] [--json FILE]`. Each program in turn in a real terminal, medians;
beside a minimal Textual app, htop where it is installed, and the import of the SDK alone. Then the same
console watched: what is imported before the first frame, and how long its event loop was kept while the
clients were made.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import whole_product
from bench.key_speed import BASELINES
from bench.peer import Peer
from bench.screen_table import Findings, arguments

SIZE = (120, 40)
MINIMAL = [sys.executable, str(BASELINES / "minimal_app.py")]
IMPORT = [sys.executable, "-c", "import aiobotocore.session"]
LISTED = "functions"
"""The last part of the path of ListFunctions."""


def first_frame(command: list[str], words: str, environment: Mapping[str, str]) -> float:
    """Return milliseconds until some words stand on the glass."""
    with Peer(command, size=SIZE, environment=environment) as peer:
        return (peer.wait_for(words, 30) - peer.began) * 1000


def first_bytes(command: list[str]) -> float:
    """Return milliseconds until a program that draws in other ways has written its first screen."""
    with Peer(command, size=SIZE, shown=False) as peer:
        peer.read(10, lambda: peer.count > 500)
        return (time.perf_counter() - peer.began) * 1000


def imports() -> float:
    """Return milliseconds of a process that imports the SDK and nothing else."""
    began = time.perf_counter()
    subprocess.run(IMPORT, check=True, timeout=60)
    return (time.perf_counter() - began) * 1000


def useful_row(functions: int) -> dict[str, float]:
    """Return the ms until the first function is on the glass, after the start and after first answers."""
    with (
        whole_product.server(functions, 0.2) as server,
        Peer(whole_product.command(), size=SIZE, environment=server.environment) as peer,
    ):
        shown = peer.wait_for("service-0", 60)
        answers = dict([server.first()])
        while LISTED not in answers:
            operation, at = server.first()
            answers[operation] = at
    return {
        "start to first useful row": (shown - peer.began) * 1000,
        "endpoint's first answer to row": (shown - min(answers.values())) * 1000,
        "first page of functions to row": (shown - answers[LISTED]) * 1000,
    }


def watched(functions: int) -> dict[str, float]:
    """Return what is imported before the first frame, and how long the event loop was kept."""
    with whole_product.server(functions, 0.2) as server, TemporaryDirectory() as place:
        file = Path(place, "seen.json")
        command = [sys.executable, "-m", "bench.watched_console", str(file), "--read-only"]
        with Peer(command, size=SIZE, environment=server.environment) as peer:
            peer.wait_for("service-0", 60)
            peer.read(5)
            quit_at = peer.press("q")
            peer.read(15, lambda: file.exists())
            peer.process.wait(30)
        seen = json.loads(file.read_text(encoding="utf-8"))
    waits = [wait for at, wait in seen["waits"] if seen["frame"] < at < quit_at - 0.2]
    before = sum(at < seen["frame"] for at in seen["imports"].values())
    return {
        "SDK modules imported before it": float(max(before, len(seen["modules"]))),
        "longest wait of the event loop": max(waits) * 1000,
        "waits above 50 ms": float(sum(wait > 0.05 for wait in waits)),
    }


def main() -> int:
    """Measure and print the table."""
    parser = arguments("from the start to the first frame and to the first row", runs=7)
    parser.add_argument("--functions", type=int, default=200)
    args = parser.parse_args()
    found = Findings("start")
    times: dict[str, list[float]] = {"lambdatop": [], "minimal Textual app": []}
    rows: dict[str, list[float]] = {}
    panes: list[float] = []
    htop = shutil.which("htop")
    console = whole_product.command()
    with whole_product.server(args.functions, 0.2) as server:
        for _ in range(args.runs):
            times["lambdatop"].append(first_frame(console, "lambdatop", server.environment))
            panes.append(first_frame(console, "hot functions", server.environment))
            times["minimal Textual app"].append(first_frame(MINIMAL, "minimal is ready", {}))
            times.setdefault("import aiobotocore.session", []).append(imports())
            if htop:
                times.setdefault("htop", []).append(first_bytes([htop]))
    commands = {"lambdatop": console, "minimal Textual app": MINIMAL, "htop": ["htop"]}
    for who, values in times.items():
        figure = "process" if who.startswith("import") else "start to first frame"
        found.add("start", who, figure, values, "ms", commands.get(who, IMPORT))
    found.add("start", "lambdatop", "start to the panes", panes, "ms", console)
    for what, ours in (("first frame", times["lambdatop"]), ("panes / its first frame", panes)):
        pairs = zip(ours, times["minimal Textual app"], strict=True)
        found.add(
            "start",
            "lambdatop / minimal app",
            f"{what}, in pairs",
            [a / b for a, b in pairs],
            "x",
            ["this run"],
        )
    for _ in range(args.runs):
        for figure, value in useful_row(args.functions).items():
            rows.setdefault(figure, []).append(value)
    for figure, values in rows.items():
        found.add("start", "lambdatop", figure, values, "ms", console)
    seen = [watched(args.functions) for _ in range(max(1, args.runs // 2))]
    for figure in seen[0]:
        unit = "ms" if "longest" in figure else "count"
        found.add("clients load", "lambdatop", figure, [median(s[figure] for s in seen)], unit, console)  # type: ignore[arg-type]
    found.show(args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
