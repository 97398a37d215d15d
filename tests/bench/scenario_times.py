"""Plays each scenario of the demo until it has shown what its label demands, and says how long that took.

    python -m bench.scenario_times [SCENARIO ...] [--limit SECONDS]

Run by `make scenarios`; exit 1 when a demanded finding did not come within the limit (120 s, as for
`lambdatop demo --headless 120`). Nothing is watched: the console follows the logs that it chooses itself.

Beside the demo's engine a second one runs on the same emulator with four times as many rounds. Its findings
come as soon as the figures allow, so the difference is what collecting in rounds costs; it is given in the
demo's rounds of metrics (2 s, in which 24 published seconds pass).
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from pathlib import Path
from typing import Any

import yaml
from bench.headless import racing

from lambdatop.cli.demo_session import PACES
from lambdatop.demo.scenarios import SCENARIOS
from lambdatop.domain.plans.finding import SEVERITIES

LABELS = Path(__file__).parents[1] / "scenes" / "labels.yaml"
PAUSE_S = 0.1
AHEAD = 4.0


def demanded(labels: dict[str, Any], scenario: str) -> dict[tuple[str, str], int]:
    """Return the findings that the scenario's label demands, with the least severity."""
    wanted = labels.get(scenario, {}).get("must") or ()
    return {(w["detector"], w["target"]): SEVERITIES.index(w.get("at_least", "warning")) for w in wanted}


def play(
    scenario: str, wanted: dict[tuple[str, str], int], limit_s: float
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    """Return the seconds from the start of the traffic to each demanded finding, demo and faster engine."""
    came: tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]] = ({}, {})
    with racing(scenario, AHEAD) as engines:
        began = time.monotonic()
        while min(map(len, came)) < len(wanted) and time.monotonic() < began + limit_s:
            for thread, seen in zip(engines, came, strict=True):
                for finding in thread.latest().findings:
                    name = (finding.detector, finding.target.name)
                    if name in wanted and finding.rank >= wanted[name]:
                        seen.setdefault(name, time.monotonic() - began)
            threading.Event().wait(PAUSE_S)
    return came


def main() -> int:
    """Play them; 1 when something demanded did not come."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--limit", type=float, default=120.0)
    args = parser.parse_args()
    labels = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    missed = 0
    for scenario in args.scenarios or SCENARIOS:
        wanted = demanded(labels, scenario)
        came, ahead = play(scenario, wanted, args.limit) if wanted else ({}, {})
        for name in wanted:
            seconds, soonest = came.get(name), ahead.get(name)
            missed += seconds is None
            shown = "missed" if seconds is None else f"{seconds:.0f} s"
            late = (
                ""
                if seconds is None or soonest is None
                else f"{(seconds - soonest) / PACES.metrics:+.1f} rounds"
            )
            sys.stdout.write(f"{scenario:<16} {name[0]:<20} {name[1]:<32} {shown:>7} {late:>12}\n")
            sys.stdout.flush()
    return int(bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
