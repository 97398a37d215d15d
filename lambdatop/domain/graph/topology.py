"""Build the event graph: who sends events to whom, and where it closes into a cycle.

Nodes are ARNs without a function's qualifier; a DynamoDB stream and its table are one node. Cycles are looked
for among the edges that are certain first, then among those that are likely, then among all: a function
that has a real loop is not described by one that only failures could take.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct

from lambdatop.domain.facts.callers import Caller
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.queue import QueueHistory
from lambdatop.domain.facts.triggers import AsyncConfig, Edge, FunctionTriggers
from lambdatop.domain.graph.cycles import closed_paths, trimmed
from lambdatop.domain.graph.nodes import bus_of, key_of, name_of, node, service_of
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.state.world import World

POLLED = "event source mapping"
DISABLED = "disabled event source mapping"
FAILURES = ("redrive policy", "dead-letter queue", "on-failure destination")
"""Edges on which only failed events travel."""

STOPPED = ("lambda", "sqs", "sns", "s3")
"""Services whose loops Lambda detects and stops."""

HOPS = 16
"""About as many invocations of one chain are let through."""

_SERVICES = {
    "dynamodb": "DynamoDB",
    "kinesis": "Kinesis",
    "events": "EventBridge",
    "kafka": "Kafka",
    "pipes": "EventBridge Pipes",
    "states": "Step Functions",
}
_PUSHED = ("s3", "sns", "eventbridge")


class Cycle(Struct, frozen=True):
    """A closed path: the target of each edge is the source of the next, the last leads to the first."""

    edges: tuple[Edge, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The ARNs on the way, each once, in the order of travel."""
        return tuple(edge.source for edge in self.edges)

    @property
    def keys(self) -> tuple[Key, ...]:
        """Keys of the functions, queues, streams and tables on the way; topics, buses, buckets have none."""
        return tuple(key for node_ in self.nodes if (key := key_of(node_)))

    @property
    def functions(self) -> tuple[Key, ...]:
        """Keys of the functions on the way."""
        return tuple(key for key in self.keys if key.kind == "function")

    @property
    def path(self) -> str:
        """`orders → orders-worker → orders`, as people read it."""
        names = [name_of(node_) for node_ in self.nodes]
        return " → ".join((*names, names[0]))

    @property
    def via(self) -> tuple[str, ...]:
        """How each hop is made."""
        return tuple(edge.via for edge in self.edges)

    @property
    def certain(self) -> bool:
        """Whether every hop stands in the configuration."""
        return all(edge.certain for edge in self.edges)

    @property
    def only_failures(self) -> bool:
        """Whether some hop carries failed events only."""
        return any(via in FAILURES for via in self.via)

    @property
    def disabled(self) -> bool:
        """Whether some hop is a mapping that is switched off."""
        return DISABLED in self.via

    @property
    def unseen_by_aws(self) -> tuple[str, ...]:
        """Services on the way that Lambda's loop detection does not follow, by their names."""
        found = {service_of(node_) for node_ in self.nodes} - set(STOPPED)
        return tuple(sorted(_SERVICES.get(service, service) for service in found))

    def starting_at(self, function: Key) -> Cycle:
        """Return the same cycle, beginning at one of its functions."""
        for i, edge in enumerate(self.edges):
            if key_of(edge.source) == function:
                return Cycle(self.edges[i:] + self.edges[:i])
        return self


class Graph(Struct, frozen=True, eq=False):
    """The edges of one World, its cycles, the cycles of each function on one, and who sends to a node."""

    edges: tuple[Edge, ...]
    cycles: tuple[Cycle, ...]
    through: Mapping[Key, tuple[Cycle, ...]]
    into: Mapping[str, tuple[Edge, ...]]


class _Parts:
    """What the graph is made of, compared by identity: the parts of a World are replaced, never changed."""

    __slots__ = (
        "functions", "mappings", "pipes", "queues", "schedules", "state_machines", "triggers", "wiring"
    )  # fmt: skip

    def __init__(self, world: World) -> None:
        self.mappings: Mapping[Key, MappingFacts] = world.mappings
        self.functions: Mapping[Key, FunctionFacts] = world.functions
        self.queues: Mapping[Key, QueueHistory] = world.queues
        self.triggers: Mapping[Key, tuple[float, FunctionTriggers]] = world.triggers
        self.wiring: Mapping[tuple[Scope, str], tuple[float, tuple[Edge, ...]]] = world.wiring
        self.schedules: Mapping[Key, tuple[Caller, ...]] = world.schedules
        self.pipes: Mapping[Key, tuple[Caller, ...]] = world.pipes
        self.state_machines: Mapping[Key, tuple[Caller, ...]] = world.state_machines

    def _ids(self) -> tuple[int, ...]:
        return tuple(id(getattr(self, name)) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Parts) and self._ids() == other._ids()

    def __hash__(self) -> int:
        return hash(self._ids())


def graph(world: World) -> Graph:
    """Return the event graph of a World; computed again only after a part of it was replaced."""
    return _graph(_Parts(world))


def edges(world: World) -> tuple[Edge, ...]:
    """Return every known edge once, in a stable order."""
    return graph(world).edges


@lru_cache(maxsize=2)
def _graph(parts: _Parts) -> Graph:
    found: dict[tuple[str, str, str], bool] = {}
    for source, target, via, certain in _all(parts):
        ends = (node(source), node(target), via)
        found[ends] = found.get(ends, False) or certain
    known = tuple(Edge(*ends, found[ends]) for ends in sorted(found))
    loops = cycles(known)
    through: dict[Key, list[Cycle]] = defaultdict(list)
    into: dict[str, list[Edge]] = {node_: [] for cycle in loops for node_ in cycle.nodes}
    for cycle in loops:
        for key in cycle.functions:
            through[key].append(cycle)
    for edge in known if into else ():
        if edge.target in into:
            into[edge.target].append(edge)
    return Graph(
        known,
        loops,
        MappingProxyType({k: tuple(v) for k, v in through.items()}),
        MappingProxyType({k: tuple(v) for k, v in into.items()}),
    )


def cycles(known: Iterable[Edge]) -> tuple[Cycle, ...]:
    """Return a shortest cycle through each function, and through each node that AWS does not watch.

    Those of certain edges that carry every event come first, those that only failures take last. The order of
    the edges does not matter.
    """
    ordered = sorted(trimmed(tuple(known)), key=lambda e: (e.source, e.target, e.via, e.certain))
    tiers = (
        [e for e in ordered if e.certain and _live(e)],
        [e for e in ordered if _live(e)],
        ordered,
    )
    found: dict[tuple[str, ...], Cycle] = {}
    told: set[str] = set()
    for tier in tiers:
        fresh: dict[tuple[str, ...], Cycle] = {}
        for path in closed_paths(tier, _deserves_a_cycle, skip=told):
            cycle = Cycle(_turned(path))
            fresh.setdefault(cycle.nodes, cycle)
        for nodes in fresh:
            told.update(nodes)
        found = {**fresh, **found}
    return tuple(sorted(found.values(), key=lambda c: (not _sure(c), len(c.edges), c.nodes)))


def _sure(cycle: Cycle) -> bool:
    return cycle.certain and not cycle.only_failures and not cycle.disabled


def _live(edge: Edge) -> bool:
    return edge.via not in FAILURES and edge.via != DISABLED


def _deserves_a_cycle(node_: str) -> bool:
    """Return whether a cycle through this node deserves its own line."""
    service = service_of(node_)
    return service == "lambda" or service not in STOPPED


def _turned(path: tuple[Edge, ...]) -> tuple[Edge, ...]:
    """Return the path from its first function on (by name), so that each cycle has one form."""
    starts = [e.source for e in path if service_of(e.source) == "lambda"] or [e.source for e in path]
    i = [e.source for e in path].index(min(starts))
    return path[i:] + path[:i]


def _all(parts: _Parts) -> Iterator[tuple[str, str, str, bool]]:
    for mapping in parts.mappings.values():
        if mapping.source_arn:
            yield mapping.source_arn, mapping.function_arn, POLLED if mapping.enabled else DISABLED, True
        if mapping.on_failure_arn:
            yield mapping.function_arn, mapping.on_failure_arn, "on-failure destination", True
    for history in parts.queues.values():
        if history.facts.dlq_arn:
            yield history.facts.arn, history.facts.dlq_arn, "redrive policy", True
    for facts in parts.functions.values():
        if facts.dlq_arn:
            yield facts.arn, facts.dlq_arn, "dead-letter queue", True
        for variable, arn in ((r.variable, r.arn) for r in facts.references):
            yield facts.arn, arn, f"environment variable {variable}", False
    read = {place for _, place in parts.wiring}
    for key, (_, triggers) in parts.triggers.items():
        known = parts.functions.get(key)
        if known is not None:
            yield from _configured(known.arn, triggers, read)
    for _, wired in parts.wiring.values():
        for edge in wired:
            yield edge.source, edge.target, edge.via, edge.certain
    for found in (parts.schedules, parts.pipes, parts.state_machines):
        for callers in found.values():
            yield from _by_role(callers)


def _by_role(callers: Iterable[Caller]) -> Iterator[tuple[str, str, str, bool]]:
    """Yield what a schedule, pipe or state machine sends, which invokes nothing while it is off.

    A pipe is a node between what it reads and what it invokes or ends in.
    """
    for caller in callers:
        if caller.off:
            continue
        if caller.source_arn:
            yield caller.source_arn, caller.arn, caller.name, True
        for end in (caller.function_arn, caller.target_arn):
            if end:
                yield caller.arn, end, caller.name, True


def _configured(
    arn: str, triggers: FunctionTriggers, read: AbstractSet[str]
) -> Iterator[tuple[str, str, str, bool]]:
    """Yield the configured destinations, and who may push.

    A permission says that somebody may send, not that somebody does; where the topic, bus or bucket itself
    was read, it knows better.
    """
    config = or_none(triggers.async_config) or AsyncConfig()
    if config.on_failure_arn:
        yield arn, config.on_failure_arn, "on-failure destination", True
    if config.on_success_arn:
        yield arn, config.on_success_arn, "on-success destination", True
    for push in or_none(triggers.push) or ():
        source = parse_arn(push.source_arn)
        if source is None or push.kind not in _PUSHED or "*" in node(push.source_arn):
            continue
        rule = source.service == "events" and source.resource.startswith("rule/")
        place = bus_of(source) if rule else node(push.source_arn)
        if place not in read:
            yield place, arn, f"rule {source.name}" if rule else f"permission of {push.kind}", False


def stopped_by_aws(world: World, cycle: Cycle) -> tuple[bool | None, str]:
    """Return whether Lambda's loop detection ends this loop (None: not known), and why."""
    if cycle.unseen_by_aws:
        return False, f"AWS does not detect loops through {', '.join(cycle.unseen_by_aws)}"
    read = [world.triggers_of(key).recursive_loop for key in cycle.functions]
    if read and all(setting == "Allow" for setting in read):
        return False, "loop detection is switched off (RecursiveLoop = Allow)"
    stops = f"AWS stops it after about {HOPS} hops, if the SDK passes the trace header on"
    unread = next((setting for setting in read if isinstance(setting, NotKnown)), None)
    if unread is not None and "Terminate" not in read:
        return None, f"{stops}; whether loop detection is on is {unread.words}"
    return True, stops


def cycle_of(world: World, function: Key) -> Cycle | None:
    """Return most certain cycle that a function is on, beginning there; None when the graph shows none."""
    found = graph(world).through.get(function)
    return found[0].starting_at(function) if found else None
