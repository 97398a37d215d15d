"""Detect that a total of the account leaves its usual range of the last hour. Pure.

Usual is the median of the last hour without its newest minutes; a total moves when one of the newest minutes
is above it by 6 robust standard deviations (1.4826 x MAD), by a share of it, and by an absolute minimum, all
three. Unfinished minutes count: they can only grow. A fall is looked for where traffic may stop
(Invocations), and only in minutes that are final.

A move is explained once what functions in detail rose by themselves leaves nothing that would be a move of
its own: then nobody else has to be searched for.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple, Protocol

from msgspec import Struct

from lambdatop.domain.facts.series import MINUTE, Series
from lambdatop.domain.keys import Key, Scope

RECENT_MIN = 5
"""Newest minutes that may move a total; older ones say what is usual."""
USUAL_MIN = 60
SETTLE_MIN = 3
"""Minutes after which a missing point means that nothing happened."""
DEVIATIONS = 6.0
MAD_TO_SIGMA = 1.4826
EXPLAINED_MAX = 0.9
"""A maximum is explained by one function that comes this close to it."""
FALLEN = 0.3
"""Traffic has stopped when less than this share of the usual is left."""
LEAST_TRAFFIC = 20.0


class Figures(Protocol):
    """What holds series: the World, or `answers.py` during a round."""

    def metric(self, key: Key, name: str, stat: str = "Sum") -> Series:
        """Return one series, empty when nothing is known."""


class Metric(NamedTuple):
    """A CloudWatch metric and its statistic."""

    name: str
    stat: str


class Wire(NamedTuple):
    """One total: `of` the account; `sweep` is what a function is asked for to find who moved it.

    `own` is how functions in detail explain it. It moves by at least `least` (in the metric's unit) and by
    the share `rel` of what is usual.
    """

    of: Metric
    sweep: Metric
    own: Metric
    least: float
    rel: float
    words: str


_THROTTLES, _ERRORS, _RUNS = Metric("Throttles", "Sum"), Metric("Errors", "Sum"), Metric("Invocations", "Sum")
_LOST, _LOOPS = Metric("AsyncEventsDropped", "Sum"), Metric("RecursiveInvocationsDropped", "Sum")
_BILLED, _LONGEST = Metric("Duration", "Sum"), Metric("Duration", "Maximum")
_CONCURRENT, _CLAIMED = (
    Metric("ConcurrentExecutions", "Maximum"),
    Metric("ClaimedAccountConcurrency", "Maximum"),
)
_WAITING = Metric("AsyncEventAge", "Maximum")

WIRES: tuple[Wire, ...] = (
    Wire(_THROTTLES, _THROTTLES, _THROTTLES, 5, 1.0, "throttles"),
    Wire(_ERRORS, _ERRORS, _ERRORS, 5, 1.0, "errors"),
    Wire(_LOST, _LOST, _LOST, 1, 1.0, "lost asynchronous events"),
    Wire(_LOOPS, _LOOPS, _LOOPS, 1, 1.0, "stopped recursive calls"),
    Wire(_WAITING, _WAITING, _WAITING, 60_000, 1.0, "age of asynchronous events"),
    Wire(_RUNS, _RUNS, _RUNS, 100, 0.5, "invocations"),
    Wire(_BILLED, _BILLED, _BILLED, 60_000, 0.5, "running time"),
    Wire(_CONCURRENT, _BILLED, _CONCURRENT, 20, 0.5, "concurrency"),
    Wire(_CLAIMED, _BILLED, _CONCURRENT, 20, 0.5, "claimed concurrency"),
    Wire(_LONGEST, _LONGEST, _LONGEST, 1000, 0.5, "longest run"),
)
"""What says most stands first: it is searched for first."""

PERIODIC = _ERRORS
"""What discovery asks of every active function while no total moves: errors are never welcome."""


class Move(NamedTuple):
    """One total that left its usual range: `value` in the minute `at` (s since the epoch) instead of `usual`.

    `limit` is by how much it may exceed the usual without being a move.
    """

    wire: Wire
    at: int
    value: float
    usual: float
    limit: float = 0.0
    explained: bool = False

    @property
    def excess(self) -> float:
        """By how much; negative for a fall."""
        return self.value - self.usual


class Reading(Struct, frozen=True):
    """What the trip-wire says."""

    moves: tuple[Move, ...] = ()

    @property
    def unexplained(self) -> tuple[Move, ...]:
        """Moves that nobody in detail accounts for; a fall is no reason to search."""
        return tuple(m for m in self.moves if not m.explained and m.excess > 0)

    @property
    def words(self) -> str:
        """The first move in words, "" when nothing moved."""
        if not self.moves:
            return ""
        move = self.moves[0]
        return f"{move.wire.words} {move.value:,.0f} in a minute, usually {move.usual:,.0f}"


def read(
    seen: Figures, scope: Scope, now: float, known: Iterable[Key] = (), minutes: int = USUAL_MIN
) -> Reading:
    """Return what the totals of `scope` show at `now`.

    `known` are functions in detail, asked for so many minutes.
    """
    account, functions = Key(scope, "account", scope.account), tuple(known)
    moves = []
    for wire in WIRES:
        move = _move(seen, account, wire, now)
        if move is not None:
            moves.append(move._replace(explained=_explained(seen, functions, move, now, minutes)))
    return Reading(tuple(moves))


def usual(
    seen: Figures, key: Key, metric: Metric, now: float, minutes: int = USUAL_MIN
) -> tuple[float, float]:
    """Return the median and robust standard deviation of the last `minutes`, without the newest.

    A minute without a point is a zero of a counter, and says nothing of a maximum. `minutes` must not be more
    than what was asked for.
    """
    newest, series = _newest(now), seen.metric(key, *metric)
    start, length = newest - minutes * MINUTE, minutes - RECENT_MIN
    values = list(series.window(start, newest - RECENT_MIN * MINUTE))
    if metric.stat == "Sum":
        values += [0.0] * (length - len(values))
    if not values:
        return 0.0, 0.0
    middle = median(values)
    return middle, MAD_TO_SIGMA * median(abs(v - middle) for v in values)


def rise(seen: Figures, key: Key, metric: Metric, now: float) -> tuple[int, float]:
    """Return the newest minutes' highest value as (minute, value); (0, 0.0) without a point."""
    newest, series = _newest(now), seen.metric(key, *metric)
    start = newest - RECENT_MIN * MINUTE
    points = [(v, t) for t, v in zip(series.times, series.values, strict=True) if t >= start]
    value, at = max(points, default=(0.0, 0))
    return at, value


def _newest(now: float) -> int:
    """End of the minute that is under way."""
    return (int(now // MINUTE) + 1) * MINUTE


def _move(seen: Figures, account: Key, wire: Wire, now: float) -> Move | None:
    middle, sigma = usual(seen, account, wire.of, now)
    at, value = rise(seen, account, wire.of, now)
    limit = max(DEVIATIONS * sigma, wire.rel * middle, wire.least)
    if value - middle >= limit:
        return Move(wire, at, value, middle, limit)
    if wire.of != _RUNS or middle < LEAST_TRAFFIC:
        return None
    minute = _newest(now) - (SETTLE_MIN + 1) * MINUTE
    left = seen.metric(account, *wire.of).sum(minute, minute + MINUTE)
    fell = middle - left >= DEVIATIONS * sigma and left < FALLEN * middle
    return Move(wire, minute, left, middle, limit) if fell else None


def _explained(seen: Figures, functions: tuple[Key, ...], move: Move, now: float, minutes: int) -> bool:
    if move.excess <= 0:
        return False
    own, risen = move.wire.own, 0.0
    for key in functions:
        # What is known of it may be a minute older than the total.
        value = rise(seen, key, own, now)[1]
        if own in (_LONGEST, _WAITING):
            if value >= EXPLAINED_MAX * move.value:
                return True
        elif value:
            risen += max(0.0, value - usual(seen, key, own, now, minutes)[0])
    return move.excess - risen < move.limit
