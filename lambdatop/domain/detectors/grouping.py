"""Group findings with one cause into one incident, the cause first. Pure.

Findings belong together when they concern the same function: their target or what they are `about` is the
function, feeds it, takes its failures or holds its log. Findings that are only information never join two
incidents; they stand last, as what makes it worse.

The cause is the member whose detector has the lowest causal rank: a change explains a full disk, a full disk
explains errors, errors explain redelivery, redelivery fills the dead-letter queue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.facts.function import LOG_GROUP, writers_by_group
from lambdatop.domain.graph.dead_letters import dead_letter_queues
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import SEVERITIES, Finding, Incident
from lambdatop.domain.state.world import World

UNKNOWN = 10_000
"""Causal rank of a finding whose detector is not known: last."""


def group(world: World, findings: Iterable[Finding]) -> tuple[Incident, ...]:
    """Return the incidents, worst first; the order of the findings does not matter."""
    ordered = sorted(findings, key=_order)
    owners = _Owners(world)
    of = {f.identity: owners.of(f) for f in ordered}
    groups = _Groups()
    for finding in ordered:
        if finding.rank > 0:
            groups.join(of[finding.identity])
    members: dict[Key, list[Finding]] = defaultdict(list)
    for finding in ordered:
        members[groups.of(of[finding.identity])].append(finding)
    incidents = [_incident(found, of) for found in members.values()]
    return tuple(sorted(incidents, key=lambda i: (-SEVERITIES.index(i.severity), i.since, _order(i.cause))))


def _order(finding: Finding) -> tuple[int, int, bool, float, str, Key]:
    """Return sort key of causal order: information last, findings that blame nobody before those that do."""
    rank = REGISTRY[finding.detector].causal if finding.detector in REGISTRY else UNKNOWN
    victim = finding.remedy is not None
    return (int(finding.rank == 0), rank, victim, -finding.rank, finding.target.name, finding.target.key)


def _incident(found: list[Finding], of: dict[tuple[str, Key], tuple[Key, ...]]) -> Incident:
    """Return the incident of the findings `found`, which are in causal order."""
    telling = [f for f in found if f.rank > 0] or found
    functions = {k for f in telling for k in of[f.identity] if k.kind == "function"}
    return Incident(
        found[0],
        tuple(found[1:]),
        SEVERITIES[max(f.rank for f in found)],
        min(f.since for f in telling),
        tuple(sorted(functions)),
    )


class _Owners:
    """Which functions a thing belongs to."""

    def __init__(self, world: World) -> None:
        self._of: dict[Key, set[Key]] = defaultdict(set)
        for mapping in world.mappings.values():
            self._of[mapping.key].add(mapping.function)
            for source in (mapping.source_queue, mapping.source_stream):
                if source is not None:
                    self._of[source].add(mapping.function)
        for queue, feeders in dead_letter_queues(world).items():
            for feeder in feeders:
                self._of[queue] |= {feeder} if feeder.kind == "function" else self._of[feeder]
        self._writers = writers_by_group(world.functions)

    def of(self, finding: Finding) -> tuple[Key, ...]:
        """Return the functions of a finding, its target's first; its target where there is none."""
        found: dict[Key, None] = {}
        for key in (finding.target.key, *finding.about):
            owned = [key] if key.kind == "function" else sorted(self._owners(key))
            found |= dict.fromkeys(owned)
        return tuple(found) or (finding.target.key,)

    def _owners(self, key: Key) -> Iterable[Key]:
        if key.kind != LOG_GROUP:
            return self._of.get(key, ())
        writers = self._writers.get(key, ())
        # A group that many functions share must not make one incident of theirs.
        return [writers[0].key] if len(writers) == 1 else ()


class _Groups:
    """Disjoint sets of keys."""

    def __init__(self) -> None:
        self._parent: dict[Key, Key] = {}

    def join(self, keys: tuple[Key, ...]) -> None:
        """Make one set of all sets that hold one of the keys; its smallest key stands for it."""
        roots = {self._root(key) for key in keys}
        first = min(roots)
        for root in roots:
            self._parent[root] = first

    def of(self, keys: tuple[Key, ...]) -> Key:
        """Return representative of the set of the first key that is in a set, else the first key alone."""
        known = [key for key in keys if key in self._parent]
        return self._root(known[0]) if known else keys[0]

    def _root(self, key: Key) -> Key:
        self._parent.setdefault(key, key)
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key
