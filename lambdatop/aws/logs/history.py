"""Read what logs held before the tail began: FilterLogEvents backwards, in whole milliseconds.

A log group is read in windows that end where the one before began. Where the server begins with the newest
lines, reading may stop within a window: all but its oldest millisecond is complete then. Where it cannot, a
narrower window is asked for until one page holds it. So two requests in a row neither lose nor double a line.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from lambdatop.aws.logs.raw_events import owned, parsed, stamp
from lambdatop.aws.reads.log_groups import LogGroups, ReadApi
from lambdatop.aws.sdk.event_stream import Raw
from lambdatop.domain.errors import Denied, Missing
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import Older

PAGE_LINES = 2000
"""Lines read for one request of the console, about, over all functions; at least LEAST_LINES of each."""
LEAST_LINES = 200
REQUESTS = 6
"""FilterLogEvents requests for one log group and page, unless a single millisecond needs more."""
MOST_REQUESTS = 60
FIRST_MS, DAY_MS = 60_000, 86_400_000
WIDER, NARROWER = 4, 16
KEEP = 512

BEFORE_CREATION_MS = 20 * 60_000
"""A log group is created when the first lines are delivered; these are older, by one execution at most."""
LAMBDA_BEGAN_MS = 1_415_836_800_000
NEWEST_FIRST_FROM_MS = 1_704_067_200_000
"""2024-01-01: AWS refuses to begin with the newest in windows that begin earlier."""


@dataclass(slots=True)
class _Window:
    """One window of a log group while its pages come; `start` and `end` in ms, both inclusive."""

    start: int
    end: int
    token: str | None = None
    events: list[Raw] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def take(self, page: Mapping[str, Any]) -> None:
        """Add a page; events outside of the window and repeated ones are left out."""
        for event in page["events"]:
            id_ = event.get("eventId")
            if (id_ and id_ in self.ids) or not self.start <= stamp(event) <= self.end:
                continue
            self.ids.add(id_ or "")
            self.events.append(event)
        token = page.get("nextToken")
        self.token = None if token == self.token else token

    @property
    def newest_first(self) -> bool | None:
        """Whether the server sends the newest lines first; None where these do not show it."""
        stamps = [stamp(event) for event in self.events]
        if not stamps or stamps[0] == stamps[-1]:
            return None
        return all(a >= b for a, b in pairwise(stamps))

    def oldest_first(self, turned: bool) -> list[Raw]:
        """Return the lines in order of time; those of one millisecond in the order that the server means."""
        return sorted(self.events[::-1] if turned else self.events, key=stamp)

    def narrower(self, lines: int) -> int:
        """Return a width (ms) that holds about so many lines, and is less than the present one."""
        half = (self.end - self.start + 1) // 2
        if not self.events:
            return max(1, half)
        covered = max(map(stamp, self.events)) - self.start + 1
        return max(1, min(half, lines * covered // (2 * len(self.events))))


@dataclass(slots=True)
class _Walk:
    """The reading of one log group; `at` is the newest millisecond that was not read, `floor` the oldest.

    `turns` is whether the server begins with the newest when it is asked to.
    """

    group: str
    at: int
    floor: int
    lines: int
    width: int = FIRST_MS
    turns: bool = True
    asked: int = 0
    newest_windows_first: list[list[Raw]] = field(default_factory=list)
    read: int = 0
    note: str = ""

    @property
    def ended(self) -> bool:
        """Nothing older exists."""
        return self.at < self.floor

    def take(self, window: _Window, start: int) -> None:
        """Record that the window is complete from `start` on."""
        turned = self.turns and window.start >= NEWEST_FIRST_FROM_MS
        events = [event for event in window.oldest_first(turned) if stamp(event) >= start]
        self.newest_windows_first.append(events)
        self.read += len(events)
        self.at = start - 1

    def fit(self, window: _Window) -> None:
        """Make the next window wider where there was little in this one."""
        if len(window.events) < max(1, self.lines // 8):
            self.width = min(DAY_MS, self.width * WIDER)

    def events(self, since: int) -> list[Raw]:
        """Return what was read from `since` (ms) on, oldest first."""
        found: list[Raw] = []
        for window in reversed(self.newest_windows_first):
            found += (event for event in window if stamp(event) >= since)
        return found


@dataclass(slots=True)
class _Reach:
    """How far back this page reaches (ms): no function is read further back than the one read least."""

    ms: int = 0


class LogHistory:
    """Reads pages of logs from before a moment; keeps only what it learned about the groups."""

    def __init__(self, api: ReadApi, groups: LogGroups | None = None) -> None:
        self._api = api
        self._widths: dict[str, int] = {}
        self._groups = groups or LogGroups(api)
        self._turns = True

    async def older(
        self, functions: Sequence[FunctionFacts], before: float, shared: Collection[str]
    ) -> Older:
        """Return a page of the logs of these functions up to `before` (s since the epoch, inclusive).

        `shared` are log groups that other functions write to as well: their lines are told apart by stream.
        """
        end = math.floor(before * 1000 + 0.01)  # stamps are whole: 0.123 s times 1000 is a little less
        writers: dict[str, list[FunctionFacts]] = {}
        for facts in functions:
            writers.setdefault(facts.log_group, []).append(facts)
        lines, reach = max(LEAST_LINES, PAGE_LINES // max(1, len(writers))), _Reach()
        results = await asyncio.gather(
            *(self._walk(group, end, lines, reach) for group in writers), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        walks = [walk for walk in results if isinstance(walk, _Walk)]
        open_ = [walk.at + 1 for walk in walks if not walk.ended]
        since = max(open_) if open_ else min((walk.at + 1 for walk in walks), default=end + 1)
        notes = [walk.note for walk in walks if walk.note]
        if open_ and since > end and not notes:
            notes.append("this stretch of the log answers slowly: nothing was read yet, ask again")
        found: list[tuple[Key, LogLine]] = []
        unknown = 0
        for walk in walks:
            keys = {facts.name: facts.key for facts in writers[walk.group]}
            own, strangers = owned(walk.events(since), keys, walk.group in shared)
            found += zip([key for key, _ in own], await parsed([event for _, event in own]), strict=True)
            unknown += strangers
        if unknown:
            notes.append(f"{unknown} lines of streams that name no function are left out (shared group)")
        found.sort(key=lambda pair: pair[1].at)
        return Older(tuple(found), since / 1000, not open_, "; ".join(dict.fromkeys(notes)))

    async def _walk(self, group: str, end: int, lines: int, reach: _Reach) -> _Walk:
        walk = _Walk(group, end, end + 1, lines, self._widths.get(group, FIRST_MS), self._turns)
        try:
            walk.floor, walk.note = await self._floor(group)
            while not walk.ended and walk.at >= reach.ms and walk.read < lines // 2 and walk.asked < REQUESTS:
                await self._window(walk)
        except Missing:
            walk.floor = walk.at + 1  # it is created with the first line: there is none yet
        if not walk.ended:
            reach.ms = max(reach.ms, walk.at + 1)
        _keep(self._widths, group, walk.width)
        return walk

    async def _window(self, walk: _Walk) -> None:
        """Read what is before `walk.at` as far as one window goes, or find that it must be narrower."""
        window = _Window(max(walk.floor, walk.at - walk.width + 1), walk.at)
        if window.start < NEWEST_FIRST_FROM_MS <= window.end:
            window.start = NEWEST_FIRST_FROM_MS
        single = window.start == window.end
        while True:
            window.take(await self._page(walk, window))
            order = window.newest_first
            if order is not None and window.start >= NEWEST_FIRST_FROM_MS:
                self._turns = walk.turns = order
            if not window.token:
                walk.take(window, window.start)
                walk.fit(window)
                return
            spent = walk.asked >= REQUESTS
            if order and (spent or walk.read + len(window.events) >= walk.lines // 2):
                # The next page may hold more lines of its oldest millisecond.
                walk.take(window, stamp(window.events[-1]) + 1)
                return
            if order is False:
                walk.width = window.narrower(walk.lines)
                return
            if spent and not single:
                walk.width = max(1, (window.end - window.start + 1) // NARROWER)
                return
            if walk.asked >= MOST_REQUESTS:
                walk.note = (
                    f"one millisecond of {walk.group} holds more lines than may be read: some are missing"
                )
                walk.take(window, window.start)
                return

    async def _page(self, walk: _Walk, window: _Window) -> dict[str, Any]:
        walk.asked += 1
        more: dict[str, Any] = {"nextToken": window.token} if window.token else {}
        if window.start >= NEWEST_FIRST_FROM_MS:
            more["startFromHead"] = False
        return await self._api.read(
            "logs",
            "FilterLogEvents",
            logGroupName=walk.group,
            startTime=window.start,
            endTime=window.end,
            limit=walk.lines,
            **more,
        )

    async def _floor(self, group: str) -> tuple[int, str]:
        """Return the oldest millisecond that a group can hold, and a note about it.

        Raises Missing and NotSupported.
        """
        try:
            known = await self._groups.read(group)
        except Denied as error:
            return LAMBDA_BEGAN_MS, f"where the log begins is not known: {error}"
        refused = known.refusal()
        if refused is not None:
            raise refused
        begun = (known.created_ms or LAMBDA_BEGAN_MS) - BEFORE_CREATION_MS
        days = known.retention_days
        kept_from = int(self._api.now() * 1000) - days * DAY_MS if days else begun
        return max(LAMBDA_BEGAN_MS, begun, kept_from), ""


def _keep(memory: dict[str, Any], group: str, value: object) -> None:
    memory.pop(group, None)
    memory[group] = value
    while len(memory) > KEEP:
        memory.pop(next(iter(memory)))
