"""Which entries stay in the journal's file when it grows too long; the others go to an archive. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lambdatop.domain.journal import Entry
from lambdatop.domain.mitigations.drain import SERVICE as DRAIN
from lambdatop.domain.scope import Key

RECENT = 200
"""The newest entries stay whatever they are: the console shows them."""
MOST = 1_000
"""Of changes that can be undone, and of drains, so many stay; older ones are found in archives."""


def kept(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries that stay, in their order.

    Those are the newest, all whose outcome is not known (with the newest change of the same target since,
    which tells whether the state speaks for them), what an undo or a redo takes back next, and drains, which
    name the files that they filled.
    """
    staying = {entry.id for entry in entries[-RECENT:]}
    staying |= set(_unsettled(entries))
    staying |= set(_first(_next_undos(entries)))
    staying |= set(_first(e.id for e in reversed(entries) if e.call.service == DRAIN))
    return tuple(entry for entry in entries if entry.id in staying)


def _first(ids: Iterable[str]) -> Iterator[str]:
    return (id_ for id_, _ in zip(ids, range(MOST), strict=False))


def _unsettled(entries: Sequence[Entry]) -> Iterator[str]:
    sent: dict[Key, str] = {}
    for entry in reversed(entries):
        if entry.outcome in ("open", "unknown"):
            yield entry.id
            if entry.target in sent:
                yield sent[entry.target]
        if entry.outcome in ("open", "unknown", "applied", "undone"):
            sent.setdefault(entry.target, entry.id)


def _next_undos(entries: Sequence[Entry]) -> Iterator[str]:
    """Newest first: changes with nothing on top of them, and for each field the newest undo without one."""
    covered: set[tuple[Key, str]] = set()
    taken_back: set[tuple[Key, str]] = set()
    for entry in reversed(entries):
        if entry.outcome != "applied" and not entry.accepted:
            continue
        fields = {(entry.target, field) for field in entry.after}
        if entry.can_undo and not fields & covered and not (entry.takes_back and fields <= taken_back):
            yield entry.id
        if entry.takes_back:
            taken_back |= fields
        else:
            covered |= fields
