"""Decide what to ask CloudWatch now, and how often, so that the cost stays within the budget. Pure.

GetMetricData is billed by the series asked for (one unit each, however many minutes it covers), so everything
here is counted in units, and paces are s. The tiers, dearest last:

1. the trip-wire: a dozen totals of the account, each round, always (`tripwire.py`);
2. discovery: ListMetrics(RecentlyActive) tells for next to nothing which functions ran at all lately;
3. the sweep: ONE series of each active function, to find who moved a total, or who fails unnoticed;
4. detail: all series of what is on screen, watched or hot; then, as far as the money goes, of all others.

History is not a tier: a function that comes into detail is asked for its whole hour, which costs the same.

While nothing is wrong the calm budget is spent, otherwise the whole one. Small accounts fit: then the tiers
collapse, and every function gets detail in each round. Metrics Insights would find the top functions in one
query, but what it costs through the API is UNVERIFIED (per metric analysed, by third parties only), and it
neither ranks more than 10,000 metrics nor returns more than 500; so the sweep asks GetMetricData.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from math import inf
from operator import attrgetter

from msgspec import Struct

from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.keys import Key
from lambdatop.domain.polling.intervals import HOUR_S, ROUND_MOST, SWEEP_SHARE, Paces, Purse, paces
from lambdatop.domain.polling.state import NEVER, PollingState
from lambdatop.domain.polling.tripwire import PERIODIC, Metric

FULL_MOST = 12_000
"""Series in one round of what a person asked for; the next round follows at once."""
GROWN = 1.5
"""A move that has become so many times larger since its last sweep is swept for again at once."""
REDISCOVER_S = 600.0
"""So often ListMetrics is asked while a move is unexplained: it knows new series some minutes late."""


class PollingPlan(Struct, frozen=True):
    """What is due now. `sweep` are asked for `metric` only; `detail` and `fixed` for all of their series.

    `room` is how many units are left beside it for series that its answers make worth asking for. `more` says
    that a person's full read goes on in another round at once.
    """

    wire: bool
    discover: bool
    sweep: tuple[Key, ...]
    metric: Metric
    periodic: bool
    detail: tuple[Key, ...]
    fixed: tuple[Key, ...]
    polling: PollingStatus
    more: bool = False
    room: float = inf


def plan(state: PollingState) -> PollingPlan:
    """Return what is due at `state.now`, and the paces behind it."""
    purse = Purse(state.budget, state.calm, state.others, wrong=state.wrong)
    first = _first(state)
    found = paces(state, first, purse)
    wire_due = state.now - state.wire_at >= state.base_s / 2
    if state.budget <= 0:
        every = tuple(sorted(state.functions, key=attrgetter("id")))
        return PollingPlan(
            wire_due, False, (), PERIODIC, False, every, tuple(state.fixed), found.polling(state, purse)
        )
    if state.full_since is not None:
        return _full(state, found, purse, wire_due)
    room = max(0.0, purse.whole - state.spent - state.wire_units)
    mine = room if state.wrong else min(room, max(0.0, purse.calm - found.wire_h - state.calm_units))
    sweep, metric, periodic = _sweep(state, found, purse, mine)
    left = Room(room - len(sweep), mine - len(sweep))
    detail, fixed = _detail(state, first, found, left)
    unexplained = bool(state.reading.unexplained)
    discover = state.now - state.discovered_at >= (REDISCOVER_S if unexplained else HOUR_S)
    polling = found.polling(state, purse)
    return PollingPlan(wire_due, discover, sweep, metric, periodic, detail, fixed, polling, room=left.mine)


def _first(state: PollingState) -> tuple[Key, ...]:
    """Return the keys that come first: watched, hot, on screen."""
    keys = (*sorted(state.watched), *state.hot, *sorted(state.visible))
    return tuple(k for k in dict.fromkeys(keys) if k in state.functions)


def _full(state: PollingState, found: Paces, purse: Purse, wire_due: bool) -> PollingPlan:
    since = state.full_since or 0.0
    left = [k for k in sorted(state.functions, key=attrgetter("id")) if state.asked.get(k, NEVER) < since]
    most = max(1, int(FULL_MOST / state.series))
    fixed = tuple(k for k in state.fixed if state.asked.get(k, NEVER) < since)
    polling, more = found.polling(state, purse), len(left) > most
    return PollingPlan(
        wire_due, False, (), PERIODIC, False, tuple(left[:most]), () if more else fixed, polling, more
    )


def _sweep(
    state: PollingState, found: Paces, purse: Purse, room: float
) -> tuple[tuple[Key, ...], Metric, bool]:
    """Return whom to ask for one series: at once for an unexplained move, else when it is due."""
    if found.everybody:
        return (), PERIODIC, False
    room = min(room, SWEEP_SHARE * purse.whole - state.swept_units)
    for move in state.reading.unexplained:
        grown = move.excess >= GROWN * state.swept_excess.get(move.wire.sweep, 0.0)
        due = _due_for(state, move.wire.sweep, state.base_s / 2 if grown else found.sweeps.soon_s)
        if due:
            swept = state.swept.get(move.wire.sweep, {})
            return _longest_waiting(due, swept, int(room)), move.wire.sweep, False
    pace = min(found.sweeps.periodic_s or 0.0, HOUR_S)
    if not pace or state.now - state.periodic_at < pace:
        return (), PERIODIC, False
    # An account too large for one sweep an hour is swept in parts, those who waited longest first.
    part = min(len(found.active), int(found.sweeps.periodic_h), int(max(0.0, room)))
    at = state.swept.get(PERIODIC, {})
    late = [k for k in found.active if state.now - at.get(k, NEVER) >= pace / 2]
    chosen = _longest_waiting(late, at, part)
    return chosen, PERIODIC, bool(chosen)


def _longest_waiting(keys: list[Key], at: Mapping[Key, float], most: int) -> tuple[Key, ...]:
    """Return at most `most` keys, those that have waited longest; ties are in no particular order."""
    if len(keys) > most:
        keys = sorted(keys, key=lambda k: at.get(k, NEVER))[: max(0, most)]
    return tuple(keys)


def _due_for(state: PollingState, metric: Metric, again_s: float) -> list[Key]:
    """Return active functions not swept for `metric` lately; after those, the ones that seemed idle."""
    at = state.swept.get(metric, {})
    awake = state.functions if state.active is None else state.functions & state.active
    due = [k for k in awake if state.now - at.get(k, NEVER) >= again_s]
    return due or [k for k in state.functions - awake if state.now - at.get(k, NEVER) >= HOUR_S]


class Room:
    """How many units are left for detail in this round: `whole` for what was never read, else `mine`."""

    def __init__(self, whole: float, mine: float) -> None:
        self._whole, self.mine = min(whole, ROUND_MOST), min(mine, ROUND_MOST)

    def take(self, units: float, *, urgent: bool = False) -> bool:
        """Take units from the budget if there is room; return whether there was."""
        if units > (self._whole if urgent else self.mine):
            return False
        self._whole -= units
        self.mine -= units
        return True


def _detail(
    state: PollingState, first: tuple[Key, ...], found: Paces, room: Room
) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """Return functions and fixed series that are due, the most urgent first, as far as the budget allows."""
    slack = state.base_s / 2

    def due(key: Key, pace: float) -> bool:
        return state.age(key) >= pace - slack

    fast = first[: found.detail.fast]
    turn = sorted(first[found.detail.fast :], key=lambda k: -state.age(k))
    waiting = [k for k in fast if due(k, found.detail.pace_s)]
    waiting += islice((k for k in turn if due(k, found.detail.turn_s)), found.detail.turn_most)
    # A row that comes on screen without any figures is worth more than the calm budget.
    functions = [k for k in waiting if room.take(state.series, urgent=state.age(k) > HOUR_S)]
    fixed = [
        key
        for key, units in state.fixed.items()
        if due(key, found.detail.pace_s if key in state.urgent else found.fixed_s) and room.take(units)
    ]
    if found.others_s is not None:
        rest = found.pool.difference(first)
        late = sorted((k for k in rest if due(k, found.others_s)), key=lambda k: (-state.age(k), k.id))
        functions += [k for k in late[: found.others_most] if room.take(state.series)]
    return tuple(functions), tuple(fixed)
