"""The console without an engine, on an account whose rows change each second: what the screen alone costs.

`python -m bench.shown_account FUNCTIONS SHARE [HOW]`. `rows`: that share of all rows changes each second, in
all of its figures; `cells`: that share of all figures; `numbered`: four times a second, every
invocations/min becomes the number of the change. Order and sparklines stay, as within a minute. Snapshots
come from a thread beside the screen's; those of a large account are made beforehand, so that no work but the
screen's is measured.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from itertools import chain, cycle
from random import Random
from typing import Any

from bench.baselines.rows import changed, figures, name
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole, done
from fakes.worlds import function
from msgspec.structs import replace

from lambdatop.cli.commands import console
from lambdatop.cli.run import run
from lambdatop.domain.keys import Key
from lambdatop.domain.state.snapshot import FunctionRow, Snapshot

FIELDS = (
    "invocations_per_min",
    "errors_per_min",
    "error_rate",
    "throttles_per_min",
    "duration_p99_ms",
    "duration_max_ms",
    "concurrency_max",
    "burn_usd_per_hour",
)
Rows = tuple[FunctionRow, ...]
MADE_ANEW, BEFOREHAND = 1_000, 5
"""Rows up to which they are made while it runs, and else so many states there and back again."""
FIRST_NUMBER = 100


def row_of(number: int, now: float) -> FunctionRow:
    """Return one function, the hotter the smaller its number."""
    facts = replace(function(name(number)), key=Key(scene.SCOPE, "function", name(number)))
    spark = tuple(float((number + minute) % 9) for minute in range(60))
    said: dict[str, Any] = dict(zip(FIELDS, figures(number, 0), strict=True))
    heat = 90 - number * 80 / 50_000
    return FunctionRow(facts, reserved_known=True, heat=heat, as_of=now, spark=spark, **said)


def changes(rows: Rows, share: float, how: str) -> Iterator[Rows]:
    """Yield the rows of one second after the other."""
    random, tick = Random(8), 0
    while True:
        tick += 1
        now, anew = time.time(), list(rows)
        for number in changed(len(rows), share, random) if how == "rows" else range(len(rows)):
            said: dict[str, Any] = dict(zip(FIELDS, figures(number, tick), strict=True))
            if how == "cells":
                said = {k: v for k, v in said.items() if random.random() < share}
            elif how == "numbered":
                said = {FIELDS[0]: FIRST_NUMBER + float(tick)}
            if said:
                anew[number] = replace(anew[number], as_of=now, **said)
        rows = tuple(anew)
        yield rows


def there_and_back(rows: Rows, share: float, how: str) -> Iterator[Rows]:
    """Yield the same for a large account, without making anything."""
    made = [rows, *(state for _, state in zip(range(BEFOREHAND), changes(rows, share, how), strict=False))]
    steps = cycle(chain(made[1:], made[-2::-1]))
    return steps


class Account(FakeConsole):
    """Where the engine's thread would be."""

    def __init__(self, count: int, share: float, how: str) -> None:
        now = time.time()
        rows = tuple(row_of(number, now) for number in range(count))
        make = changes if count <= MADE_ANEW else there_and_back
        self._states = make(rows, share, how) if share else None
        self._pace_s = 0.25 if how == "numbered" else 1.0
        self._base = scene.snapshot(findings=(), incidents=(), logs={})
        super().__init__(self._made(rows, now), time.time)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._change, daemon=True)

    def _made(self, rows: Rows, now: float) -> Snapshot:
        sources = tuple(replace(row, age_s=0.0) for row in self._base.sources)
        return replace(self._base, functions=rows, at=now, sources=sources)

    def start(self) -> None:
        if self._states is not None:
            self._thread.start()

    def stop(self) -> bool:
        self._over.set()
        return True

    def snapshot_once(self, wait_s: float) -> Any:
        return done(self.snapshot)

    def _change(self) -> None:
        assert self._states is not None
        for rows in self._states:
            self.snapshot = self._made(rows, time.time())
            if self._over.wait(self._pace_s):
                return


if __name__ == "__main__":
    account = Account(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "rows")
    setattr(console, "engine_thread", lambda context, parts: account)  # noqa: B010
    sys.exit(run([]))
