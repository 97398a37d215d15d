"""Runs the calm scenario for a quarter of an hour and looks at each snapshot: nothing may be above info.

    python -m bench.calm_soak [--minutes M] [--scenario NAME]

Run by `make calm`; exit 1 and the findings with their formulas when something was stated.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time

from bench.headless import playing, watch_all

from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state.snapshot import Snapshot

PAUSE_S = 0.5


def alarms(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return the findings that a quiet day must not have."""
    return tuple(f for f in snapshot.findings if f.rank > 0)


def main() -> int:
    """Soak; 1 when anything above info was stated or nothing was seen at all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--scenario", default="calm")
    args = parser.parse_args()
    stated: dict[tuple[str, str], Finding] = {}
    seen, last = 0, -1
    with playing(args.scenario) as (thread, _):
        until = time.monotonic() + 60 * args.minutes
        while time.monotonic() < until:
            snapshot = thread.latest()
            if snapshot.seq != last:
                last, seen = snapshot.seq, seen + bool(snapshot.functions)
                for finding in alarms(snapshot):
                    _say(stated, finding)
            watch_all(thread)
            threading.Event().wait(PAUSE_S)
    sys.stdout.write(
        f"{args.scenario}: {seen} snapshots in {args.minutes:g} min, {len(stated)} findings above info\n"
    )
    return int(bool(stated) or not seen)


def _say(stated: dict[tuple[str, str], Finding], finding: Finding) -> None:
    name = (finding.detector, finding.target.name)
    if name not in stated:
        stated[name] = finding
        sys.stdout.write(f"{finding.severity} {finding.detector} {finding.title} [{finding.formula}]\n")
        sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
