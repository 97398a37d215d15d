"""Choose which entries stay in the journal's file when it grows too long; the others are archived. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.drain import OPERATION as DRAIN
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.unfinished import plan_of

RECENT = 200
"""The newest entries stay whatever they are: the console shows them."""
MOST = 1_000
"""Of changes that stand, and of drains, so many stay; older ones are found in archives."""


def kept(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries that stay, in their order.

    Those are the newest, all whose outcome is not known (with the newest change of the same target since,
    which shows whether the state is evidence for them), changes that can be undone with what was done on top
    of them, the newest undos, and drains, which name the files that they filled. Of a plan in steps all stay
    or none, so that a whole plan never looks as if it had ended halfway.
    """
    staying = {entry.id for entry in entries[-RECENT:]}
    staying |= set(_unsettled(entries))
    staying |= set(islice(_undos(entries), MOST))
    staying |= set(islice((e.id for e in reversed(entries) if e.call.operation == DRAIN), MOST))
    plans = {plan_of(entry) for entry in entries if entry.id in staying}
    return tuple(e for e in entries if e.id in staying or (e.steps and plan_of(e) in plans))


def _unsettled(entries: Sequence[Entry]) -> Iterator[str]:
    sent: dict[Key, str] = {}
    for entry in reversed(entries):
        if entry.outcome in ("open", "unknown"):
            yield entry.id
            if entry.target in sent:
                yield sent[entry.target]
        if entry.outcome in ("open", "unknown", "applied", "undone"):
            sent.setdefault(entry.target, entry.id)


def _undos(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the ids, newest first.

    All changes that stand, and for each field the newest undo with no change since. Changes below others stay
    too: they are what comes next once those on top have been undone.
    """
    changed: set[tuple[Key, str]] = set()
    taken_back: set[tuple[Key, str]] = set()
    for entry in reversed(entries):
        if entry.outcome != "applied" and not entry.accepted:
            continue
        fields = {(entry.target, field) for field in entry.after}
        if entry.takes_back:
            if entry.can_undo and not fields & changed and not fields <= taken_back:
                yield entry.id
            taken_back |= fields
        else:
            if entry.can_undo or fields:
                yield entry.id
            changed |= fields
