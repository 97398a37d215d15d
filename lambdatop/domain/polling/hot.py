"""Choose functions to read each minute: in trouble lately, or found to move a total. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.polling.tripwire import Figures, Metric, Move, Reading, rise, usual
from lambdatop.domain.state.world import World

LATELY_S = 900.0
MOST_HOT = 40
NEAR_TIMEOUT = 0.8
LEAST_ERRORS = 3.0
"""Errors of the last quarter of an hour that make a discovered function hot (as error_rate wants them)."""
CHANGED_S = 1800.0
"""For so long one wants to see what became of a mutation of ours."""
FOUND_AT_ONCE = 20
WORTH = 0.02
"""A function that rose by less than this share of the account's move is not to blame."""
ACCOUNTED = 0.9
GROWN_BY, GROWN_TIMES, GROWN_WITHIN_S = 100, 1.5, 600.0


def lately(world: World, functions: Iterable[Key], now: float) -> tuple[Key, ...]:
    """Return those of `functions` with recent errors, throttles or runs near their timeout, worst first."""
    scored = [(score, key) for key in functions if (score := _score(world, key, now)) > 0]
    return tuple(key for _, key in sorted(scored, key=lambda s: (-s[0], s[1]))[:MOST_HOT])


def _score(world: World, key: Key, now: float) -> float:
    """Return failed and throttled invocations of the last quarter of an hour; a long run counts as one."""
    start, end = now - LATELY_S, now + MINUTE
    failed = sum(world.metric(key, name).sum(start, end) for name in ("Errors", "Throttles"))
    facts = world.functions.get(key)
    longest = world.metric(key, "Duration", "Maximum").max(start, end) or 0.0
    limit_s = facts.longest_run_s if facts is not None else 0.0
    near = limit_s > 0 and longest >= NEAR_TIMEOUT * 1000 * limit_s
    return failed + near


def found(
    seen: Figures, swept: Iterable[Key], metric: Metric, reading: Reading, now: float, minutes: int
) -> tuple[Key, ...]:
    """Return which of the functions that were asked for `metric` are hot.

    Those who moved the total, else those who fail. `minutes` is how much was asked for.
    """
    move = next((m for m in reading.moves if m.wire.sweep == metric and m.excess > 0), None)
    if move is None:
        start, end = now - LATELY_S, now + MINUTE
        failing = [(seen.metric(k, *metric).sum(start, end), k) for k in swept]
        worst = sorted((s for s in failing if s[0] >= LEAST_ERRORS), key=lambda s: (-s[0], s[1]))
        return tuple(key for _, key in worst[:FOUND_AT_ONCE])
    return tuple(_movers(seen, swept, move, now, minutes))


def _movers(seen: Figures, swept: Iterable[Key], move: Move, now: float, minutes: int) -> Iterator[Key]:
    """Yield functions by how much they rose themselves, until together they account for the move."""
    metric, risen = move.wire.sweep, []
    for key in swept:
        value = rise(seen, key, metric, now)[1]
        if value > 0 and (by := value - usual(seen, key, metric, now, minutes)[0]) > 0:
            risen.append((by, key))
    whole = sum(by for by, _ in risen)
    same = metric == move.wire.of
    left = ACCOUNTED * (min(move.excess, whole) if same else whole)
    least = WORTH * (move.excess if same else whole)
    for number, (by, key) in enumerate(sorted(risen, key=lambda r: (-r[0], r[1]))):
        if number >= FOUND_AT_ONCE or left <= 0 or by < least:
            return
        left -= by
        yield key


def troubled(world: World, scope: Scope, now: float) -> tuple[Key, ...]:
    """Return the functions whose queue or mapping is in trouble, by reads that are free."""
    growing = {key for key, history in world.queues.items() if _grows(history.depths, now)}
    behind = {h.facts.key for h in world.queues.values() if h.facts.dlq in growing} | growing
    mappings = [m for m in world.mappings.values() if m.key.scope == scope]
    bad = {
        m.function
        for m in mappings
        if m.enabled and (m.last_result.startswith("PROBLEM") or m.source_queue in behind)
    }
    return tuple(sorted(bad))


def changed(world: World, scope: Scope, now: float) -> tuple[Key, ...]:
    """Return the functions that a recent mutation of ours has changed."""
    targets = {e.target for e in world.journal if e.target.scope == scope and 0 <= now - e.at <= CHANGED_S}
    owners = {m.function for m in world.mappings.values() if m.key in targets or m.source_queue in targets}
    return tuple(sorted(owners | {t for t in targets if t.kind == "function"}))


def _grows(depths: tuple[tuple[float, int], ...], now: float) -> bool:
    """Return whether a queue has grown by half, and by a hundred messages, within ten minutes."""
    if not depths:
        return False
    lowest = min((d for at, d in depths if now - at <= GROWN_WITHIN_S), default=depths[-1][1])
    newest = depths[-1][1]
    return newest - lowest >= GROWN_BY and newest >= GROWN_TIMES * lowest
