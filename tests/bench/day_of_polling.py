"""A day of looking at 10,000 functions: calm, two hours of incidents, calm; its cost and the ages it left.

    PYTHONPATH=tests python -m bench.day_of_polling [functions [active]]

The real source, planner, engine, meter and detectors on a clock by hand; below `Api` a CloudWatch in memory
that counts requests and metrics by itself. Fails when an hour cost more than its budget, when the meter and
CloudWatch disagree, when a function that moved a total was found later than two minutes after its first
minute was published, or when a hot one was left alone for longer than two minutes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fakes.long_watch import Watch, watch
from fakes.metric_flood import LATE_S

from lambdatop.domain.cost.pricing import METRIC_USD

HOURS, BEGINS, ENDS = 24.0, 8.0, 10.0
ERRORS, AFTER_H = 120.0, 0.75
FOUND_S = STALEST_S = 120.0


def problems(seen: Watch) -> Iterator[str]:
    """Yield what is not as promised."""
    limits = seen.settings.limits
    for hour, units in sorted(seen.flood.by_hour.items()):
        calm = not BEGINS <= hour <= ENDS
        usd, most = units * METRIC_USD, limits.calm_usd_per_hour if calm else limits.budget_usd_per_hour
        if usd > most:
            yield f"hour {hour}: ${usd:.4f}, more than ${most:.2f}"
    worst = max(seen.rolling_usd(), default=0.0)
    if worst > limits.budget_usd_per_hour:
        yield f"${worst:.4f} within 60 minutes, more than ${limits.budget_usd_per_hour:.2f}"
    if abs(seen.meter_usd - seen.flood.usd) > 1e-9:
        yield f"the meter says ${seen.meter_usd:.5f}, CloudWatch counted ${seen.flood.usd:.5f}"
    for trouble in seen.flood.troubles:
        if seen.found_s(trouble) > FOUND_S:
            yield f"function {trouble.number} was found {seen.found_s(trouble):.0f} s after its first minute"
        if seen.stalest_s(trouble) > STALEST_S:
            yield f"function {trouble.number} was left alone for {seen.stalest_s(trouble):.0f} s"


def report(seen: Watch) -> Iterator[str]:
    """Yield what happened, as lines."""
    flood = seen.flood
    yield f"{flood.functions:,} functions, {flood.active:,} active, {HOURS:g} h"
    asked = f"requests {dict(flood.calls)}, metrics {flood.units:,}"
    yield f"{asked}, ${flood.usd:.4f} (our meter: ${seen.meter_usd:.4f})"
    for hour, units in sorted(flood.by_hour.items()):
        told = [p for at, p in seen.plans if int((at - flood.began) // 3600) == hour]
        modes = ", ".join(dict.fromkeys(p.spending for p in told))
        hot, cold = max(p.hot_s for p in told), max(p.cold_s for p in told)
        yield (
            f"hour {hour:2}: ${units * METRIC_USD:.4f}  {modes:<12} told: on screen and hot <= {hot:5.0f} s, "
            f"cold <= {cold / 60:4.0f} min"
        )
    yield f"most within any 60 minutes: ${max(seen.rolling_usd()):.4f}"
    for trouble in flood.troubles:
        found = seen.found_s(trouble)
        kind = "active" if trouble.number < flood.active else "asleep before"
        yield (
            f"function {trouble.number} ({kind}): detail {found:.0f} s after its first minute was published, "
            f"{found + 60 + LATE_S:.0f} s after it began; then at least every {seen.stalest_s(trouble):.0f} s"
        )


def main() -> int:
    """Play the day, print, judge."""
    functions = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    active = int(sys.argv[2]) if len(sys.argv) > 2 else functions * 3 // 10
    troubles = (
        (active // 2, BEGINS, ENDS, ERRORS),
        (active * 3 // 4 + 1, BEGINS + AFTER_H, ENDS, 3 * ERRORS),
        (min(active + 7, functions - 1), BEGINS + 2 * AFTER_H, ENDS, 9 * ERRORS),
    )
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        seen = asyncio.run(watch(Path(directory), functions, active, HOURS, *troubles))
    for line in report(seen):
        print(line)
    found = list(problems(seen))
    for problem in found:
        print(f"FAILED: {problem}")
    print(f"({time.monotonic() - began:.0f} s)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
