"""All benchmarks in turn: `build/bench.json`, and one table for each of them in `build/bench.md`.

    PYTHONPATH=tests python -m bench.suite [--quick] [--only WORD] [--boto3 PYTHON] [--aws AWS]

Each bench is a process of its own with a limit of time, one after the other, so that none disturbs another.
One that fails or that this machine cannot run is named with the reason, and the exit code is 1. `--quick`
takes small accounts and short times: it shows that everything runs, its figures are rough. All tables begin
with the machine and its load, because two machines are never alike: read ratios of one run.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench.figure_rows import Figure, parser, read, table

ROOT = Path(__file__).resolve().parents[2]
TABLE = "bench.md"
PATIENCE_S = 20.0


class Bench(NamedTuple):
    """A module with the arguments of a whole and of a quick run, and the most that it may take, s."""

    module: str
    whole: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    most_s: float = 1_200.0


def benches(python: str | None, aws: str | None) -> tuple[Bench, ...]:
    """Return all of them; the other programs take part where they are installed."""
    boto3 = ("--boto3", python) if python else ()
    scripts = (*(("--python", python) if python else ()), *(("--aws", aws) if aws else ()))
    return (
        Bench("start_speed", (), ("--runs", "2")),
        Bench("key_speed", ("--runs", "1"), ("--runs", "1", "--functions", "1000", "--keys", "30"), 2_400),
        Bench(
            "wire_speed",
            ("--runs", "1", "--keys", "50"),
            ("--runs", "1", "--keys", "10", "--seconds", "5", "--functions", "1000"),
            2_400,
        ),
        Bench(
            "steady_speed",
            ("1000", "10000", "50000", "--warm", "300", "--seconds", "300"),
            ("300", "--warm", "15", "--seconds", "10"),
            2_400,
        ),
        Bench("round_speed", (), ("100", "1000")),
        Bench("collection_speed", boto3, ("--functions", "200", *boto3)),
        Bench("headless_speed", scripts, ("--functions", "100", "--rounds", "1", *scripts)),
        Bench("growth_speed", (), ("100", "1000")),
    )


def machine() -> Iterator[str]:
    """Yield the machine and its load, as lines."""
    yield f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.system()} {platform.machine()}"
    yield f"{os.cpu_count()} cores, load {' '.join(f'{x:.1f}' for x in os.getloadavg())} before it began"
    yield f"Python {platform.python_version()}"


def run(bench: Bench, *, quick: bool) -> tuple[list[Figure], str]:
    """Return its figures, or why there are none."""
    if importlib.util.find_spec(f"bench.{bench.module}") is None:
        return [], f"{bench.module}: it is not in this checkout"
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "figures.json")
        arguments = bench.quick if quick else bench.whole
        command = [sys.executable, "-m", f"bench.{bench.module}", *arguments, "--json", str(file)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                said = process.communicate(timeout=bench.most_s)[1]
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)  # so that it ends what it has started
                return [], f"{bench.module}: it took longer than {bench.most_s:.0f} s"
            finally:
                _end(process)
        if process.returncode or not file.exists():
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            return [], f"{bench.module}: exit {process.returncode}: {last}"
        return read(file), ""


def _end(process: subprocess.Popen[str]) -> None:
    """End the process within some seconds, whatever it does."""
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()


def report(about: list[str], figures: list[Figure], missing: list[str]) -> str:
    """Return the whole as Markdown."""
    commands = dict.fromkeys(f.command for f in figures)
    parts = ["\n".join(about), table(figures), "Measured by:\n", *(f"- `{command}`" for command in commands)]
    if missing:
        parts += ["\nNot measured:\n", *(f"- {why}" for why in missing)]
    return "\n\n".join(parts[:3]) + "\n" + "\n".join(parts[3:]) + "\n"


def main() -> int:
    """Run all, write both files."""
    made = parser(__doc__)
    made.set_defaults(json=ROOT / "build" / "bench.json")
    made.add_argument("--quick", action="store_true")
    made.add_argument("--only", default="", metavar="WORD", help="benches with this in their name")
    made.add_argument("--boto3", metavar="PYTHON", help="a Python that has boto3 (default: this one)")
    made.add_argument("--aws", metavar="AWS", help="an AWS CLI")
    args = made.parse_args()
    about, figures, missing = list(machine()), list[Figure](), list[str]()
    for bench in benches(args.boto3 or sys.executable, args.aws):
        if args.only in bench.module:
            sys.stdout.write(f"--- {bench.module}\n")
            sys.stdout.flush()
            found, why = run(bench, quick=args.quick)
            figures += found
            missing += [why] if why else []
    args.json.parent.mkdir(parents=True, exist_ok=True)
    whole = {"machine": about, "figures": [f._asdict() for f in figures], "missing": missing}
    args.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    args.json.with_name(TABLE).write_text(report(about, figures, missing), encoding="utf-8")
    for why in missing:
        sys.stdout.write(f"not measured: {why}\n")
    sys.stdout.write(f"{len(figures)} figures in {args.json} and {args.json.with_name(TABLE)}\n")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
