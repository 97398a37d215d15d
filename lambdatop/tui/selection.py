"""Find what a mutation key acts on: from the selected row to the candidates of the right kind. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from typing import NamedTuple

from msgspec import Struct

from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.registry import kind_of, planner
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.undoable import newest_undoable
from lambdatop.domain.state.snapshot import MappingRow, QueueRow, Snapshot, StormRow

ASKED_FOR = ("alias", "rule", "schedule", "pipe", "state machine")
"""Kinds that no snapshot holds: the engine is asked when a key needs them."""


class Selection(Struct, frozen=True):
    """What is selected: a function, and the mapping, queue or caller when the row names one.

    `caller` is a schedule, pipe or state machine.
    """

    function: Key | None = None
    mapping: Key | None = None
    queue: Key | None = None
    caller: Key | None = None

    @property
    def name(self) -> str:
        """Its name for sentences."""
        key = self.function or self.mapping or self.queue
        return key.id if key else "nothing"


NOTHING = Selection()


class Candidate(NamedTuple):
    """Something a mitigation could act on, and how to tell it from the others."""

    key: Key
    label: str


def of_storm(row: StormRow) -> Selection:
    """Return the selection that a storm row stands for."""
    # A row with sources stands for all callers that are not named one by one.
    return Selection(row.function, row.mapping, None, None if row.sources else row.caller)


def of_finding(finding: Finding, snapshot: Snapshot) -> Selection:
    """Return the selection of a finding: what would help, its target as a rule, and its function."""
    key = finding.remedy or finding.target.key
    if key.kind == "function":
        return Selection(function=key)
    if key.kind == "mapping":
        mapping = _mapping(snapshot, key)
        return Selection(mapping.facts.function if mapping else None, key, None)
    if key.kind == "queue":
        consumer = next((m for m in snapshot.mappings if _touches(m, key, snapshot)), None)
        return Selection(consumer.facts.function if consumer else None, None, key)
    return NOTHING


def logs_of(finding: Finding, snapshot: Snapshot) -> tuple[tuple[Key, ...], Hashable]:
    """Return the functions whose logs show a finding, the one to act on first, and what they have in common.

    For the cause of an incident those are all of its functions, else the finding's own one.
    """
    first = of_finding(finding, snapshot).function
    incident = next((i for i in snapshot.incidents if i.cause.identity == finding.identity), None)
    concerned = incident.functions if incident is not None else ()
    found = tuple(dict.fromkeys(k for k in (first, *concerned) if k is not None))
    return found, (("incident", incident.key) if incident is not None and len(found) > 1 else None)


def candidates(mitigation: str, selection: Selection, snapshot: Snapshot) -> tuple[Candidate, ...]:
    """Return everything that this mitigation could act on for the selection, most likely first."""
    kind = kind_of(mitigation)
    if kind == "function":
        key = selection.function
        return (Candidate(key, key.id),) if key else ()
    if kind == "mapping":
        return tuple(_mappings(mitigation, selection, snapshot))
    found = tuple(_queues(selection, snapshot))
    if planner(mitigation).dead_letters:
        letters = {q.facts.key for q in snapshot.queues if q.dlq_of}
        return tuple(c for c in found if c.key in letters)
    return found


def newest_of(function: Key | None, snapshot: Snapshot, about: Collection[Key] = ()) -> str | None:
    """Return the id of the newest change of this function that can be undone, None without one.

    `about` are other targets that belong to it: what is selected, and rules, which no snapshot holds. Its
    schedules, pipes and state machines belong to it, too.
    """
    rows = [m.facts for m in snapshot.mappings if function is not None and m.facts.function == function]
    mine = {function, *about}
    mine |= {m.key for m in rows} | {m.source_queue for m in rows}
    mine |= {q.facts.dlq for q in snapshot.queues if q.facts.key in mine}
    mine |= {c.key for c in (snapshot.callers.get(function, ()) if function is not None else ())}

    def concerns(entry: Entry) -> bool:
        key = entry.target
        if function is None or key.kind != "alias" or key.scope != function.scope:
            return key in mine
        return key in mine or key.id.startswith(f"{function.id}:")

    found = newest_undoable(snapshot.journal, concerns)
    return found.id if found is not None else None


def never_fits(mitigation: str, selection: Selection, snapshot: Snapshot) -> str:
    """Return why a mitigation never fits the selected function, as it is configured; "" where it may."""
    facts = next((f.facts for f in snapshot.functions if f.key == selection.function), None)
    refuses = planner(mitigation).never_fits
    return refuses(facts) if refuses is not None and facts is not None else ""


def nothing_to_do(mitigation: str, selection: Selection) -> str:
    """Return why there is no candidate, in one sentence."""
    if selection == NOTHING:
        return "Select a function first."
    what = planner(mitigation).nothing
    return f"{selection.name} has {what} (as far as known)."


def _mappings(mitigation: str, selection: Selection, snapshot: Snapshot) -> Iterator[Candidate]:
    if selection.mapping is not None:
        found = _mapping(snapshot, selection.mapping)
        rows = [found] if found else []
    elif selection.queue is not None:
        rows = [m for m in snapshot.mappings if _touches(m, selection.queue, snapshot)]
    else:
        rows = [m for m in snapshot.mappings if m.facts.function == selection.function]
    if selection.mapping is None:
        wanted = planner(mitigation).enabled
        rows = [m for m in rows if wanted is None or m.facts.enabled == wanted]
    for row in rows:
        facts = row.facts
        label = f"{facts.label}  {facts.source_kind}, {facts.state}"
        yield Candidate(facts.key, label)


def _queues(selection: Selection, snapshot: Snapshot) -> Iterator[Candidate]:
    known = {q.facts.key: q for q in snapshot.queues}
    wanted: list[tuple[Key, str]] = []
    if selection.queue is not None:
        wanted.append((selection.queue, ""))
    else:
        for row in snapshot.mappings:
            mine = row.facts.function == selection.function
            if (row.facts.key == selection.mapping if selection.mapping else mine) and row.facts.source_queue:
                wanted.append((row.facts.source_queue, "feeds " + row.facts.function.id))
        for key, _ in tuple(wanted):
            queue = known.get(key)
            if queue is not None and queue.facts.dlq is not None:
                wanted.append((queue.facts.dlq, f"dead letters of {key.id}"))
    for key, role in dict(wanted).items():
        yield Candidate(key, _queue_label(key, role, known.get(key)))


def _queue_label(key: Key, role: str, row: QueueRow | None) -> str:
    counts = f"about {row.facts.visible:,} waiting, {row.facts.in_flight:,} in flight" if row else "not read"
    return "  ".join(part for part in (key.id, role, counts) if part)


def _mapping(snapshot: Snapshot, key: Key) -> MappingRow | None:
    return next((m for m in snapshot.mappings if m.facts.key == key), None)


def _touches(row: MappingRow, queue: Key, snapshot: Snapshot) -> bool:
    """Return whether a mapping reads from `queue`, or from a queue whose dead letters go there."""
    source = row.facts.source_queue
    if source == queue:
        return True
    return any(q.facts.key == source and q.facts.dlq == queue for q in snapshot.queues)
