"""Lines per second to stdout, against awslogs and the AWS CLI, from the same local server in the same run.

`python -m bench.log_speed [--lines N] [--rounds N] [--awslogs PATH] [--aws PATH]`. Whole processes, paired
and alternating; the best round of each is taken, because a busy machine only ever adds. CPU is that of the
reader, not of the server. The AWS CLI breaks each event into two lines and counts by events.

lambdatop holds itself to a third of what the region allows everybody (8.3 pages/s in us-east-1), which is
`limits.logs_per_s` as far as it may be raised; the others ask as fast as they can.
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

from lambdatop.engine.rate_limiter import logs_per_s

REGION = "us-east-1"
ROUNDS = 3
MARKS = {"aws filter-log-events": b"EVENTS\t"}
PAGES_PER_S = 10
"""The most that the configuration takes; our share of the region's rate is less."""


@dataclass(frozen=True)
class Run:
    """One process: wall and CPU seconds, seconds to the first byte, lines on stdout."""

    wall_s: float
    cpu_s: float
    first_s: float
    lines: int


def run(command: Sequence[str], environment: dict[str, str], mark: bytes) -> Run:
    """Run a reader to its end; each line of the log has one `mark`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    first, chunks = 0.0, []
    while chunk := process.stdout.read1(1 << 20):  # type: ignore[attr-defined]
        first = first or time.perf_counter() - began
        chunks.append(chunk)
    process.wait()
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, first, b"".join(chunks).count(mark))


def readers(port: int, awslogs: str, aws: str) -> dict[str, list[str]]:
    """Return commands by name; those that are not installed are left out."""
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
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--awslogs", default="")
    parser.add_argument("--aws", default="")
    args = parser.parse_args()
    here = str(Path(__file__).with_name("log_stub.py"))
    server = subprocess.Popen([sys.executable, here, str(args.lines)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with tempfile.TemporaryDirectory() as home:
            config = Path(home, "config.yaml")
            config.write_text(f"limits:\n  logs_per_s: {PAGES_PER_S}\n", encoding="utf-8")
            environment = environment_of(port, home) | {"LAMBDATOP_CONFIG": str(config)}
            table = measure(readers(port, args.awslogs, args.aws), environment, args.rounds)
    finally:
        server.kill()
        server.wait()
    show(table, args.lines, args.rounds)
    return 0 if all(best.lines == args.lines for best in table.values()) else 1


def show(table: dict[str, Run], lines: int, rounds: int) -> None:
    """Print the table; the last column is how many times as fast as awslogs."""
    share = logs_per_s(REGION)
    print(f"{lines:,} lines, best of {rounds}; lambdatop at {min(PAGES_PER_S, share):.1f} pages/s\n")
    print(f"{'reader':24} {'lines':>9} {'lines/s':>10} {'CPU ms/1,000':>13} {'first s':>8} {'x awslogs':>10}")
    awslogs = table.get("awslogs get")
    for name, best in table.items():
        rate, cpu_ms = best.lines / best.wall_s, best.cpu_s / max(1, best.lines) * 1e6
        times = f"{rate * awslogs.wall_s / awslogs.lines:.1f}" if awslogs and awslogs.lines else "-"
        print(f"{name:24} {best.lines:9,} {rate:10,.0f} {cpu_ms:13.1f} {best.first_s:8.2f} {times:>10}")
        if best.lines != lines:
            print(f"{'':24} {best.lines - lines:+,} lines: not what was asked for")


def measure(
    commands: dict[str, list[str]], environment: dict[str, str], rounds: int = ROUNDS
) -> dict[str, Run]:
    """Return the quickest of the rounds, each reader in turn."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(run(command, environment, MARKS.get(name, b"\n")))
    return {name: min(runs, key=lambda r: r.wall_s) for name, runs in found.items()}


def environment_of(port: int, home: str) -> dict[str, str]:
    """Return variables that point a program at the server, and at nothing of the user's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUTF8": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
