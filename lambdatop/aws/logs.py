"""The log tail of the watched functions, by polling FilterLogEvents of their configured log groups.

Events arrive late and out of order, so every round reads an overlap again and recognises what it has
seen by event id. The first round takes the newest lines of the last ten minutes. Every later round reads
a bounded number of pages; what is left over is continued by its token in the next round, and the event
says so. Lines that come later than the overlap reaches are lost:
CloudWatch usually delivers within seconds.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdatop.aws import known
from lambdatop.aws.log_choice import STAY_S, choose
from lambdatop.aws.session import Api
from lambdatop.domain.errors import Missing, SourceError
from lambdatop.domain.events import Event, LogsObserved
from lambdatop.domain.function import FunctionFacts
from lambdatop.domain.logline import LogLine, parse
from lambdatop.domain.ports import View
from lambdatop.domain.scope import Key, Scope
from lambdatop.domain.text import clean_line, clean_name

BACKFILL_S = 600.0
OVERLAP_S = (10.0, 60.0)
OVERLAP_EVENTS = 2000
FIRST_PAGES = 2
PAGES = 6
PAGE_EVENTS = 2000
KEEP_LINES = 5000
KEEP_IDS = 50_000
KEEP_TAILS = 64
PARSE_SLICE = 500
BEHIND_ROUNDS = 4

_SHARED_STREAM = re.compile(r"^\d{4}/\d{2}/\d{2}/([A-Za-z0-9_-]{1,64})\[(?:\$LATEST|\d+)\]")


@dataclass(slots=True)
class Tail:
    """Where the reading of one function's log stands. Times in s since the epoch."""

    newest: float | None = None
    read_until: float | None = None
    token: str | None = None
    start: float = 0.0
    behind: int = 0
    rate: float = 0.0
    seen: dict[str, float] = field(default_factory=dict)
    backfill_s: float = BACKFILL_S

    def next_start(self, now: float) -> float:
        """Start of the next window: the newest line minus an overlap, never older than the backfill.

        The overlap shrinks for a log that is so fast that reading it again would be all we do.
        """
        oldest = now - self.backfill_s
        if self.newest is None:
            return oldest
        low, high = OVERLAP_S
        overlap = min(high, max(low, OVERLAP_EVENTS / self.rate)) if self.rate else high
        return max(oldest, min(self.newest, now) - overlap)

    def forget(self, before: float) -> None:
        """Drop ids that no window can bring again, then the oldest beyond the bound."""
        kept = {id_: at for id_, at in self.seen.items() if at >= before}
        for id_ in list(kept)[: max(0, len(kept) - KEEP_IDS)]:
            del kept[id_]
        self.seen = kept


class LogsSource:
    """FilterLogEvents of each watched function, oldest first."""

    name = "logs"

    def __init__(self, api: Api, scope: Scope, most: int = 1) -> None:
        self._api = api
        self._scope = scope
        self._most = most
        self._following: dict[Key, float] = {}
        self._tails: dict[Key, Tail] = {}
        self._backfill_s = BACKFILL_S

    async def collect(self, view: View) -> Sequence[Event]:
        """One round over the functions followed; fails only when none of them could be read."""
        self._backfill_s = view.log_backfill_s
        functions = known.functions(view, self._scope)
        chosen = set(self._choose(view, functions))
        watched = sorted((f for f in functions if f.key in chosen), key=lambda f: f.key)
        if not watched:
            return ()
        shared = _shared_groups(functions)
        results = await asyncio.gather(*(self._guarded(f, f.log_group in shared) for f in watched))
        events = [r for r in results if isinstance(r, LogsObserved)]
        errors = [r for r in results if isinstance(r, SourceError)]
        if errors and not events:
            raise errors[0]
        return events

    def pace_floor(self, view: View) -> tuple[float, str]:
        """The configured pace stands."""
        return 0.0, ""

    def _choose(self, view: View, functions: Sequence[FunctionFacts]) -> list[Key]:
        now = self._api.now()
        chosen = choose(view.world, functions, view.watched, self._following, now, self._most)
        kept = {k: until for k, until in self._following.items() if until > now}
        self._following = {k: kept.get(k, now + STAY_S) for k in chosen if k not in view.watched}
        return chosen

    async def _guarded(self, facts: FunctionFacts, shared: bool) -> LogsObserved | SourceError:
        try:
            return await self._read(facts, shared)
        except Missing:
            gap = f"the log group {facts.log_group} does not exist (yet): it is made at the first log line"
            return self._event(facts, (), gap)
        except SourceError as error:
            return error

    async def _read(self, facts: FunctionFacts, shared: bool) -> LogsObserved:
        tail, now = self._tail(facts.key), self._api.now()
        gap = self._begin(tail, now)
        fresh: list[dict[str, Any]] = []
        first = tail.newest is None
        for _ in range(FIRST_PAGES if first else PAGES):
            try:
                page = await self._page(facts.log_group, tail, newest_first=first)
            except SourceError as error:
                tail.token = None
                if not fresh:
                    raise
                # What the pages before it brought counts as seen, so it must not be thrown away.
                gap = f"reading stopped early: {error}"
                break
            self._take(tail, page.get("events") or (), fresh)
            tail.token = page.get("nextToken")
            if not tail.token:
                break
        if tail.token and first and _descending(fresh):
            tail.token = None
            minutes = f"{tail.backfill_s / 60:.0f} minutes"
            gap = f"only the newest {len(fresh)} lines of the last {minutes} were read"
        elif tail.token:
            tail.behind += 1
            gap = gap or "this log is long or fast: reading goes on with the next round"
        if not tail.token:
            self._end(tail, now)
        lines, unknown = await _lines(fresh, facts.name, shared)
        if unknown:
            gap = gap or f"{unknown} lines of streams that name no function are left out (shared group)"
        if len(fresh) > KEEP_LINES:
            gap = f"{len(fresh) - KEEP_LINES} older lines are left out"
        return self._event(facts, lines, gap)

    def _begin(self, tail: Tail, now: float) -> str:
        """Open the next window; the gap sentence when lines had to be skipped for it."""
        if tail.token and tail.behind < BEHIND_ROUNDS:
            return ""
        gap = ""
        if tail.token:
            # Reading on from the old place would fall behind for ever: jump to now, and say so.
            tail.newest = now - OVERLAP_S[0]
            gap = "this log is faster than it may be read: some lines were skipped"
        elif tail.read_until is not None and tail.read_until < now - tail.backfill_s:
            missed_s = now - tail.backfill_s - tail.read_until
            gap = f"the {missed_s:.0f} s while it was not watched were not read"
        tail.token, tail.behind = None, 0
        tail.start = tail.next_start(now)
        return gap

    def _end(self, tail: Tail, now: float) -> None:
        """The window is read to its end: move on."""
        tail.behind, tail.read_until = 0, now
        recent = sum(1 for at in tail.seen.values() if at >= now - OVERLAP_S[1])
        tail.rate = recent / OVERLAP_S[1]
        tail.forget(min(tail.next_start(now), tail.start))

    async def _page(self, group: str, tail: Tail, *, newest_first: bool) -> dict[str, Any]:
        more: dict[str, Any] = {"nextToken": tail.token} if tail.token else {}
        if newest_first:
            more["startFromHead"] = False
        return await self._api.read(
            "logs",
            "FilterLogEvents",
            logGroupName=group,
            startTime=int(tail.start * 1000),
            limit=PAGE_EVENTS,
            **more,
        )

    def _take(self, tail: Tail, events: Sequence[dict[str, Any]], fresh: list[dict[str, Any]]) -> None:
        for event in events:
            id_, at = _identity(event), event.get("timestamp", 0) / 1000
            if id_ in tail.seen:
                continue
            tail.seen[id_] = at
            tail.newest = max(tail.newest or at, at)
            fresh.append(event)

    def _tail(self, key: Key) -> Tail:
        tail = self._tails.pop(key, None) or Tail(backfill_s=self._backfill_s)
        self._tails[key] = tail
        while len(self._tails) > KEEP_TAILS:
            self._tails.pop(next(iter(self._tails)))
        return tail

    def _event(self, facts: FunctionFacts, lines: tuple[LogLine, ...], gap: str) -> LogsObserved:
        return LogsObserved(self._scope, self._api.now(), facts.key, facts.log_group, lines, not gap, gap)


def _identity(event: dict[str, Any]) -> str:
    """The event's id; where a server sends none, what makes the line that line."""
    id_ = event.get("eventId")
    if id_:
        return str(id_)
    return f"{event.get('logStreamName')}|{event.get('timestamp')}|{event.get('message')}"


def _descending(events: Sequence[dict[str, Any]]) -> bool:
    """Whether a bounded first answer holds the newest lines, or the server cannot begin with them."""
    return len(events) > 1 and events[0].get("timestamp", 0) > events[-1].get("timestamp", 0)


def _shared_groups(functions: Sequence[FunctionFacts]) -> set[str]:
    """Log groups that more than one function writes to, or that are nobody's default group."""
    seen: set[str] = set()
    shared: set[str] = set()
    for facts in functions:
        if facts.log_group in seen:
            shared.add(facts.log_group)
        seen.add(facts.log_group)
    return shared


async def _lines(
    events: list[dict[str, Any]], function: str, shared: bool
) -> tuple[tuple[LogLine, ...], int]:
    """Parsed lines of this function, oldest first, and how many could be anybody's."""
    own, unknown = [], 0
    for event in events:
        owner = _owner(str(event.get("logStreamName") or "")) if shared else function
        if owner == function:
            own.append(event)
        elif owner is None:
            unknown += 1
    own.sort(key=lambda e: e.get("timestamp", 0))
    lines: list[LogLine] = []
    for i, event in enumerate(own[-KEEP_LINES:]):
        if i and i % PARSE_SLICE == 0:
            await asyncio.sleep(0)
        stream = clean_line(str(event.get("logStreamName") or ""), 512)
        at = event.get("timestamp", 0) / 1000
        lines.append(parse(at, clean_name(_identity(event)), stream, str(event.get("message") or "")))
    return tuple(lines), unknown


def _owner(stream: str) -> str | None:
    match = _SHARED_STREAM.match(stream)
    return match.group(1) if match else None
