"""Choose whose logs are followed: functions on screen, then those in trouble. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.state.world import World

RECENT_POINTS = 5
NEAR_TIMEOUT = 0.8
SMALL_RESERVATION = 10
STAY_S = 600.0
"""A chosen log is followed for so long, s: a tail that is dropped soon shows nothing."""


def choose(
    world: World,
    functions: Iterable[FunctionFacts],
    watched: frozenset[Key],
    following: Mapping[Key, float],
    now: float,
    most: int,
    give_way: GiveWay = no_pause,
) -> list[Key]:
    """Return at most `most` functions besides the watched ones, which are always followed.

    `following` says until when each log that is followed now stays (s since the epoch). `give_way` is called
    again and again.
    """
    known = {f.key: f for f in functions}
    chosen = dict.fromkeys(sorted(k for k in watched if k in known))
    staying = sorted((k for k, until in following.items() if until > now and k in known))
    urgent = [
        (_rank(world, facts), key) for key, facts in paced(known.items(), give_way) if key in world.series
    ]
    enough = most + len(staying) + len(watched)
    trouble = nsmallest(enough, (each for each in urgent if each[0][0] < _IDLE and each[1] not in watched))
    failing = (key for rank, key in trouble if rank[0] == 0)
    for key in (*failing, *staying, *(key for _, key in trouble)):
        if len(chosen) >= max(most, len(watched)):
            break
        chosen[key] = None
    return list(chosen)


def troubled(world: World, functions: Iterable[FunctionFacts]) -> Iterable[Key]:
    """Return functions that failed, were throttled or ran near their timeout lately."""
    return (f.key for f in functions if f.key in world.series and _rank(world, f)[0] <= _TROUBLE)


_TROUBLE, _IDLE = 2, 5


def _rank(world: World, facts: FunctionFacts) -> tuple[int, float]:
    """Return its log's rank, by errors, throttles, long runs, small reservation, traffic; less is sooner."""
    key = facts.key

    def lately(metric: str, stat: str = "Sum") -> Sequence[float]:
        return world.metric(key, metric, stat).values[-RECENT_POINTS:]

    errors, throttles, runs = sum(lately("Errors")), sum(lately("Throttles")), sum(lately("Invocations"))
    longest = max(lately("Duration", "Maximum"), default=0.0)
    if errors:
        return 0, -errors
    if throttles:
        return 1, -throttles
    if facts.longest_run_s and longest >= NEAR_TIMEOUT * facts.longest_run_s * 1000:
        return 2, -longest
    if 1 <= (world.reserved.get(key) or 0) <= SMALL_RESERVATION and runs:
        return 3, -runs
    return (4, -runs) if runs else (_IDLE, 0.0)
