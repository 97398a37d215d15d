"""Return what the World already knows of one scope: the resources that a source asks about.

The engine decides which source waits for which at the start; a source asks about what it finds here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View


def functions(view: View, scope: Scope) -> tuple[FunctionFacts, ...]:
    """Return the functions of the scope."""
    return tuple(f for f in view.world.functions.values() if f.key.scope == scope)


def mappings(view: View, scope: Scope) -> tuple[MappingFacts, ...]:
    """Return the event source mappings of the scope."""
    return tuple(m for m in view.world.mappings.values() if m.key.scope == scope)


def queues(view: View) -> tuple[QueueFacts, ...]:
    """Return the queues read so far, those of other accounts that feed this scope included."""
    return tuple(h.facts for h in view.world.queues.values())


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
