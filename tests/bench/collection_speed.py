"""Collecting 10,000 functions x 8 metrics x 60 minutes: wall, CPU, longest stall of the loop.

`python -m bench.collection_speed [--functions N] [--boto3 PYTHON]`. From the same local stub, in turn:
lambdatop's own path (its door, its queries, its points), boto3 in eight threads (the Python of an environment
that has it), and the floor: sockets and `json.loads`. Rate limits are off for all three. Best of three rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from pathlib import Path

from fakes.aws_doubles import SCOPE, Bench

from lambdatop.aws.metric_answers import ask, span_until, usable
from lambdatop.aws.metric_queries import Query
from lambdatop.domain.scope import Key
from lambdatop.domain.series import SeriesKey

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


def our_queries(functions: int) -> list[Query]:
    keys = [Key(SCOPE, "function", f"service-{i:05}") for i in range(functions)]
    return [
        Query(SeriesKey(key, metric, stat), "AWS/Lambda", ("FunctionName", key.id))
        for key in keys
        for metric, stat in METRICS
    ]


async def ours(port: int, functions: int) -> tuple[float, float, float]:
    """Wall s, CPU s and the longest stall of this loop, ms."""
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
    data = usable(await ask(made.api, queries, span, lambda units: None), lambda series: False)
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--boto3", metavar="PYTHON", help="a Python that has boto3")
    given = parser.parse_args()
    command = [sys.executable, str(HERE / "metric_stub.py"), str(MINUTES)]
    mine, floors, theirs = [], [], []
    stub = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert stub.stdout is not None
        port = int(stub.stdout.readline())
        for _ in range(ROUNDS):
            mine.append(asyncio.run(ours(port, given.functions)))
            floors.append(other(sys.executable, "floor", port, given.functions))
            if given.boto3:
                theirs.append(other(given.boto3, "boto3", port, given.functions))
    finally:
        stub.kill()
        stub.wait()
    wall, cpu, _ = min(mine)
    floor_wall, floor_cpu = min(floors)
    stall = min(longest for _, _, longest in mine)
    print(f"{given.functions:,} functions x {len(METRICS)} metrics x {MINUTES} minutes")
    print(f"lambdatop          {wall:6.2f} s wall, {cpu:6.2f} s CPU, longest stall {stall:.0f} ms")
    more = cpu / floor_cpu
    print(f"json.loads alone   {floor_wall:6.2f} s wall, {floor_cpu:6.2f} s CPU (we take {more:.2f} x as much)")
    if theirs:
        their_wall, their_cpu = min(theirs)
        more = their_wall / wall
        print(f"boto3, 8 threads   {their_wall:6.2f} s wall, {their_cpu:6.2f} s CPU ({more:.1f} x our wall)")


if __name__ == "__main__":
    main()
