"""Choose the functions of a round that cannot ask about all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import View

RECENT_POINTS = 5


def round_robin(
    view: View, functions: Iterable[Key], asked: Mapping[Key, float], most: int, give_way: GiveWay = no_pause
) -> list[Key]:
    """Return at most `most` functions; `asked` says when each was asked about last.

    Watched ones come first, then the busiest, which take at most 40 % of the places, then those that have
    waited longest, so that every function is asked about however many there are.
    """
    keys = list(functions)
    if len(keys) <= most:
        return sorted(keys)
    existing = set(keys)
    watched = sorted(view.watched & existing)
    traffic = {key: _traffic(view, key) for key in paced(keys, give_way)}
    running = (k for k in paced(keys, give_way) if traffic[k] > 0)
    busy = nsmallest(most * 2 // 5, running, key=lambda k: (-traffic[k], k))
    waiting = nsmallest(most, paced(keys, give_way), key=lambda k: (asked.get(k, 0), k))
    return list(dict.fromkeys((*watched, *busy, *waiting)))[:most]


def _traffic(view: View, key: Key) -> float:
    """Return invocations and throttles of the newest known minutes."""
    series = (view.world.metric(key, metric) for metric in ("Invocations", "Throttles"))
    return sum(sum(s.values[-RECENT_POINTS:]) for s in series)
