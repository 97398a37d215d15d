"""What a round of the engine costs at any size of account: fold, detectors, rows, all of the snapshot.

`python -m bench.round_speed [FUNCTIONS ...]`. CPU ms of this process, medians of five. `all anew` makes
every row; `first` is the round after the list has come, before any metric; `nothing new` is the tick that
lets time pass; `answer` is one answer of 500 series folded and shown; `detectors` is their part of
`answer`; `quotas` is what counting them adds to one round in ten seconds; `memory` is the World with an
hour of eight metrics, and two rounds of snapshots.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from statistics import median

from bench.figure_rows import Figure, parser, told
from fakes import big_world
from fakes.worlds import NOW, PROMPT, SCOPE

from lambdatop.domain.detectors.registry import detect_all
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.quotas.rows import quota_rows
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.invalidation import changed
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD, World

SIZES = (100, 1_000, 10_000, 50_000)
AT_ONCE = 63
"""Functions in an answer of 500 series."""


def build(world: World, previous: Snapshot, at: float) -> Snapshot:
    return build_snapshot(world, previous=previous, at=at, version="", mode="operator", settings=PROMPT)


def cpu_ms(work: Callable[..., object], *given: object) -> float:
    """Return CPU of one call, ms."""
    begun = time.process_time()
    work(*given)
    return (time.process_time() - begun) * 1000


def peak_mb() -> float:
    """Return the most memory this process has used, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def first_ms(count: int) -> float:
    """Return CPU of the first round after the list, ms."""
    listed = fold_all(EMPTY_WORLD, (ev.FunctionsListed(SCOPE, NOW, big_world.facts(count)),))
    return median(cpu_ms(build, listed, EMPTY_SNAPSHOT, NOW) for _ in range(3))


def measure(count: int) -> dict[str, float]:
    """Return medians of five rounds at one size of account."""
    first, before = first_ms(count), peak_mb()
    world, now = big_world.world(count), NOW + 1
    latest = build(world, build(world, EMPTY_SNAPSHOT, NOW), now)
    memory = peak_mb() - before
    gc.collect()
    gc.freeze()
    names = ("all anew", "nothing new", "fold", "answer", "detectors", "quotas")
    found: dict[str, list[float]] = {name: [] for name in names}
    for minute in range(1, 6):
        found["all anew"].append(cpu_ms(build, world, EMPTY_SNAPSHOT, now))
        found["nothing new"].append(cpu_ms(build, world, latest, now + 1))
        event = big_world.next_minute(count, 0, min(count, AT_ONCE), minute)
        found["fold"].append(cpu_ms(fold_all, world, (event,)))
        after, now = fold_all(world, (event,)), event.at + 1
        found["answer"].append(cpu_ms(build, after, latest, now))
        found["quotas"].append(cpu_ms(quota_rows, after, now, PROMPT))
        anew = changed(world, after, latest.at, now, PROMPT)
        seen = evaluation_context(after, now, PROMPT, latest.findings, anew, latest.quotas)
        found["detectors"].append(cpu_ms(detect_all, seen, latest.findings))
        world, latest = after, build(after, latest, now)
    return {"first": first, **{name: median(values) for name, values in found.items()}, "memory": memory}


def main() -> None:
    """Measure and tell."""
    made = parser(__doc__)
    made.add_argument("functions", type=int, nargs="*", default=SIZES)
    args = made.parse_args()
    found: list[Figure] = []
    for count in args.functions:
        scene = f"{count:,} functions"
        for name, value in measure(count).items():
            unit = "MB" if name == "memory" else "ms"
            found.append(Figure("round", scene, "lambdatop", name, value, unit))
    told(found, args.json)


if __name__ == "__main__":
    main()
