"""Does it grow? A simulated day of looking at 10,000 functions, its memory after a few hours and at the end.

    PYTHONPATH=tests python -m bench.day_memory [--functions N] [--hours H ...]

The day of `bench.day_of_polling` (the real source, engine, meter and detectors on a clock by hand, a
CloudWatch in memory), each length in a process of its own; RSS at the end after a collection of garbage,
and its peak. After six hours all there is to keep (three hours of series) is kept.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figure_rows import Figure, parser, told
from fakes.long_watch import watch

HOURS = (6.0, 24.0)
AT_MOST_S = 1_500


def simulate(functions: int, hours: float) -> dict[str, float]:
    """Play so many hours; memory at the end, MB."""
    with tempfile.TemporaryDirectory() as directory:
        seen = asyncio.run(watch(Path(directory), functions, functions * 3 // 10, hours))
    assert seen.plans
    del seen
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = {name: int(kb) / 1000 for name, kb in re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status)}
    return {"RSS": found["VmRSS"], "peak": found["VmHWM"]}


def main() -> int:
    """Measure and tell; alone it is called with the hours of one process."""
    made = parser(__doc__)
    made.add_argument("--functions", type=int, default=10_000)
    made.add_argument("--hours", type=float, nargs="*", default=HOURS)
    made.add_argument("--one", type=float, metavar="H", help="so many hours in this process, as JSON")
    args = made.parse_args()
    if args.one:
        sys.stdout.write(json.dumps(simulate(args.functions, args.one)) + "\n")
        return 0
    found: list[Figure] = []
    for hours in args.hours:
        command = [sys.executable, "-m", "bench.day_memory", "--functions", str(args.functions)]
        done = subprocess.run(
            [*command, "--one", str(hours)], check=True, capture_output=True, text=True, timeout=AT_MOST_S
        )
        for name, value in json.loads(done.stdout).items():
            scene = f"{args.functions:,} functions, after {hours:g} h"
            found.append(Figure("day", scene, "lambdatop", name, value, "MB"))
    told(found, args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
