"""Run Live Tail: the lines of up to ten log groups as CloudWatch ingests them, billed by the minute.

There is one session at a time, read by a task of its own; the next round of the log source collects what has
arrived. A session holds no lines from before it began and at most 500 lines a second ("sampled"): it reports
until when lines may be missing, so that polling can read them. When it ends, for whatever reason, the source
polls, and a new one is tried later; only after AWS's end after three hours the next one starts at once.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from lambdatop.aws.reads.log_groups import STANDARD, LogGroups
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.event_stream import broken, live_update
from lambdatop.domain.errors import Denied, Missing, SourceError
from lambdatop.domain.keys import parse_arn

GROUPS = 10
"""Log groups that one session takes."""
MINUTE_USD = 0.01
"""A started minute of a session at list price. 1,800 minutes a month are free for the whole account; how many
of them are left cannot be read, so they are left out, as all free tiers are."""
HOUR_USD = 60 * MINUTE_USD
HOLD_EVENTS = 20_000
RECENT_UPDATES = 60
SAMPLED_ENDS = 10
"""So many sampled updates among the recent ones end a session: polling reads more of such a log."""
RETRY_S = {"dropped": 5.0, "LimitExceededException": 60.0, "sampled": 120.0, "denied": 300.0}
RETRY_ELSE_S = 30.0
RETRY_MAX_S = 900.0
STEADY_S = 300.0
"""A session that lasted so long does not count as a failure: the next pause is the first one again."""
ABSENT_S, WRONG_CLASS_S = 60.0, 3600.0
WORDS = {
    "LimitExceededException": "as many sessions as the account may have (15) are open already, those of "
    "people's consoles included",
    "SessionTimeoutException": "AWS ends a session after three hours",
    "sampled": "it shows 500 lines a second at most, and this is more",
    "dropped": "the connection broke off",
}

_log = logging.getLogger(__name__)


def group_of(identifier: str) -> str:
    """Return the log group's name from Live Tail's identifier: an ARN, `account:name`, or the name."""
    arn = parse_arn(identifier)
    if arn is not None:
        return arn.resource.removeprefix("log-group:").removesuffix(":*")
    account, colon, name = identifier.partition(":")
    return name if colon and account.isdigit() else identifier


@dataclass(eq=False, slots=True)
class Session:
    """One session and what it has reported. Times in s since the epoch.

    `blind_until` is the moment up to which lines may exist that it did not bring; `lag_s` how old the newest
    line of the last update was when it came.
    """

    number: int
    groups: frozenset[str]
    asked: float
    began: float = math.inf
    blind_until: float = math.inf
    lag_s: float | None = None
    updates: int = 0
    minutes: int = 0
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT_UPDATES))
    task: asyncio.Task[str] | None = None

    @property
    def coverage(self) -> float | None:
        """Share of the recent updates that were whole, 0..1; None before the first."""
        return 1.0 - sum(self.recent) / len(self.recent) if self.recent else None

    @property
    def gap(self) -> str:
        """The note about sampling, "" when nothing was left out lately."""
        cut = sum(self.recent)
        if not cut:
            return ""
        return (
            f"Live Tail sampled {cut} of its last {len(self.recent)} updates (more than 500 lines a second): "
            "what it left out is read by polling, later"
        )


class LiveTail:
    """Keeps a session over the wanted groups, as long as AWS gives one."""

    def __init__(
        self, api: Api, woken: Callable[[], None] = lambda: None, groups: LogGroups | None = None
    ) -> None:
        self._api = api
        self._groups = groups or LogGroups(api)
        self.woken = woken
        self._session: Session | None = None
        self._number = 0
        self._arrived: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        self._held = 0
        self._failures = 0
        self._retry_at = -math.inf
        self._why = ""
        self._refused: dict[str, tuple[float, str]] = {}
        self._closed = False
        api.at_close(self._close)

    @property
    def running(self) -> bool:
        """Whether a session is open or on its way."""
        return self._session is not None

    @property
    def settled(self) -> bool:
        """Whether a session that was started has begun or ended."""
        held = self._session
        return held is None or held.began < math.inf or held.task is None or held.task.done()

    def session(self, group: str) -> Session | None:
        """Return the session that brings this group's lines now."""
        held = self._session
        live = held is not None and group in held.groups and held.began < math.inf
        return held if live and held is not None and held.task and not held.task.done() else None

    def why_not(self, group: str) -> str:
        """Return why the lines of a wanted group come by polling."""
        now = self._api.now()
        if group in self._refused:
            return self._refused[group][1]
        if self._session is not None:
            full = group not in self._session.groups
            return (
                f"Live Tail takes {GROUPS} log groups, this one is polled"
                if full
                else "Live Tail is starting"
            )
        if not self._why:
            return "Live Tail is starting"
        wait_s = max(0.0, self._retry_at - now)
        return f"Live Tail is off: {self._why}; it is tried again in {wait_s:.0f} s"

    def arrived(self) -> dict[str, list[tuple[int, Mapping[str, Any]]]]:
        """Return what came since the last call, by group, with the number of the session that brought it."""
        came, self._arrived, self._held = self._arrived, {}, 0
        return came

    async def follow(self, wanted: Mapping[str, str]) -> None:
        """Keep a session over these groups (name to ARN), or none; does not wait until one has started."""
        if self._closed:
            return
        now = self._api.now()
        self._refused = {g: r for g, r in self._refused.items() if r[0] > now and g in wanted}
        ended = self._session
        if ended is not None and ended.task is not None and ended.task.done():
            self._session = None
            await self._note_end(ended, ended.task, now)
        groups = [g for g in sorted(wanted) if g not in self._refused]
        held = self._session
        if held is not None:
            missing = set(groups) - held.groups
            room = len(held.groups & set(groups)) < GROUPS
            if groups and not (missing and room):
                return
            await self.stop()
            groups = sorted(held.groups & set(groups)) + sorted(missing)
        if not groups:
            self._why, self._failures, self._retry_at = "", 0, -math.inf
        elif now >= self._retry_at:
            self._start({group: wanted[group] for group in groups[:GROUPS]}, now)

    async def stop(self) -> None:
        """End the session at once; its connection is closed when this returns."""
        held, self._session = self._session, None
        if held is not None and held.task is not None:
            held.task.cancel()
            await asyncio.gather(held.task, return_exceptions=True)

    async def _close(self) -> None:
        """End the session, for good: a round that still runs must not open another."""
        self._closed = True
        await self.stop()

    def _start(self, groups: Mapping[str, str], now: float) -> None:
        self._number += 1
        self._session = Session(self._number, frozenset(groups), now)
        self._session.task = asyncio.create_task(self._run(self._session, list(groups.values())))

    async def _run(self, session: Session, arns: list[str]) -> str:
        """Read one session to its end; returns the code of what ended it."""
        try:
            stream = self._api.stream("logs", "StartLiveTail", "responseStream", logGroupIdentifiers=arns)
            async with stream as parts, aclosing(aiter(parts)) as updates:  # type: ignore[type-var]
                async for part in updates:
                    self._count_minutes(session)
                    if "sessionStart" in part:
                        session.began = session.blind_until = self._api.now()
                        self.woken()
                    self._take(session, part)
                    if sum(session.recent) >= SAMPLED_ENDS:
                        return "sampled"
            return "dropped"
        finally:
            self.woken()

    def _count_minutes(self, session: Session) -> None:
        started = int((self._api.now() - session.asked) // 60) + 1
        while session.minutes < started:
            session.minutes += 1
            self._api.meter.count("logs", "LiveTailMinute", MINUTE_USD)

    def _take(self, session: Session, part: Mapping[str, Any]) -> None:
        try:
            update = live_update(part)
        except ValueError as error:
            raise broken("logs:StartLiveTail", error) from None
        if update is None:
            return
        now = self._api.now()
        events, cut, odd = update
        cut = cut or bool(odd)  # polling reads invalid events once more, and says so
        session.recent.append(cut)
        session.updates += 1
        if self._held + len(events) > HOLD_EVENTS:
            # No round has collected for long. Polling reads these again.
            self._arrived, self._held, cut = {}, 0, True
        if cut:
            session.blind_until = now
        for event in events:
            group = group_of(str(event.get("logGroupIdentifier") or ""))
            self._arrived.setdefault(group, []).append((session.number, event))
        self._held += len(events)
        if events:
            session.lag_s = max(0.0, now - max(e["timestamp"] for e in events) / 1000)
            self.woken()

    async def _note_end(self, session: Session, task: asyncio.Task[str], now: float) -> None:
        """Note why a session ended, and when to try again. Unexpected errors are logged; polling goes on."""
        error = None if task.cancelled() else task.exception()
        code = task.result() if error is None and not task.cancelled() else ""
        unforeseen = error if error is not None and not isinstance(error, SourceError) else None
        if isinstance(error, SourceError):
            code = "denied" if isinstance(error, Denied) else error.code
        words = WORDS.get(code, str(error) if error else "it was cancelled")
        if unforeseen is not None:
            _log.error("unexpected error in Live Tail", exc_info=unforeseen)
            words = f"it met an unexpected error ({type(unforeseen).__name__}; --debug logs the details)"
        if now - session.began >= STEADY_S:
            self._failures = 0
        self._why = f"{words} ({code})" if code in WORDS and code.endswith("Exception") else words
        self._retry_at = now
        if code in ("InvalidOperationException", "ResourceNotFoundException") and await self._examine(
            session
        ):
            return
        if code != "SessionTimeoutException":
            pause_s = RETRY_S.get(code, RETRY_ELSE_S) * 2**self._failures
            self._failures = min(self._failures + 1, 10)
            self._retry_at = now + min(RETRY_MAX_S, pause_s)

    async def _examine(self, session: Session) -> bool:
        """Find the groups because of which Live Tail was refused; returns whether there were any."""
        found = False
        for group in sorted(session.groups):
            why, for_s = "", WRONG_CLASS_S
            try:
                kind = (await self._groups.read(group)).kind
                if kind != STANDARD:
                    why = f"Live Tail works on log groups of class STANDARD only, this one is {kind}"
            except Missing:
                why, for_s = "Live Tail is off: the log group does not exist (yet)", ABSENT_S
            except SourceError:
                return found
            if why:
                self._refused[group] = (self._api.now() + for_s, why)
            found = found or group in self._refused
        return found
