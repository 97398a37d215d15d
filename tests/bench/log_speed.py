"""Lines per second to stdout, against awslogs and the AWS CLI, from the same local server in the same run.

`python -m bench.log_speed [--lines N] [--awslogs PATH] [--aws PATH]`. Whole processes, paired and
alternating; the best of three is taken, because a busy machine only ever adds. CPU is that of the reader,
not of the server.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.log_stub import GROUP

ROUNDS = 3


@dataclass(frozen=True)
class Run:
    """One process: wall and CPU seconds, seconds to the first byte, lines on stdout."""

    wall_s: float
    cpu_s: float
    first_s: float
    lines: int


def run(command: Sequence[str], environment: dict[str, str]) -> Run:
    """Run a reader to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    first, lines = 0.0, 0
    while chunk := process.stdout.read1(1 << 20):  # type: ignore[attr-defined]
        first = first or time.perf_counter() - began
        lines += chunk.count(b"\n")
    process.wait()
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, first, lines)


def readers(port: int, awslogs: str, aws: str) -> dict[str, list[str]]:
    """Commands by name; those that are not installed are left out."""
    url = f"http://127.0.0.1:{port}"
    python = [sys.executable, "-m", "lambdatop", "logs", "orders-worker", "--since", "10m"]
    found = {"lambdatop logs": python, "lambdatop logs --json": [*python, "--json"]}
    if awslogs:
        found["awslogs get"] = [awslogs, "get", GROUP, "ALL", "--start", "10m", "--aws-endpoint-url", url]
    if aws:
        asked = ["logs", "filter-log-events", "--log-group-name", GROUP, "--output", "text"]
        found["aws filter-log-events"] = [aws, *asked, "--endpoint-url", url]
    return found


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--awslogs", default="")
    parser.add_argument("--aws", default="")
    args = parser.parse_args()
    here = str(Path(__file__).with_name("log_stub.py"))
    server = subprocess.Popen([sys.executable, here, str(args.lines)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with tempfile.TemporaryDirectory() as home:
            table = measure(readers(port, args.awslogs, args.aws), _environment(port, home))
    finally:
        server.kill()
        server.wait()
    print(f"{args.lines:,} lines, best of {ROUNDS}\n")
    print(f"{'reader':24} {'lines':>9} {'lines/s':>10} {'CPU ms/1,000':>13} {'first line s':>13}")
    for name, best in table.items():
        rate, cpu_ms = best.lines / best.wall_s, best.cpu_s / best.lines * 1e6
        print(f"{name:24} {best.lines:9,} {rate:10,.0f} {cpu_ms:13.1f} {best.first_s:13.2f}")
    return 0


def measure(commands: dict[str, list[str]], environment: dict[str, str]) -> dict[str, Run]:
    """The quickest of the rounds, each reader in turn."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            found[name].append(run(command, environment))
    return {name: min(runs, key=lambda r: r.wall_s) for name, runs in found.items()}


def _environment(port: int, home: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUTF8": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
