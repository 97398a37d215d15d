"""Does it stay linear? Rounds, collection and memory at 10^2, 10^3, 10^4 and 5 x 10^4 functions.

    PYTHONPATH=tests python -m bench.growth_speed [FUNCTIONS ...]

Each size in a process of its own, by the benches that measure these things anyway (`round_speed`,
`collection_speed`). `by function` is what one function costs at this size; `growth` is that, divided by the
same of the size before: 1 is linear, less is better than linear.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.figure_rows import Figure, parser, read, told

SIZES = (100, 1_000, 10_000, 50_000)
MOST_COLLECTED = 10_000
"""Collecting is a sum of requests of 500 series: 50,000 functions are five times 10,000."""
AT_MOST_S = 900
FIGURES = {
    ("round", "all anew"): "ms",
    ("round", "nothing new"): "ms",
    ("round", "answer"): "ms",
    ("round", "detectors"): "ms",
    ("round", "memory"): "MB",
    ("collection", "CPU"): "s",
}


def measured(module: str, *arguments: str) -> list[Figure]:
    """Return the figures of another bench."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "figures.json")
        command = [sys.executable, "-m", f"bench.{module}", *arguments, "--json", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=AT_MOST_S)
        return read(file)


def at_size(functions: int) -> dict[tuple[str, str], float]:
    """Return what is to grow, at one size."""
    found = measured("round_speed", str(functions))
    if functions <= MOST_COLLECTED:
        found += measured("collection_speed", "--functions", str(functions))
    of_us = {(f.bench, f.figure): f.value for f in found if f.who == "lambdatop"}
    return {name: of_us[name] for name in FIGURES if name in of_us}


def growth(sizes: Sequence[int]) -> list[Figure]:
    """Return one line for each figure and size."""
    found: list[Figure] = []
    before: dict[tuple[str, str], tuple[int, float]] = {}
    for size in sizes:
        for name, value in at_size(size).items():
            scene, who = " ".join(name), f"{size:,}"
            found.append(Figure("growth", scene, who, "value", value, FIGURES[name]))
            if name in before and before[name][1] > 0:
                smaller, least = before[name]
                times = (value / size) / (least / smaller)
                found.append(Figure("growth", scene, who, "growth by function", times, "x"))
            before[name] = size, value
    return found


def main() -> int:
    """Measure and tell."""
    made = parser(__doc__)
    made.add_argument("functions", type=int, nargs="*", default=SIZES)
    args = made.parse_args()
    told(sorted(growth(args.functions), key=lambda f: f.scene), args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
