"""Kills consoles with kill -9 at random moments of their mutation traffic, and reads what they left behind.

    python -m bench.kill_soak [--kills N] [--seed S]

Run by `make kills`. The account outlives the consoles: it runs in this process, which kills each console up
to 60 ms after its first request. One in ten dies in the middle of a journal line instead. Each request must
have found its intent on disk, the chain must verify, a torn line must be repaired, and no entry may say what
is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fakes.wire_world import Request
from fakes.wire_world_cells import Cell, check_words
from fakes.wire_world_flow import LATER_S, Lab, lab
from fakes.wire_world_kills import KILLED, Nursery, nursery

AFTER_S = 0.06
TORN_SHARE = 0.1
PER_JOURNAL = 50
"""Kills before a new journal begins: every start reads the whole of it."""


@dataclass
class Tally:
    """What was counted, and what broke."""

    kills: int = 0
    torn: int = 0
    repaired: int = 0
    requests: int = 0
    applied: int = 0
    entries: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    settled: int = 0
    broken: list[str] = field(default_factory=list)

    def lines(self) -> list[tuple[str, object]]:
        """Return the summary."""
        return [
            ("consoles killed with SIGKILL", self.kills),
            ("  of these in the middle of a journal line", self.torn),
            ("torn lines repaired", self.repaired),
            ("mutating requests that reached the server", self.requests),
            ("  applied", self.applied),
            ("journal entries", self.entries),
            *((f"  {word}", n) for word, n in sorted(self.outcomes.items())),
            *((f"    {why}", n) for why, n in sorted(self.reasons.items())),
            ("entries left open by a kill and settled afterwards", self.settled),
            ("invariants broken", len(self.broken)),
        ]


async def soak(kills: int, home: Path, seed: int) -> Tally:
    """Kill so many times, in journals of `PER_JOURNAL` each."""
    tally, dice = Tally(), random.Random(seed)
    async with lab() as made, nursery(made.stub.url, home) as from_:
        while tally.kills < kills:
            directory = home / f"journal{tally.kills}"
            made.world.reset(made.console(directory).file)
            for _ in range(min(PER_JOURNAL, kills - tally.kills)):
                await _one(made, from_, directory, dice, tally)
            await _verify(made, directory, tally)
    return tally


async def _one(lab: Lab, from_: Nursery, directory: Path, dice: random.Random, tally: Tally) -> None:
    """Run a console that recovers, mutates and is killed."""
    torn = dice.randint(1, 12) if dice.random() < TORN_SHARE else 0
    timers: list[asyncio.TimerHandle] = []

    def arm(request: Request) -> None:
        if not timers and not torn and request.pid:
            after, loop = dice.uniform(0.0, AFTER_S), asyncio.get_running_loop()
            timers.append(loop.call_later(after, os.kill, request.pid, signal.SIGKILL))

    lab.world.on_request = arm
    status = await from_.run(do="soak", directory=str(directory), seed=dice.random(), tear=torn)
    for timer in timers:
        timer.cancel()
    tally.kills += 1
    tally.torn += bool(torn)
    if status != KILLED:
        tally.broken.append(f"a console ended with {status} by itself")


async def _verify(lab: Lab, directory: Path, tally: Tally) -> None:
    """Verify the chain, the torn lines, every request's intent, and every entry's outcome."""
    lab.world.on_request = lambda request: None
    later = lab.console(directory, later_s=LATER_S)
    data = later.file.read_bytes()
    tally.settled += data.count(b"(found)")
    pending = int(not data.endswith(b"\n"))
    tally.repaired += pending + data.count(b'"record":"repair"')
    for _ in range(4):
        await later.executor.recover()
    entries, sent = later.journal.read(), lab.world.requests
    cell = Cell("soak", "kill -9", False)
    cell.must(all(r.intent for r in sent), "a request without an intent on disk")
    cell.must(len({r.intent for r in sent}) == len(sent), "an intent was sent twice")
    check_words(cell, entries, sent, final=False)
    tally.reasons.update(e.detail.split(":")[0] for e in entries if e.outcome == "unknown")
    cell.must("open" not in {e.outcome for e in entries}, "an entry is open after recovery")
    tally.broken += cell.broken
    tally.requests += len(sent)
    tally.applied += sum(r.applied for r in sent)
    tally.entries += len(entries)
    tally.outcomes.update(e.outcome for e in entries)


def main() -> int:
    """Soak and print; 1 when anything broke."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        tally = asyncio.run(soak(args.kills, Path(home), args.seed))
    for name, value in tally.lines():
        sys.stdout.write(f"{name:<52}{value!s:>8}\n")
    sys.stdout.writelines(f"! {why}\n" for why in tally.broken)
    if tally.torn != tally.repaired:
        sys.stdout.write(f"! {tally.torn} lines were torn, {tally.repaired} were repaired\n")
    sys.stdout.write(f"{time.monotonic() - began:.0f} s, seed {args.seed}\n")
    return int(bool(tally.broken) or tally.torn != tally.repaired or not tally.requests)


if __name__ == "__main__":
    raise SystemExit(main())
