"""What a round of the engine costs at any size of account: fold, detectors, rows, all of the snapshot.

`python -m bench.round_speed [FUNCTIONS ...]`. CPU ms of this process, medians of five. `all anew` makes every
row; `nothing new` is the tick that lets time pass; `answer` is one answer of 500 series folded and shown;
`detectors` is their part of `answer`.
"""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable
from statistics import median

from fakes import big_world
from fakes.worlds import NOW, PROMPT

from lambdatop.domain.build import build_snapshot
from lambdatop.domain.changed import changed
from lambdatop.domain.detectors import detect_all
from lambdatop.domain.fold import fold_all
from lambdatop.domain.sight import sight
from lambdatop.domain.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.world import World

SIZES = (100, 1_000, 10_000, 50_000)
AT_ONCE = 63
"""Functions in an answer of 500 series."""


def build(world: World, previous: Snapshot, at: float) -> Snapshot:
    return build_snapshot(world, previous=previous, at=at, version="", mode="operator", settings=PROMPT)


def cpu_ms(work: Callable[..., object], *given: object) -> float:
    """CPU of one call, ms."""
    begun = time.process_time()
    work(*given)
    return (time.process_time() - begun) * 1000


def peak_mb() -> float:
    """The most memory this process has used, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(count: int) -> dict[str, float]:
    """Medians of five rounds at one size of account."""
    before = peak_mb()
    world, now = big_world.world(count), NOW + 1
    latest = build(world, build(world, EMPTY_SNAPSHOT, NOW), now)
    gc.collect()
    gc.freeze()
    found: dict[str, list[float]] = {
        name: [] for name in ("all anew", "nothing new", "fold", "answer", "detectors")
    }
    for minute in range(1, 6):
        found["all anew"].append(cpu_ms(build, world, EMPTY_SNAPSHOT, now))
        found["nothing new"].append(cpu_ms(build, world, latest, now + 1))
        event = big_world.next_minute(count, 0, min(count, AT_ONCE), minute)
        found["fold"].append(cpu_ms(fold_all, world, (event,)))
        after, now = fold_all(world, (event,)), event.at + 1
        found["answer"].append(cpu_ms(build, after, latest, now))
        anew = changed(world, after, latest.at, now, PROMPT)
        seen = sight(after, now, PROMPT, latest.findings, anew, latest.quotas)
        found["detectors"].append(cpu_ms(detect_all, seen, latest.findings))
        world, latest = after, build(after, latest, now)
    print(f"{count:,} functions: {len(latest.findings)} findings, {peak_mb() - before:.0f} MB more")
    return {name: median(values) for name, values in found.items()}


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or SIZES
    rows = {count: measure(count) for count in sizes}
    names = list(next(iter(rows.values())))
    print("functions  " + "  ".join(f"{name:>12}" for name in names) + "   (CPU ms)")
    for count, row in rows.items():
        print(f"{count:>9}  " + "  ".join(f"{row[name]:12.1f}" for name in names))


if __name__ == "__main__":
    main()
