"""Collecting 10,000 functions x 8 metrics x 60 minutes: wall, CPU, longest stall of the loop.

`python -m bench.collection_speed [--functions N] [--boto3 PYTHON]`. From the same local stub, in turn:
lambdatop's own path (its door, its queries, its points), boto3 in eight threads (the Python of an
environment that has it), `json.loads` alone, and the floor: one socket, requests made beforehand,
`json.loads`, each series into two columns. Rate limits are off for all. Best of three rounds.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from bench.figure_rows import Figure, parser, told
from fakes.aws_doubles import SCOPE, Bench

from lambdatop.aws.reads.metric_data import ask, span_until, usable
from lambdatop.aws.reads.metric_queries import Query
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key

HERE = Path(__file__).parent
METRICS = (
    ("Invocations", "Sum"),
    ("Errors", "Sum"),
    ("Throttles", "Sum"),
    ("Duration", "Sum"),
    ("Duration", "Maximum"),
    ("Duration", "p99"),
    ("ConcurrentExecutions", "Maximum"),
    ("AsyncEventsReceived", "Sum"),
)
PER_CALL = 500
MINUTES = 60
ROUNDS = 3
OTHERS = {"boto3 in 8 threads": "boto3", "json.loads alone": "floor", "floor": "columns"}


def our_queries(functions: int) -> list[Query]:
    keys = [Key(SCOPE, "function", f"service-{i:05}") for i in range(functions)]
    return [
        Query(SeriesKey(key, metric, stat), "AWS/Lambda", (("FunctionName", key.id),))
        for key in keys
        for metric, stat in METRICS
    ]


async def ours(port: int, functions: int) -> tuple[float, float, float]:
    """Return wall s, CPU s and the longest stall of this loop, ms."""
    made = Bench(f"http://127.0.0.1:{port}", attempts=2)
    queries, span = our_queries(functions), span_until(time.time(), MINUTES)
    await ask(made.api, queries[:PER_CALL], span, lambda units: None)
    longest, stop = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        while not stop.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before - 0.001)

    watching = asyncio.ensure_future(watch())
    wall, cpu = time.perf_counter(), time.process_time()
    answered = await ask(made.api, queries, span, lambda units: None)
    data = await usable(made.api, answered, lambda series: False)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    stop.set()
    await watching
    await made.close()
    assert len(data) == len(queries)
    return wall, cpu, longest * 1000


def other(python: str, kind: str, port: int, functions: int) -> tuple[float, float]:
    command = [
        python,
        str(HERE / "metric_readers.py"),
        kind,
        str(port),
        str(functions * len(METRICS)),
        str(PER_CALL),
    ]
    wall, cpu = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(wall), float(cpu)


def figures(functions: int, python: str | None) -> list[Figure]:
    """Return the best of three rounds of each reader, in turn."""
    command = [sys.executable, str(HERE / "metric_stub.py"), str(MINUTES)]
    mine: list[tuple[float, float, float]] = []
    others: dict[str, list[tuple[float, float]]] = {name: [] for name in OTHERS}
    stub = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert stub.stdout is not None
        port = int(stub.stdout.readline())
        for _ in range(ROUNDS):
            mine.append(asyncio.run(ours(port, functions)))
            for name, kind in OTHERS.items():
                if kind != "boto3" or python:
                    others[name].append(other(python or sys.executable, kind, port, functions))
    finally:
        stub.kill()
        stub.wait()
    scene = f"{functions:,} functions x {len(METRICS)} metrics x {MINUTES} minutes"

    def said(who: str, figure: str, value: float, unit: str) -> Figure:
        return Figure("collection", scene, who, figure, value, unit)

    wall, cpu = min(m[0] for m in mine), min(m[1] for m in mine)
    stall = min(longest for _, _, longest in mine)
    found = [said("lambdatop", "wall", wall, "s"), said("lambdatop", "CPU", cpu, "s")]
    found.append(said("lambdatop", "longest stall", stall, "ms"))
    for name, seen in others.items():
        if seen:
            their_wall, their_cpu = min(s[0] for s in seen), min(s[1] for s in seen)
            found += [said(name, "wall", their_wall, "s"), said(name, "CPU", their_cpu, "s")]
            found.append(said(name, "our wall / theirs", wall / their_wall, "x"))
            found.append(said(name, "our CPU / theirs", cpu / their_cpu, "x"))
    return found


def main() -> None:
    """Measure and tell."""
    made = parser(__doc__)
    made.add_argument("--functions", type=int, default=10_000)
    made.add_argument("--boto3", metavar="PYTHON", help="a Python that has boto3")
    given = made.parse_args()
    told(figures(given.functions, given.boto3), given.json)


if __name__ == "__main__":
    main()
