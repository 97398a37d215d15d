"""The event graph: who sends events to whom, and where it closes into a cycle.

Nodes are ARNs without a function's qualifier; a DynamoDB stream and its table are one node. Work is
linear in the number of edges: strongly connected components first, one shortest cycle per component.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lambdatop.domain.scope import Arn, Key, Scope, parse_arn
from lambdatop.domain.wiring import Edge
from lambdatop.domain.world import World

FAILURES = ("redrive policy", "dead-letter queue", "on-failure destination")
"""Edges on which only failed events travel."""

STOPPED = ("lambda", "sqs", "sns", "s3")
"""Services whose loops Lambda detects and stops (telemetry section 11)."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A closed path: the target of each edge is the source of the next, the last leads to the first."""

    edges: tuple[Edge, ...]
    keys: tuple[Key, ...]

    @property
    def certain(self) -> bool:
        """Whether every hop stands in the configuration."""
        return all(edge.certain for edge in self.edges)

    @property
    def only_failures(self) -> bool:
        """Whether some hop carries failed events only."""
        return any(edge.via in FAILURES for edge in self.edges)

    @property
    def unseen_by_aws(self) -> tuple[str, ...]:
        """Services on the way that Lambda's loop detection does not follow."""
        found = {_service(edge.source) for edge in self.edges} - set(STOPPED)
        return tuple(sorted(found))


def path_words(cycle: Cycle) -> str:
    """`orders -> orders-worker -> orders`."""
    names = [name_of(edge.source) for edge in cycle.edges]
    return " -> ".join((*names, names[0]))


def name_of(node: str) -> str:
    """The last part of a node's ARN."""
    arn = parse_arn(node)
    return arn.name if arn else node


def _service(node: str) -> str:
    arn = parse_arn(node)
    return arn.service if arn else "other"


def node(arn: str) -> str:
    """The node that an ARN stands for."""
    parsed = parse_arn(arn)
    if parsed is None:
        return arn
    if parsed.service == "lambda" and parsed.resource.startswith("function:"):
        return _arn(parsed, f"function:{parsed.name}")
    if parsed.service == "dynamodb" and parsed.resource.startswith("table/"):
        return _arn(parsed, f"table/{parsed.name}")
    return arn


def _arn(arn: Arn, resource: str) -> str:
    return f"arn:{arn.partition}:{arn.service}:{arn.region}:{arn.account}:{resource}"


def key_of(node_arn: str) -> Key | None:
    """Key of a function, queue, stream or table node; None for what has none (topics, buses, buckets)."""
    arn = parse_arn(node_arn)
    kinds = {"lambda": "function", "sqs": "queue", "kinesis": "stream", "dynamodb": "table"}
    if arn is None or arn.service not in kinds:
        return None
    return Key(Scope(arn.account, arn.region), kinds[arn.service], arn.name)  # type: ignore[arg-type]


class _Memo:
    """The last graph and the facts it was made from: these change far more seldom than metrics do."""

    inputs: tuple[object, ...] = ()
    graph: tuple[Edge, ...] = ()


def edges(world: World) -> tuple[Edge, ...]:
    """Every edge that is known, in a stable order; disabled mappings deliver nothing and give none."""
    inputs = (world.mappings, world.queues, world.functions, world.triggers, world.wiring)
    known = _Memo.inputs
    if len(known) != len(inputs) or any(a is not b for a, b in zip(known, inputs, strict=True)):
        _Memo.inputs, _Memo.graph = inputs, _graph(world)
    return _Memo.graph


def _graph(world: World) -> tuple[Edge, ...]:
    found = {(node(e.source), node(e.target), e.via): e for e in _edges(world) if e.source and e.target}
    return tuple(
        Edge(source, target, via, edge.certain) for (source, target, via), edge in sorted(found.items())
    )


def _edges(world: World) -> Iterator[Edge]:
    for mapping in world.mappings.values():
        if mapping.enabled:
            yield Edge(mapping.source_arn, mapping.function_arn, "event source mapping")
        if mapping.on_failure_arn:
            yield Edge(mapping.function_arn, mapping.on_failure_arn, "on-failure destination")
    for history in world.queues.values():
        if history.facts.dlq_arn:
            yield Edge(history.facts.arn, history.facts.dlq_arn, "redrive policy")
    for facts in world.functions.values():
        if facts.dlq_arn:
            yield Edge(facts.arn, facts.dlq_arn, "dead-letter queue")
        for reference in facts.references:
            yield Edge(facts.arn, reference.arn, f"environment variable {reference.variable}", False)
        yield from _pushed(world, facts.key, facts.arn)
    for _, wired in world.wiring.values():
        yield from wired


def _pushed(world: World, key: Key, arn: str) -> Iterator[Edge]:
    triggers = world.triggers_of(key)
    if triggers is None:
        return
    config = triggers.async_config
    if config and config.on_failure_arn:
        yield Edge(arn, config.on_failure_arn, "on-failure destination")
    if config and config.on_success_arn:
        yield Edge(arn, config.on_success_arn, "on-success destination")
    for push in triggers.push:
        if push.source_arn and "*" not in push.source_arn and push.kind in ("s3", "sns", "eventbridge"):
            yield Edge(push.source_arn, arn, f"{push.kind} trigger")


def cycles(graph: Iterable[Edge]) -> tuple[Cycle, ...]:
    """One shortest cycle of every strongly connected component, through its first function."""
    out: dict[str, list[Edge]] = defaultdict(list)
    for edge in sorted(graph, key=lambda e: (e.source, e.target, not e.certain, e.via)):
        out[edge.source].append(edge)
    found = []
    for component in _components(out):
        inside = set(component)
        loops = any(e.target == e.source for e in out[component[0]]) if len(component) == 1 else True
        if not loops:
            continue
        functions = [n for n in sorted(component) if _service(n) == "lambda"]
        path = _shortest(out, inside, functions[0] if functions else min(component))
        found.append(Cycle(path, tuple(k for e in path if (k := key_of(e.source)))))
    return tuple(sorted(found, key=lambda c: c.edges))


def cycle_through(world: World, function: Key) -> Cycle | None:
    """A shortest cycle that the function is on, None when the graph shows none."""
    graph = edges(world)
    out: dict[str, list[Edge]] = defaultdict(list)
    for edge in graph:
        out[edge.source].append(edge)
    facts = world.functions.get(function)
    start = node(facts.arn) if facts else ""
    if start not in out:
        return None
    path = _shortest(out, None, start)
    return Cycle(path, tuple(k for e in path if (k := key_of(e.source)))) if path else None


def _shortest(out: Mapping[str, Sequence[Edge]], inside: set[str] | None, start: str) -> tuple[Edge, ...]:
    """The shortest way from a node back to itself (breadth first); () when there is none."""
    came: dict[str, Edge] = {}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for edge in out.get(here, ()):
            if edge.target == start:
                path = [edge]
                while path[-1].source != start:
                    path.append(came[path[-1].source])
                return tuple(reversed(path))
            if edge.target not in came and (inside is None or edge.target in inside):
                came[edge.target] = edge
                waiting.append(edge.target)
    return ()


def _components(out: Mapping[str, Sequence[Edge]]) -> Iterator[list[str]]:
    """Strongly connected components (Tarjan's algorithm without recursion: chains may be long)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in sorted(out):
        if root in index:
            continue
        work: list[tuple[str, int]] = [(root, 0)]
        while work:
            here, step = work.pop()
            if step == 0:
                index[here] = low[here] = len(index)
                stack.append(here)
                on_stack.add(here)
            targets = out.get(here, ())
            for i in range(step, len(targets)):
                target = targets[i].target
                if target not in index:
                    work += [(here, i + 1), (target, 0)]
                    break
                if target in on_stack:
                    low[here] = min(low[here], index[target])
            else:
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == index[here]:
                    component = [stack.pop()]
                    while component[-1] != here:
                        component.append(stack.pop())
                    on_stack.difference_update(component)
                    yield component
