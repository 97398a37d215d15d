"""Report how changes ended that no screen shows: plans that ended halfway, and calls at the end."""

from __future__ import annotations

from collections.abc import Iterable

from lambdatop.cli import stdio
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.unfinished import Halfway
from lambdatop.domain.ports.storage import JournalStore


def ended(entries: Iterable[Entry]) -> tuple[Halfway, ...]:
    """Return plans in steps of any account that ended halfway and of which something stands."""
    from lambdatop.engine.clock import SystemClock
    from lambdatop.engine.mutating.in_progress import ended_halfway

    return ended_halfway(entries, SystemClock(), own_works=False)


def under_way(journal: JournalStore) -> frozenset[str]:
    """Return the ids of this process's entries whose outcome is not on disk yet."""
    from lambdatop.engine.mutating.in_progress import is_own

    return frozenset(e.id for e in _read(journal) if is_own(e) and e.outcome == "open")


def report_ends(journal: JournalStore, before: frozenset[str]) -> None:
    """Report how what was under way `before` has ended, and which of this process's plans ended halfway."""
    from lambdatop.engine.mutating.in_progress import is_own

    entries = _read(journal)
    for entry in entries:
        if entry.id in before:
            stdio.message(f"{entry.mitigation} {entry.label or entry.target.id}: {_how(entry)}")
    for plan in ended(entries):
        if any(is_own(e) for e in plan.done):
            stdio.message(plan.sentence)


def _how(entry: Entry) -> str:
    if entry.outcome not in ("open", "unknown"):
        return f"{entry.outcome} (entry {entry.id})"
    return f"its outcome is not known (entry {entry.id}); `lambdatop journal --settle` determines its outcome"


def _read(journal: JournalStore) -> tuple[Entry, ...]:
    try:
        return journal.read()
    except LambdatopError:
        return ()  # whoever writes to it has said so
