"""What the benchmarks of the screen found: a table for people, and the same as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Literal

Unit = Literal["ms", "B/s", "x", "count"]


def arguments(about: str, runs: int) -> argparse.ArgumentParser:
    """Return the options that all of them have."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    parser.add_argument("--runs", type=int, default=runs, help="of which the median counts")
    parser.add_argument(
        "--fast-table", default="", metavar="PYTHON", help="one that has textual-fastdatatable"
    )
    return parser


class Findings:
    """Figures as they come; `show` prints them and writes the file."""

    def __init__(self, bench: str) -> None:
        self._bench = bench
        self.rows: list[dict[str, Any]] = []

    def add(
        self, scene: str, who: str, figure: str, values: Sequence[float], unit: Unit, command: Sequence[str]
    ) -> float:
        """Return the median of some values, which are left out when there are none (NaN)."""
        if not values:
            return float("nan")
        value = round(median(values), 2)
        words = " ".join(command).replace(sys.executable, "python").replace(str(Path.cwd()) + "/", "")
        self.rows.append(
            {
                "bench": self._bench,
                "scene": scene,
                "who": who,
                "figure": figure,
                "value": value,
                "unit": unit,
                "command": words,
            }
        )
        sys.stderr.write(f"{scene:34} {who:28} {figure:30} {value:>12,.1f} {unit}\n")
        return value

    def show(self, file: str | None) -> None:
        """Print the table, and write the file if one is wanted."""
        print(f"\n{self._bench}, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
        print("| scene | who | figure | value | unit |\n|---|---|---|---:|---|")
        for row in self.rows:
            words = (row["scene"], row["who"], row["figure"], f"{row['value']:,.1f}", row["unit"])
            print(f"| {' | '.join(words)} |")
        if file:
            Path(file).write_text(json.dumps(self.rows, indent=1) + "\n", encoding="utf-8")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
