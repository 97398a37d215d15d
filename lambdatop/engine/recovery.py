"""Open intents of processes that died between intent and outcome: what became of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace

from lambdatop.domain.journal import Entry
from lambdatop.domain.ports import Clock, JournalStore, Reader
from lambdatop.domain.scope import Scope
from lambdatop.engine.budget import urgent
from lambdatop.engine.settle import look
from lambdatop.engine.verdict import FOUND_APPLIED, FOUND_CHANGED, FOUND_NOT, FOUND_NOTHING, Verdict, words

ABANDONED_S = 600.0
"""No call lives this long; a process id may have been given to another process by then."""


def may_be_alive(entry: Entry, host: str, now: float) -> bool:
    """Whether the process that wrote an open intent may still be at work on it.

    A process on another machine (a shared home) cannot be asked, so it is given `ABANDONED_S`.
    """
    if now - entry.at > ABANDONED_S:
        return False
    if entry.host != host:
        return True
    try:
        os.kill(entry.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def recover(
    clock: Clock, journal: JournalStore, reader: Reader, scope: Scope, busy: Callable[[Entry], bool]
) -> tuple[Entry, ...]:
    """Settle every open entry of `scope` that nobody works on; the entries that were settled."""
    settled: list[Entry] = []
    for entry in _open(await asyncio.to_thread(journal.read), scope):
        if busy(entry):
            continue
        with urgent():
            verdict = await _verdict(reader, entry)
        if verdict is None:
            continue
        still = await asyncio.to_thread(journal.read)
        if entry.id not in {e.id for e in _open(still, scope)}:
            continue  # another console was quicker
        at = clock.now()
        args = (entry.id, at, verdict.outcome, verdict.detail, verdict.seen)
        await asyncio.to_thread(journal.outcome, *args)
        settled.append(
            replace(entry, outcome=verdict.outcome, outcome_at=at, detail=verdict.detail, seen=verdict.seen)
        )
    return tuple(settled)


def _open(entries: tuple[Entry, ...], scope: Scope) -> list[Entry]:
    return [e for e in entries if e.outcome == "open" and e.target.scope == scope]


async def _verdict(reader: Reader, entry: Entry) -> Verdict | None:
    """What AWS's state says; None when it cannot be read now or is still changing."""
    if not entry.after:
        return Verdict("unknown", f"{FOUND_NOTHING}: {entry.mitigation} leaves no trace that could be read")
    found = await look(reader, entry.target, entry.after)
    if found.state is None:
        return None
    if found.state == dict(entry.after):
        return Verdict("applied", FOUND_APPLIED, found.state)
    if found.state == dict(entry.before):
        return Verdict("not-sent", FOUND_NOT, found.state)
    if str(found.state.get("state", "")).endswith("ing"):
        return None  # Disabling, Enabling, Updating: it will have an answer soon
    detail = f"{FOUND_CHANGED}: we meant {words(entry.after)}, it was {words(entry.before)}"
    return Verdict("unknown", f"{detail}, it is {words(found.state)}", found.state)
