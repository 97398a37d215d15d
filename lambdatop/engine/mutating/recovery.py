"""Find the outcome of intents whose end was not recorded: a process died, or an answer was lost.

An entry is "open" when its process died between intent and outcome, "unknown" when the answer was lost
and the state read back right afterwards did not show it. Both are read again, by whoever starts next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from lambdatop.domain.keys import Scope
from lambdatop.domain.mitigations.undo import in_transition
from lambdatop.domain.plans.journal import ACCEPTED, NO_UPTIME, Entry
from lambdatop.domain.plans.plan import shows
from lambdatop.domain.plans.unfinished import ALREADY
from lambdatop.domain.ports.aws import Reader
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.ports.storage import JournalStore
from lambdatop.engine.mutating.in_progress import process_may_run
from lambdatop.engine.mutating.read_back import is_changing, read_fields
from lambdatop.engine.mutating.verdict import (
    FOUND_APPLIED,
    FOUND_CHANGED,
    FOUND_NOT,
    FOUND_NOTHING,
    Verdict,
    over_before,
    words,
)
from lambdatop.engine.rate_limiter import urgent

ABANDONED_S = 600.0
"""No call lives this long; a process id may have been given to another process by then."""


LATE_S = 120.0
"""A lost request that shows no effect after this many seconds was not applied."""


class Ages:
    """How old entries are at least, even if the clock was set meanwhile."""

    def __init__(self, clock: Clock, host: str) -> None:
        self._clock = clock
        self._host = host
        self._seen_at: dict[str, float] = {}

    def at_least_s(self, entry: Entry) -> float:
        """Return how old an intent is at least, s.

        Since the same start of this machine that is known exactly. After a new start of the machine, or from
        another one, the clock decides, but no more than this machine has run since; where by the clock it
        comes from the future, it is the time for which this process has known it.
        """
        monotonic = self._clock.monotonic()
        known_s = monotonic - self._seen_at.setdefault(entry.id, monotonic)
        uptime = self._clock.uptime() if entry.host == self._host else NO_UPTIME
        age_s = entry.age_s(self._clock.now(), uptime) or 0.0
        if "" not in (entry.uptime.boot, uptime.boot) and entry.uptime.boot != uptime.boot:
            age_s = min(age_s, uptime.s)
        return max(known_s, age_s)


def may_be_alive(entry: Entry, host: str, age_s: float) -> bool:
    """Return whether the process that wrote an open intent, at least `age_s` ago, may still be at work on it.

    A process on another machine (a shared home) cannot be asked, so it is given `ABANDONED_S`.
    """
    if age_s > ABANDONED_S:
        return False
    return process_may_run(entry, host)


async def recover(
    clock: Clock,
    journal: JournalStore,
    reader: Reader,
    scope: Scope,
    ages: Ages,
    busy: Callable[[Entry], bool],
) -> tuple[Entry, ...]:
    """Settle every unsettled entry of `scope` that nobody works on; the entries that were settled."""
    settled: list[Entry] = []
    entries = await asyncio.to_thread(journal.read)
    for entry in unsettled(entries, scope):
        if entry.outcome == "open" and busy(entry):
            continue
        with urgent():
            verdict = await _verdict(reader, entry, _later(entries, entry))
        if verdict is None or _too_early(entry, verdict, ages):
            continue
        if entry.accepted and verdict.outcome != "applied":
            # AWS said yes to it: that it was not sent would be false, whatever the state shows.
            verdict = replace(verdict, outcome="unknown", detail=f"{ACCEPTED}; {verdict.detail}")
        if entry not in await asyncio.to_thread(journal.read):
            continue  # another console was quicker
        at = clock.now()
        args = (entry.id, at, verdict.outcome, verdict.detail, verdict.seen)
        await asyncio.to_thread(journal.outcome, *args)
        settled.append(
            replace(entry, outcome=verdict.outcome, outcome_at=at, detail=verdict.detail, seen=verdict.seen)
        )
    return tuple(settled)


def unsettled(entries: Sequence[Entry], scope: Scope) -> list[Entry]:
    """Return entries of `scope` whose outcome may still be determined: open ones, and lost answers."""
    return [e for e in entries if e.target.scope == scope and (e.outcome == "open" or _was_lost(e))]


def _was_lost(entry: Entry) -> bool:
    if entry.outcome != "unknown" or not entry.after:
        return False
    said = entry.detail.removeprefix(f"{ACCEPTED}; ")
    return not said.startswith((FOUND_CHANGED, FOUND_NOTHING, FOUND_NOT))


def _too_early(entry: Entry, verdict: Verdict, ages: Ages) -> bool:
    """Return whether it is too early to call it not applied.

    A request may outlive its process or lost answer. What has ended by itself, no request changes any more.
    """
    if verdict.detail.startswith(ALREADY):
        return False
    return verdict.outcome == "not-sent" and ages.at_least_s(entry) - entry.again_s < LATE_S


def _later(entries: Sequence[Entry], entry: Entry) -> Entry | None:
    """Return a newer change of the same fields that may have gone through: the state shows that one."""
    after = entries[entries.index(entry) + 1 :]
    sent = ("open", "applied", "undone", "unknown")
    same = (e for e in after if e.target == entry.target and e.after.keys() & entry.after.keys())
    return next((e for e in same if e.outcome in sent), None)


async def _verdict(reader: Reader, entry: Entry, later: Entry | None) -> Verdict | None:
    """Return what AWS's state shows; None when it cannot be read now or is still changing."""
    if not entry.after:
        return Verdict("unknown", f"{FOUND_NOTHING}: {entry.mitigation} leaves no trace that could be read")
    if later is not None:
        return Verdict("unknown", f"{FOUND_NOTHING}: entry {later.id} acted on the same target since")
    found = await read_fields(reader, entry.target, entry.after)
    if found.gone:
        detail = f"{FOUND_CHANGED}: {entry.target.kind} {entry.target.id} does not exist any more"
        return Verdict("unknown", detail)
    if found.state is None:
        return None
    if shows(found.state, entry.after):
        return Verdict("applied", FOUND_APPLIED, found.state)
    if shows(found.state, {name: entry.before.get(name) for name in entry.after}):
        if await is_changing(reader, entry.target, entry.after):
            return None
        return Verdict("not-sent", FOUND_NOT, found.state)
    if in_transition(found.state):
        return None  # it will have an answer soon
    if over := over_before(entry.before, entry.after, found.state):
        return Verdict("not-sent", f"{ALREADY}: {over}", found.state)
    detail = f"{FOUND_CHANGED}: we meant {words(entry.after)}, it was {words(entry.before)}"
    return Verdict("unknown", f"{detail}, it is {words(found.state)}", found.state)
