"""Decide whether a cycle itself explains the traffic of a function on it, or something outside. Pure."""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.facts.triggers import Edge
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.queue_flow import flow
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.graph.nodes import key_of, node, service_of
from lambdatop.domain.graph.topology import DISABLED, FAILURES, Cycle, graph
from lambdatop.domain.keys import Key

_BATCH = 10
"""SQS's default batch size."""


class Traffic(Struct, frozen=True):
    """Invocations of a function in the unbroken run of minutes before `end` that have a point.

    `counts` are per minute, oldest first; `start` and `end` in s since the epoch.
    """

    function: Key
    start: int
    end: int
    counts: tuple[float, ...]

    @classmethod
    def of(cls, context: EvaluationContext, function: Key, minutes: int) -> Traffic:
        """Return the traffic of the last `minutes` final minutes, at most since the last missing point."""
        over = context.window(function, minutes)
        grid = context.world.metric(function, "Invocations").grid(over.start, over.minutes)
        known: list[float] = []
        for value in reversed(grid):
            if value is None:
                break
            known.append(value)
        return cls(function, over.end - len(known) * MINUTE, over.end, tuple(reversed(known)))

    @property
    def total(self) -> float:
        """Invocations in all."""
        return sum(self.counts)

    @property
    def last(self) -> float:
        """Invocations of the newest final minute, 0 without one."""
        return self.counts[-1] if self.counts else 0.0

    @property
    def rise(self) -> float:
        """Mean of the second half / mean of the first; 1 where there is no first."""
        half = len(self.counts) // 2
        before, after = self.counts[:half], self.counts[half:]
        if not before or not sum(before):
            return 1.0
        return (sum(after) / len(after)) / (sum(before) / len(before))

    def busy(self, least: float) -> tuple[float, ...]:
        """Return the newest minutes that all have at least this many invocations."""
        found: list[float] = []
        for value in reversed(self.counts):
            if value < least:
                break
            found.append(value)
        return tuple(reversed(found))

    def lately(self, minutes: int) -> Window:
        """Return the window of the newest `minutes`."""
        return Window(self.end - minutes * MINUTE, self.end)

    def gain(self, context: EvaluationContext, cycle: Cycle) -> float:
        """Return how many messages its queue receives for each one deleted; 1 where that is not known."""
        queue = feeding_queue(cycle, self.function)
        seen = flow(context.world, queue, Window(self.start, self.end)) if queue else None
        return seen.sent / seen.deleted if seen and seen.deleted else 1.0


def feeder(cycle: Cycle, function: Key) -> Edge | None:
    """Return the hop of the cycle that leads to the function."""
    return next((edge for edge in cycle.edges if key_of(edge.target) == function), None)


def feeding_queue(cycle: Cycle, function: Key) -> Key | None:
    """Return the queue of the cycle that the function polls, None when something else feeds it."""
    edge = feeder(cycle, function)
    key = key_of(edge.source) if edge else None
    return key if key is not None and key.kind == "queue" else None


def grown(traffic: Traffic, factor: float, minutes: int) -> str:
    """Return the growth minute by minute in words, "" when it is less or shorter."""
    counts = traffic.counts[-minutes - 1 :]
    if len(counts) <= minutes or any(a <= 0 or b < factor * a for a, b in pairwise(counts)):
        return ""
    steps = " -> ".join(f"{c:.0f}" for c in counts)
    return f"{steps} invocations/min, each at least {factor:.2g} times the one before"


def backlogged(context: EvaluationContext, cycle: Cycle, traffic: Traffic, minutes: int) -> bool:
    """Return whether earlier work explains the growth: a backlog, a replay, a quiet source."""
    over = traffic.lately(minutes + 1)
    edge = feeder(cycle, traffic.function)
    source = key_of(edge.source) if edge else None
    if source is None:
        return False
    if source.kind == "queue":
        visible = context.world.metric(source, "ApproximateNumberOfMessagesVisible", "Maximum")
        waiting = visible.max(over.start - 2 * MINUTE, over.start + MINUTE) or 0.0
        sent = context.world.metric(source, "NumberOfMessagesSent")
        done = context.world.metric(source, "NumberOfMessagesDeleted").sum(over.start, over.end)
        half = over.start + over.minutes // 2 * MINUTE
        quiet = bool(sent.times) and sent.sum(half, over.end) <= sent.sum(over.start, half)
        return quiet or (waiting > 0 and waiting >= done / 2)
    age = context.world.metric(traffic.function, "IteratorAge", "Maximum").window(over.start, over.end)
    return len(age) > 1 and age[0] >= MINUTE * 1000 and age[-1] < age[0]


def self_fed(
    context: EvaluationContext, cycle: Cycle, traffic: Traffic, busy: tuple[float, ...], share: float
) -> str:
    """Return the evidence that the function itself fills the queue: it receives about as much as is deleted.

    Far more sent than deleted means a producer that runs ahead; far less means a backlog that drains.
    """
    queue = feeding_queue(cycle, traffic.function)
    over = traffic.lately(len(busy))
    seen = flow(context.world, queue, over) if queue else None
    if queue is None or seen is None or seen.sent <= 0 or seen.deleted <= 0:
        return ""
    if not share <= seen.deleted / seen.sent <= 1 / share:
        return ""
    runs = sum(busy)
    if seen.deleted * share > runs * _batch(context, queue, traffic.function) or runs * share > seen.deleted:
        # Others take from the queue as well, or most runs are repeats.
        return ""
    return (
        f"{queue.id}: {seen.sent:.0f} sent / {seen.deleted:.0f} deleted = {seen.sent / seen.deleted:.2f} "
        f"over {over.minutes} min"
    )


def standing_at_cap(context: EvaluationContext, cycle: Cycle, traffic: Traffic, minutes: int) -> str:
    """Return the evidence that the function's concurrency stood at its limit in the newest minutes, or ""."""
    queue = feeding_queue(cycle, traffic.function)
    caps = [m.max_concurrency for m in _mappings(context, queue, traffic.function) if m.max_concurrency]
    reserved = context.world.reserved_of(traffic.function)
    if isinstance(reserved, NotKnown):
        return ""
    caps += [reserved] if reserved else []
    account = context.world.accounts.get(traffic.function.scope)
    most = or_none(account.concurrency_limit) if account else None
    caps += [most] if most and not reserved else []
    over = traffic.lately(minutes)
    levels = context.world.metric(traffic.function, "ConcurrentExecutions", "Maximum").window(
        over.start, over.end
    )
    if not caps or len(levels) < minutes or min(levels) < min(caps):
        return ""
    return f"concurrency {min(levels):.0f} >= its cap {min(caps)} for {minutes} min"


def _mappings(context: EvaluationContext, queue: Key | None, function: Key) -> list[MappingFacts]:
    if queue is None:
        return []
    return [m for m in context.world.mappings_of(function) if m.enabled and m.source_queue == queue]


def _batch(context: EvaluationContext, queue: Key, function: Key) -> int:
    return max((m.batch_size or _BATCH for m in _mappings(context, queue, function)), default=_BATCH)


def outside(context: EvaluationContext, cycle: Cycle, traffic: Traffic, share: float) -> str:
    """Return the producer outside of the cycle that explains the traffic as well, "" when there is none.

    Where every hop is certain nothing else need explain it: whatever enters, goes round. Otherwise a producer
    counts when its own volume is at least `share` of the traffic, or when it is certain and cannot be
    measured. A schedule cannot send much.
    """
    if cycle.certain:
        return ""
    inside = set(cycle.nodes)
    over = Window(traffic.start, traffic.end)
    queue = feeding_queue(cycle, traffic.function)
    seen = flow(context.world, queue, over) if queue else None
    needed = share * max(traffic.total, seen.sent if seen else 0.0)
    into = graph(context.world).into
    for edge in (e for node_ in cycle.nodes for e in into.get(node_, ())):
        service = service_of(edge.source)
        scheduled = service == "scheduler" or (service == "events" and ":rule/" in edge.source)
        if edge.source in inside or scheduled or edge.via in FAILURES or edge.via == DISABLED:
            continue
        sent = volume(context, edge.source, over)
        if (sent is None and edge.certain) or (sent or 0.0) >= needed:
            return edge.source
    # Pushed events are no part of a cycle that is polled, and every one of them is counted.
    pushed = context.world.metric(traffic.function, "AsyncEventsReceived").sum(over.start, over.end)
    fed = feeder(cycle, traffic.function)
    polled = fed is not None and fed.via == "event source mapping"
    return "asynchronous callers" if polled and pushed >= share * traffic.total > 0 else ""


def volume(context: EvaluationContext, source: str, over: Window) -> float | None:
    """Return how much a producer sent or did in the window, None when that is not measured."""
    key = key_of(node(source))
    if key is None:
        return None
    name = {"queue": "NumberOfMessagesSent", "stream": "IncomingRecords", "function": "Invocations"}.get(
        key.kind
    )
    series = context.world.metric(key, name) if name else None
    return series.sum(over.start, over.end) if series is not None and series.times else None
