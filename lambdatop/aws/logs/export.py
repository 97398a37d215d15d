"""Read whole logs from a moment to now, oldest first, page after page.

A page is the largest that the server sends, and the next one is requested while the lines of this one are
processed. Nothing is counted as in a tail: each window is read once, by tokens, so only a repeated page could
double a line. Lines that are delivered after their page was read are not looked for; the tail does that.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

from lambdatop.aws.logs.raw_events import identity, owned
from lambdatop.aws.reads.log_groups import LogGroups
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.event_stream import Raw
from lambdatop.domain.errors import Denied, Missing, SourceError, Throttled, Unreachable
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.ports.log_export import Batch, Text
from lambdatop.domain.sanitize import clean_all, clean_line, without_colours

PAGE_EVENTS = 10_000
"""The most events in an answer of FilterLogEvents; about 1 MB is its other limit."""

SLICE = 1000
"""Lines that are processed before the loop runs, which reads the next page meanwhile."""

AHEAD_MS = 60_000
"""Clocks differ, so lines from a little after now are read, too; without a limit a busy log would not end."""

PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Pauses (s) after a page that was throttled or did not arrive, though the SDK has retried."""

Entry = tuple[int, Key, Raw]


class Export:
    """Reads whole logs; one object can be used for several readings, one after the other."""

    def __init__(self, api: Api, groups: LogGroups) -> None:
        self._api = api
        self._groups = groups

    async def texts(
        self, functions: Sequence[FunctionFacts], since_ms: int, shared: set[str], until_ms: int | None = None
    ) -> AsyncGenerator[Batch[Text], None]:
        """Yield their lines as cleaned text; `shared` are the groups that other functions write to, too.

        `since_ms` and `until_ms` (None: now) are ms since the epoch.
        """
        async with aclosing(self._merged(functions, since_ms, shared, until_ms)) as batches:
            async for batch in batches:
                for some in _slices(batch):
                    entries = some.lines
                    texts = clean_all([_plain(event) for _, _, event in entries])
                    yield Batch(
                        [(at, key, text) for (at, key, _), text in zip(entries, texts, strict=True)],
                        some.notes,
                    )
                    await asyncio.sleep(0)

    async def lines(
        self, functions: Sequence[FunctionFacts], since_ms: int, shared: set[str], until_ms: int | None = None
    ) -> AsyncGenerator[Batch[tuple[Key, LogLine]], None]:
        """Yield the lines of these functions, parsed."""
        async with aclosing(self._merged(functions, since_ms, shared, until_ms)) as batches:
            async for batch in batches:
                for some in _slices(batch):
                    yield Batch([(key, _parsed(at, event)) for at, key, event in some.lines], some.notes)
                    await asyncio.sleep(0)

    async def _merged(
        self, functions: Sequence[FunctionFacts], since_ms: int, shared: set[str], until_ms: int | None
    ) -> AsyncGenerator[Batch[Entry], None]:
        """Yield batches of all groups in order of time, as far as each group was read."""
        if until_ms is None:
            until_ms = int(self._api.now() * 1000) + AHEAD_MS
        writers: dict[str, dict[str, Key]] = {}
        for facts in functions:
            writers.setdefault(facts.log_group, {})[facts.name] = facts.key
        walks = [
            _Walk(self._api, self._groups, group, since_ms, until_ms, keys, group in shared)
            for group, keys in writers.items()
        ]
        try:
            while walks:
                results = await asyncio.gather(*(walk.fill() for walk in walks), return_exceptions=True)
                for error in filter(None, results):
                    raise error
                horizon = min((walk.held[-1][0] for walk in walks if not walk.ended), default=math.inf)
                found: list[Entry] = []
                for walk in walks:
                    found += walk.until(horizon)
                if len(walks) > 1:
                    found.sort(key=itemgetter(0))
                notes = tuple(dict.fromkeys(note for walk in walks for note in walk.notes()))
                walks = [walk for walk in walks if walk.held or not walk.ended]
                yield Batch(found, notes)
        finally:
            for walk in walks:
                await walk.stop()


@dataclass(slots=True)
class _Walk:
    """One log group: its lines that were not yielded yet, and the page that was requested."""

    api: Api
    groups: LogGroups
    group: str
    since_ms: int
    until_ms: int
    keys: Mapping[str, Key]
    shared: bool
    held: list[Entry] = field(default_factory=list)
    ended: bool = False
    _coming: asyncio.Task[dict[str, Any]] | None = None
    _token: str | None = None
    _before: set[str] = field(default_factory=set)
    _unknown: int = 0
    _said: list[str] = field(default_factory=list)

    async def fill(self) -> None:
        """Read on until there are lines, or the end. Pages without lines are normal."""
        while not self.held and not self.ended:
            try:
                page = await (self._coming or self._page(self._token))
            except Missing:
                self.ended = True
                self._said.append(
                    f"the log group {self.group} does not exist (yet): it is made at the first log line"
                )
                return
            except (Throttled, Unreachable, Denied):
                raise
            except SourceError as error:
                raise await self.groups.explained(self.group, error) from error
            first = self._token is None
            self._go_on(page.get("nextToken"))
            self._take(page["events"])
            if first and self.ended and not page["events"]:
                refused = await self.groups.unreadable(self.group)
                if refused is not None:
                    raise refused

    def _go_on(self, token: str | None) -> None:
        self._coming = None
        if token and token == self._token:
            self._said.append("the server sent the same page again: what comes after it was not read")
        self.ended = not token or token == self._token
        self._token = token
        if not self.ended:
            self._coming = asyncio.create_task(self._page(token))

    def _take(self, events: Iterable[Raw]) -> None:
        fresh = [e for e in events if e and not (e.get("eventId") and e["eventId"] in self._before)]
        self._before = {e.get("eventId") or "" for e in fresh}
        own, unknown = owned(fresh, self.keys, self.shared)
        self._unknown += unknown
        since = self.since_ms
        self.held = [(at, key, event) for key, event in own if (at := _stamp(event)) >= since]
        self.held.sort(key=itemgetter(0))

    def until(self, horizon: float) -> list[Entry]:
        """Take the lines up to a moment (ms, inclusive)."""
        if not self.held or self.held[-1][0] <= horizon:
            taken, self.held = self.held, []
            return taken
        cut = next(i for i, entry in enumerate(self.held) if entry[0] > horizon)
        taken, self.held = self.held[:cut], self.held[cut:]
        return taken

    def notes(self) -> list[str]:
        """Return each note once; how many lines were left out is known at the end."""
        said, self._said = self._said, []
        if self.ended and self._unknown:
            said.append(f"{self._unknown} lines of streams that name no function are left out (shared group)")
            self._unknown = 0
        return said

    async def stop(self) -> None:
        """Cancel the read of the next page."""
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)

    async def _page(self, token: str | None) -> dict[str, Any]:
        more: dict[str, Any] = {"nextToken": token} if token else {}
        for pause_s in (*PAUSES_S, None):
            try:
                return await self.api.read(
                    "logs",
                    "FilterLogEvents",
                    logGroupName=self.group,
                    startTime=self.since_ms,
                    endTime=self.until_ms,
                    limit=PAGE_EVENTS,
                    **more,
                )
            except (Throttled, Unreachable) as error:
                if pause_s is None or (token is None and isinstance(error, Unreachable)):
                    raise
                await self.api.pause(pause_s)
        raise AssertionError("the last try returns or raises")


def _slices(batch: Batch[Entry]) -> Iterable[Batch[Entry]]:
    """Yield slices of a batch: at least one, which carries the notes."""
    yield Batch(batch.lines[:SLICE], batch.notes)
    for begin in range(SLICE, len(batch.lines), SLICE):
        yield Batch(batch.lines[begin : begin + SLICE])


def _stamp(event: Raw) -> int:
    """Return the event's timestamp, ms since the epoch; 0 where the server sent none."""
    at = event.get("timestamp")
    return at if type(at) is int else 0


def _message(event: Raw) -> str:
    text = event.get("message")
    return text if type(text) is str else str(text or "")


def _plain(event: Raw) -> str:
    """Return the message as a parsed line shows it: without its last line end, and without colours."""
    return without_colours(_message(event).rstrip("\n"))


def _parsed(at: int, event: Raw) -> LogLine:
    return parse(
        at / 1000,
        _identity(event),
        _stream(str(event.get("logStreamName") or "")),
        _message(event),
        keep_raw=True,
    )


def _identity(event: Raw) -> str:
    id_ = event.get("eventId")
    if type(id_) is str and id_.isascii() and id_.isalnum() and len(id_) <= 64:
        return id_  # AWS's are 56 digits: there is nothing to clean
    return identity(event)


@lru_cache(maxsize=1024)
def _stream(name: str) -> str:
    """Return a stream's name, cleaned and cached: a few streams write thousands of lines each."""
    return clean_line(name, 512)
