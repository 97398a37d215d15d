"""Find closed paths in a graph of edges: strongly connected components, then the shortest path. Pure.

Work is linear in the number of edges but for the ways round, which have a budget: an environment that
names everything makes one component of hundreds of functions, and nobody reads hundreds of paths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from lambdatop.domain.facts.triggers import Edge

BUDGET = 30_000
"""Edges that the search for ways round may look at in all."""

_TRIMS = 4

_Out = Mapping[str, Sequence[Edge]]


def closed_paths(
    edges: Sequence[Edge], wanted: Callable[[str], bool], skip: Iterable[str] = ()
) -> Iterator[tuple[Edge, ...]]:
    """Yield a shortest closed path through each node that is on one, is `wanted` and not in `skip`.

    A component without such a node gives one path, through its first node, unless it was skipped.
    """
    done, budget = frozenset(skip), BUDGET
    out = _outgoing(trimmed(edges))
    for component in components(out):
        if len(component) == 1 and all(e.target != component[0] for e in out.get(component[0], ())):
            continue
        inside = frozenset(component)
        nodes = sorted(component)
        starts = [n for n in nodes if wanted(n)] or nodes[:1]
        for start in starts:
            if start in done:
                continue
            path, looked = _way_round(out, inside, start, budget)
            budget -= looked
            if path:
                yield path
            if budget <= 0:
                return


def trimmed(edges: Sequence[Edge]) -> Sequence[Edge]:
    """Return the edges without dead ends and unreachable sources, which are most of a real account."""
    for _ in range(_TRIMS):
        alive = {e.source for e in edges} & {e.target for e in edges}
        kept = [e for e in edges if e.source in alive and e.target in alive]
        if len(kept) == len(edges):
            break
        edges = kept
    return edges


def _outgoing(edges: Iterable[Edge]) -> _Out:
    """Return the edges by their source; of several to the same target, the most certain first."""
    out: dict[str, list[Edge]] = {}
    for edge in sorted(edges, key=lambda e: (e.source, e.target, not e.certain, e.via)):
        out.setdefault(edge.source, []).append(edge)
    return out


def _way_round(out: _Out, inside: frozenset[str], start: str, budget: int) -> tuple[tuple[Edge, ...], int]:
    """Return a shortest path from a node back to itself (breadth first) or (), and the edges visited."""
    came: dict[str, Edge] = {}
    waiting = deque([start])
    looked = 0
    while waiting and looked < budget:
        for edge in out.get(waiting.popleft(), ()):
            looked += 1
            if edge.target == start:
                path = [edge]
                while path[-1].source != start:
                    path.append(came[path[-1].source])
                return tuple(reversed(path)), looked
            if edge.target in inside and edge.target not in came:
                came[edge.target] = edge
                waiting.append(edge.target)
    return (), looked


def components(out: _Out) -> Iterator[list[str]]:
    """Yield the strongly connected components (Tarjan's algorithm, without recursion: chains may be long)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    open_: set[str] = set()
    for root in sorted(out):
        work = [] if root in index else [(root, 0)]
        while work:
            here, step = work.pop()
            if step == 0:
                index[here] = low[here] = len(index)
                stack.append(here)
                open_.add(here)
            below = _next(out.get(here, ()), step, index, low, open_, here)
            if below is not None:
                work += [(here, below[0]), (below[1], 0)]
                continue
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[here])
            if low[here] == index[here]:
                component = _taken(stack, here)
                open_.difference_update(component)
                yield component


def _next(
    targets: Sequence[Edge],
    step: int,
    index: Mapping[str, int],
    low: dict[str, int],
    open_: set[str],
    here: str,
) -> tuple[int, str] | None:
    """Return the next unvisited node below `here`, and the step at which to continue afterwards."""
    for i in range(step, len(targets)):
        target = targets[i].target
        if target not in index:
            return i + 1, target
        if target in open_:
            low[here] = min(low[here], index[target])
    return None


def _taken(stack: list[str], root: str) -> list[str]:
    """Remove and return everything down to `root` from the stack."""
    component: list[str] = []
    while not component or component[-1] != root:
        component.append(stack.pop())
    return component
