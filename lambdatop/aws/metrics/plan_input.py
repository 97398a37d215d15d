"""Collect what the polling plan needs from the World, the View and the source's memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from msgspec import Struct

from lambdatop.aws.facts import known
from lambdatop.aws.metrics.memory import Memory
from lambdatop.aws.reads.metric_queries import Query, mapping_queries, queue_queries, stream_queries
from lambdatop.aws.reads.queues import queue_key
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.polling import hot as polling_hot
from lambdatop.domain.polling import tripwire
from lambdatop.domain.polling.answers import Answers
from lambdatop.domain.polling.state import PollingState
from lambdatop.domain.ports.aws import View
from lambdatop.domain.settings.settings import Settings

EXAMINED_MOST = 5_000
"""Functions in detail that are searched for trouble, at most: more would block the loop in a huge account."""


class Targets(Struct, frozen=True):
    """Everything to ask about: functions, and the series of each queue, mapping and stream."""

    functions: frozenset[Key]
    mappings: tuple[MappingFacts, ...]
    fixed: Mapping[Key, tuple[Query, ...]]

    def beside(self, functions: frozenset[Key], dead_letters: Mapping[Key, Key]) -> frozenset[Key]:
        """Return queues, mappings and streams of these functions."""
        found: set[Key] = set()
        for mapping in self.mappings:
            if mapping.function in functions:
                queue = mapping.source_queue
                dlq = dead_letters.get(queue) if queue else None
                found |= {k for k in (mapping.key, queue, dlq, mapping.source_stream) if k is not None}
        return frozenset(found & self.fixed.keys())


def targets(view: View, scope: Scope) -> Targets:
    """Return what the World knows of `scope`."""
    mappings = known.mappings(view, scope)
    queues = {q.key for q in known.queues(view)}
    queues |= {q.dlq for q in known.queues(view) if q.dlq is not None}
    sources = {queue_key(m.source_arn, scope) for m in mappings if m.source_kind == "sqs"}
    queries = (
        *queue_queries(view.world, scope, sorted(queues | sources), sources),
        *mapping_queries(view.world, mappings),
        *stream_queries(scope, mappings),
    )
    functions = frozenset(f.key for f in known.functions(view, scope))
    return Targets(functions, mappings, _by_key(queries))


def _by_key(queries: Iterable[Query]) -> Mapping[Key, tuple[Query, ...]]:
    found: dict[Key, list[Query]] = {}
    for query in queries:
        found.setdefault(query.series.key, []).append(query)
    return {key: tuple(each) for key, each in found.items()}


def in_trouble(view: View, scope: Scope, memory: Memory) -> tuple[tuple[Key, ...], bool]:
    """Return hot functions, the most urgent first, and whether any of them is a reason to spend more."""
    world, now = view.world, view.now
    by_queue = polling_hot.troubled(world, scope, now)
    ours = polling_hot.changed(world, scope, now)
    swept = memory.hot(now)
    failing = polling_hot.lately(world, in_detail(memory, now), now)
    hot = tuple(dict.fromkeys((*ours, *sorted(view.hot), *swept, *by_queue, *failing)))
    return hot, bool(ours or view.hot or by_queue)


def in_detail(memory: Memory, now: float) -> tuple[Key, ...]:
    """Return functions that had detail within the last quarter of an hour."""
    recent = (
        k for k, at in memory.asked.items() if now - at <= polling_hot.LATELY_S and k.kind == "function"
    )
    return tuple(islice(recent, EXAMINED_MOST))


def reading(seen: Answers, scope: Scope, memory: Memory, now: float, minutes: int) -> tripwire.Reading:
    """Return what the trip-wire says by what is known so far."""
    known_ones = {*in_detail(memory, now), *memory.hot(now)}
    return tripwire.read(seen, scope, now, known_ones, min(minutes, tripwire.USUAL_MIN))


def polling_state(
    view: View,
    facts: Targets,
    memory: Memory,
    settings: Settings,
    *,
    now: float,
    trouble: tuple[tuple[Key, ...], bool],
    read: tripwire.Reading,
    active: frozenset[Key] | None,
    wire_units: int,
    per_call: int,
    others: float,
) -> PollingState:
    """Return the state of the plan at `now`."""
    hot = tuple(dict.fromkeys((*trouble[0], *memory.hot(now))))
    first = frozenset(hot) | view.watched | view.visible
    dead_letters = {q.key: q.dlq for q in known.queues(view) if q.dlq is not None}
    spent, swept, calm = memory.ledger.spent(now)
    return PollingState(
        now,
        settings.paces.metrics,
        settings.limits.budget_usd_per_hour,
        settings.limits.calm_usd_per_hour,
        functions=facts.functions,
        active=active,
        watched=view.watched,
        hot=hot,
        visible=view.visible,
        troubled=trouble[1],
        series=memory.series,
        fixed={key: len(queries) for key, queries in facts.fixed.items()},
        urgent=facts.beside(first, dead_letters),
        wire_units=wire_units,
        reading=read,
        asked=memory.asked,
        swept=memory.swept,
        swept_excess=memory.swept_excess,
        wire_at=memory.wire_at,
        discovered_at=memory.discovered_at,
        periodic_at=memory.periodic_at,
        spent=spent,
        swept_units=swept,
        calm_units=calm,
        others=others,
        full_since=memory.full_since,
        per_call=per_call,
    )
