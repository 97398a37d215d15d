"""What the polling plan costs and how old things become by it, for accounts of all sizes.

PYTHONPATH=tests python -m bench.polling_cost
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import starmap
from typing import NamedTuple

from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.polling.plan import plan
from lambdatop.domain.polling.state import PollingState
from lambdatop.domain.polling.tripwire import WIRES, Move, Reading
from lambdatop.domain.settings.settings import Limits

SCOPE = Scope("123456789012", "eu-central-1")
SIZES = (50, 200, 1_000, 10_000, 50_000)
ACTIVE = (0.05, 0.30, 1.0)
ON_SCREEN, HOT, SERIES = 25, 10, 11.0
QUEUES, PER_QUEUE, MOST_QUEUES = 0.02, 6, 200
"""Queues behind mappings as a share of the functions, and what each costs."""
NOW = 1_800_000_000.0
ERRORS = Reading((Move(WIRES[1], int(NOW) - 60, 500.0, 2.0),))


class Row(NamedTuple):
    """One line of the table."""

    functions: int
    active: float
    spending: str
    polling: PollingStatus


def state(functions: int, active: float, spending: str) -> PollingState:
    """Return an account in the middle of its hour.

    "searching" is an incident whose cause is not known yet.
    """
    keys = [Key(SCOPE, "function", f"f{i:05d}") for i in range(functions)]
    running = keys[: max(1, round(functions * active))]
    queues = [Key(SCOPE, "queue", f"q{i}") for i in range(min(MOST_QUEUES, round(functions * QUEUES)))]
    hot = () if spending == "calm" else tuple(running[:HOT])
    return PollingState(
        NOW,
        60.0,
        Limits().budget_usd_per_hour,
        Limits().calm_usd_per_hour,
        functions=frozenset(keys),
        active=frozenset(running),
        hot=hot,
        visible=frozenset(running[:ON_SCREEN]),
        troubled=bool(hot),
        series=SERIES,
        fixed=dict.fromkeys(queues, PER_QUEUE),
        urgent=frozenset(queues[:2]),
        reading=ERRORS if spending == "searching" else Reading(),
    )


CELLS = [
    (n, share, spending) for n in SIZES for share in ACTIVE for spending in ("calm", "incident", "searching")
]


@cache
def row(functions: int, active: float, spending: str) -> Row:
    """Return the line of one cell."""
    return Row(functions, active, spending, plan(state(functions, active, spending)).polling)


def table() -> Iterator[Row]:
    """Yield all cells."""
    return starmap(row, CELLS)


def main() -> None:
    """Print the table."""
    limits = Limits()
    print(f"budget ${limits.budget_usd_per_hour:.2f} an hour, ${limits.calm_usd_per_hour:.2f} while calm;")
    print(f"{ON_SCREEN} functions on screen, {HOT} hot in an incident, {SERIES:g} series each\n")
    heads = "functions active  mood       calls/min   USD/h  on screen, hot  moves a total  any other"
    print(heads)
    print("-" * len(heads))
    for row in table():
        seen = row.polling
        ages = "".join(f"{_s(s):>15}" for s in (seen.hot_s, seen.mover_s, seen.cold_s))
        figures = f"{seen.calls_per_min:9.1f}  {seen.usd_per_hour:6.3f}"
        print(f"{row.functions:9,} {row.active:6.0%}  {row.spending:<9} {figures} {ages}")


def _s(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    main()
