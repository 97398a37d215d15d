"""`lambdatop snapshot --json` against what people write instead, on the same account.

    PYTHONPATH=tests python -m bench.headless_speed [--functions N] [--python PYTHON] [--aws AWS] [--rounds N]

The scripts fetch functions, mappings, settings, alarms and eight metrics of each function, an hour back;
from a local server that answers at once, so that what is measured is the reader. lambdatop is measured
twice: as it is, with its rate limits and its budget (it holds five calls a second to Lambda, and asks in
detail only about what matters), and without a budget. `series` is what each asked CloudWatch for. Medians
of the rounds.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.figure_rows import Figure, parser, told
from bench.log_speed import environment_of
from bench.steady_speed import NO_BUDGET, serving

HERE = Path(__file__).parent
AT_MOST_S = 300
WAIT_S = "120"


def run(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float, int]:
    """Return wall s, CPU s with all children, and the number of functions in the answer."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, timeout=AT_MOST_S)
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1) or not done.stdout:
        raise SystemExit(f"{command[0]}: exit {done.returncode}: {done.stderr.decode()[-800:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, len(json.loads(done.stdout)["functions"])


def measure(functions: int, who: dict[str, tuple[Sequence[str], str]], rounds: int) -> list[Figure]:
    """Return the medians of all figures; the second of each pair is a configuration for lambdatop."""
    walls: dict[str, list[tuple[float, float, int]]] = {name: [] for name in who}
    with serving(functions, 0.2) as (account, port):
        for _ in range(rounds):
            for name, (command, config) in who.items():
                with tempfile.TemporaryDirectory() as home:
                    environment = environment_of(port, home)
                    if config:
                        file = Path(home, ".config", "lambdatop", "config.yaml")
                        file.parent.mkdir(parents=True)
                        file.write_text(config, encoding="utf-8")
                    series = account.series
                    wall, cpu, listed = run(command, environment)
                    assert listed == functions, (name, listed)
                    walls[name].append((wall, cpu, account.series - series))
    found: list[Figure] = []
    scene = f"{functions:,} functions"
    for name, seen in walls.items():
        for i, (figure, unit) in enumerate((("wall", "s"), ("CPU", "s"), ("series", ""))):
            value = median(one[i] for one in seen)
            found.append(Figure("headless", scene, name, figure, value, unit))
    return found


def main() -> int:
    """Measure and tell."""
    made = parser(__doc__)
    made.add_argument("--functions", type=int, default=1_000)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--python", default=sys.executable, help="a Python that has boto3")
    made.add_argument("--aws", help="an AWS CLI; without it that part is left out")
    args = made.parse_args()
    ours = (sys.executable, "-m", "lambdatop", "snapshot", "--json", "--wait", WAIT_S)
    reader = str(HERE / "headless_readers.py")
    who: dict[str, tuple[Sequence[str], str]] = {
        "lambdatop": (ours, ""),
        "lambdatop, no budget": (ours, NO_BUDGET),
        "boto3 script": ((args.python, reader, "boto3"), ""),
    }
    if args.aws:
        who["AWS CLI script"] = ((sys.executable, reader, "aws", os.path.abspath(args.aws)), "")
    told(measure(args.functions, who, args.rounds), args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
