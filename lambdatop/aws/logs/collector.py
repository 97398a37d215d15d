"""The log tail of the watched functions: Live Tail where it is asked for, polling FilterLogEvents otherwise.

Both feed the same state (`tail_state.py`), so that a change from one to the other neither loses nor doubles
a line, and whatever Live Tail cannot show (what was before it, what it sampled) is polled. The first round
takes the newest lines of the last ten minutes. Every later round reads a bounded number of pages; the next
round continues with the token, and the event says so. Lines that come more than `LAST_S` late (three
minutes) are not looked for: CloudWatch usually delivers within seconds.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from lambdatop.aws.facts import known
from lambdatop.aws.logs.export import Export
from lambdatop.aws.logs.live_tail import HOUR_USD, LiveTail, Session
from lambdatop.aws.logs.raw_events import in_order, owned, parsed, shared_groups
from lambdatop.aws.logs.selection import STAY_S, choose, troubled
from lambdatop.aws.logs.tail_state import BACKFILL_S, Tail, Window, moment
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND, ReportedGaps, gap_of
from lambdatop.aws.reads.log_groups import LogGroups
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.event_stream import Raw
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.cooperative import release_in_pieces
from lambdatop.domain.errors import Denied, Missing, NotSupported, SourceError, Throttled, Unreachable
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogWay
from lambdatop.domain.ports.aws import View
from lambdatop.domain.ports.log_export import Batch, Text
from lambdatop.domain.sources import LOGS
from lambdatop.domain.state.events import Event, LogsObserved

FIRST_PAGES, FIRST_EVENTS = 2, 2_000
"""The first page is small because a person waits for it; later ones are as large as CloudWatch makes them."""
PARSE_SLICE, PARSE_PAUSE_S = 50, 0.0005
"""A millisecond of work, then one of pause: the console's keys share the interpreter with a fast log."""
TAKE_SLICE = 250
PAGES, SWEEP_PAGES, PAGE_EVENTS = 10, 8, 10_000
KEEP_TAILS = 64
POLL_AT_MOST_EVERY_S = 4.0
"""Live lines wake the source every second; the logs beside them are polled no more often than this."""


class LogsSource:
    """The new lines of each followed function, oldest first.

    `woken` is called when live lines have arrived, so that the engine can start a round at once.
    """

    name = LOGS.name

    def __init__(
        self, api: Api, scope: Scope, most: int = 1, woken: Callable[[], None] = lambda: None
    ) -> None:
        self._api = api
        self._scope = scope
        self._most = most
        self._following: dict[Key, float] = {}
        self._tails: dict[Key, Tail] = {}
        self._backfill_s = BACKFILL_S
        self._ready: list[LogsObserved] = []
        self._unread: tuple[Gap, ...] = ()
        self._answered: set[Key] = set()
        self._reported = ReportedGaps(self.name)
        self._groups = LogGroups(api)
        self.live = LiveTail(api, woken, self._groups)

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round of the functions followed; fails only when none of them could be read."""
        self._backfill_s = view.log_backfill_s
        functions = known.functions(view, self._scope)
        chosen = set(self._choose(view, functions))
        watched = sorted((f for f in functions if f.key in chosen), key=lambda f: f.key)
        wanted = {f.log_group: self._group_arn(f) for f in watched if f.key in view.live}
        shared = shared_groups(functions)
        self._take_live(watched)
        results = await asyncio.gather(
            *(self._guarded(f, view, f.log_group in shared, f.key in view.live) for f in watched)
        )
        # After polling: so the lines polled from now on are counted before the first live line can come.
        await self.live.follow(wanted)
        failed = [(f.key.id, r) for f, r in zip(watched, results, strict=True) if r is not None]
        self._unread = tuple(gap_of(self.name, e, "logs", "FilterLogEvents", name) for name, e in failed)
        self._answered.update(f.key for f in watched)
        if failed and not self._ready:
            raise failed[0][1]
        # A round that was cancelled leaves its events to the next one.
        ready, self._ready = self._ready, []
        return (*ready, *self._reported.changes(self._scope, self._api.now(), self._unread))

    def when_news_come(self, wake: Callable[[], None]) -> None:
        """Call `wake` when live lines have come, which need a round at once."""
        self.live.woken = wake

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return logs worth reading that were not read, those of functions in trouble beyond the limit."""
        functions, now = known.functions(view, self._scope), self._api.now()
        watched = view.watched | view.live
        wanted = set(choose(view.world, functions, watched, self._following, now, self._most))
        read = self._answered  # a log that is still being read has no answer yet
        waiting, left = len(wanted - read), len(set(troubled(view.world, functions)) - wanted - read)
        gaps = (
            Gap(self.name, LOGS.action, None, "not asked", waiting),
            Gap(self.name, LOGS.action, None, "over the limit", left),
        )
        return (*self._unread, *(gap for gap in gaps if gap.targets))

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def texts(self, view: View) -> AsyncGenerator[Batch[Text], None]:
        """Yield whole logs, apart from the tails (`domain.ports.log_export.LogExport`)."""
        return Export(self._api, self._groups).texts(*self._whole(view))

    def lines(self, view: View) -> AsyncGenerator[Batch[tuple[Key, LogLine]], None]:
        """Yield the same as `texts`, but with parsed lines."""
        return Export(self._api, self._groups).lines(*self._whole(view))

    def _whole(self, view: View) -> tuple[list[FunctionFacts], int, set[str], int | None]:
        functions = known.functions(view, self._scope)
        wanted = [f for f in functions if f.key in view.watched]
        until_ms = None if view.log_until is None else int(view.log_until * 1000)
        since_ms = int((view.now - view.log_backfill_s) * 1000)
        return wanted, since_ms, shared_groups(functions), until_ms

    def _choose(self, view: View, functions: Sequence[FunctionFacts]) -> list[Key]:
        now, watched = self._api.now(), view.watched | view.live
        most, rest = self._most, self._api.give_way
        chosen = choose(view.world, functions, watched, self._following, now, most, rest)
        kept = {k: until for k, until in self._following.items() if until > now}
        self._following = {k: kept.get(k, now + STAY_S) for k in chosen if k not in watched}
        return chosen

    def _group_arn(self, facts: FunctionFacts) -> str:
        arn = parse_arn(facts.arn)
        partition = arn.partition if arn else "aws"
        account, region = self._scope
        return f"arn:{partition}:logs:{region}:{account}:log-group:{facts.log_group}"

    def _take_live(self, watched: Sequence[FunctionFacts]) -> None:
        """Hand what Live Tail brought to the tails at once: it will not bring it again."""
        arrived = self.live.arrived()
        for facts in watched:
            tail = self._tail(facts.key)
            for session, events in _by_session(arrived.get(facts.log_group, ())):
                tail.take_live(session, events)

    async def _guarded(
        self, facts: FunctionFacts, view: View, shared: bool, live: bool
    ) -> SourceError | None:
        tail, group = self._tail(facts.key), facts.log_group
        session = self.live.session(group) if live else None
        failure: SourceError | None = None
        try:
            await self._poll_unless_refused(tail, group, session)
        except Missing:
            tail.notes.append(f"the log group {group} does not exist (yet): it is made at the first log line")
        except NotSupported as error:
            failure = error
            tail.notes.append(str(error))
        except SourceError as error:
            if not tail.owed and session is None:
                return error
            # What was read counts as seen, so it must not be thrown away.
            failure = error
            tail.notes.append(f"reading stopped early: {error}")
        tail.forget(self._api.now())
        known_tail = view.world.logs.get(facts.key)
        first = known_tail.next_seq if known_tail else 1
        event = await self._event(facts, tail, shared, session, first, view.log_raw)
        if live and session is None:
            event = _because(event, self.live.why_not(group))
        self._ready.append(event)
        return failure

    async def _poll_unless_refused(self, tail: Tail, group: str, session: Session | None) -> None:
        """Poll; raises NotSupported for a group of a class whose lines cannot be read.

        A group is asked for its class once, when it refuses or has no lines at first.
        """
        refused, first = self._groups.refusal(group), tail.polled == -math.inf
        if refused is not None:
            raise refused
        try:
            await self._poll(tail, group, session)
        except (*ENDS_THE_ROUND, Denied, Missing):
            raise
        except SourceError as error:
            raise await self._groups.explained(group, error) from error
        if first and not tail.owed and session is None:
            refused = await self._groups.unreadable(group)
            if refused is not None:
                raise refused

    async def _poll(self, tail: Tail, group: str, session: Session | None) -> None:
        """Read the newest, unless Live Tail brings it, and look for what came late."""
        now = self._api.now()
        if self.live.running and now - tail.polled < POLL_AT_MOST_EVERY_S:
            return
        tail.polled = now
        if session is None or tail.begun <= session.blind_until:
            await self._read_head(tail, group, now)
        else:
            tail.watched, tail.head = now, None
        sweep = None if tail.head is not None else tail.open_sweep(now)
        if sweep is not None and await self._read(tail, sweep, group, SWEEP_PAGES):
            tail.close_sweep()
        last = None if tail.head is not None or sweep is not None else tail.open_last(now)
        if last is not None and await self._read(tail, last, group, SWEEP_PAGES):
            tail.close_last()

    async def _read_head(self, tail: Tail, group: str, now: float) -> None:
        head = tail.open_head(now)
        owed = len(tail.owed)
        try:
            done = await self._read(tail, head, group, FIRST_PAGES if head.newest_first else PAGES)
        except SourceError:
            if head.newest_first and len(tail.owed) > owed:
                _turn_round(tail.owed, owed)
                tail.close_head(now)  # what is older than what it brought is not asked for again
            raise
        if head.newest_first and _turn_round(tail.owed, owed) and not done:
            minutes = f"{tail.backfill_s / 60:.0f} minutes"
            tail.notes.append(f"only the newest {head.lines} lines of the last {minutes} were read")
            done = True
        if done:
            tail.close_head(now)
            return
        head.newest_first = False
        head.rounds += 1
        tail.notes.append("this log is long or fast: reading goes on with the next round")

    async def _read(self, tail: Tail, window: Window, group: str, pages: int) -> bool:
        """Read some pages of a window; returns whether it was read to its end."""
        for _ in range(pages):
            try:
                page = await self._page(group, window)
            except (Throttled, Unreachable):
                raise  # the token stays good
            except SourceError:
                tail.head = None if window is tail.head else tail.head
                tail.sweep = None if window is tail.sweep else tail.sweep
                tail.last = None if window is tail.last else tail.last
                raise
            events: list[Raw] = page["events"]
            window.turn_page()
            for i in range(0, len(events), TAKE_SLICE):
                self._api.give_way()
                tail.take_page(window, events[i : i + TAKE_SLICE])
            release_in_pieces(events, self._api.give_way)
            window.token = page.get("nextToken")
            if not window.token:
                return True
        return False

    async def _page(self, group: str, window: Window) -> dict[str, Any]:
        more: dict[str, Any] = {"nextToken": window.token} if window.token else {}
        if window.newest_first:
            more["startFromHead"] = False
        if window.end is not None:
            more["endTime"] = int(window.end * 1000)
        return await self._api.read(
            "logs",
            "FilterLogEvents",
            logGroupName=group,
            startTime=int(window.start * 1000),
            limit=FIRST_EVENTS if window.newest_first else PAGE_EVENTS,
            **more,
        )

    def _tail(self, key: Key) -> Tail:
        tail = self._tails.pop(key, None) or Tail(backfill_s=self._backfill_s)
        self._tails[key] = tail
        while len(self._tails) > KEEP_TAILS:
            self._tails.pop(next(iter(self._tails)))
        return tail

    async def _event(
        self,
        facts: FunctionFacts,
        tail: Tail,
        shared: bool,
        session: Session | None,
        first: int,
        keep_raw: bool = False,
    ) -> LogsObserved:
        """Return the new lines as an event; none is removed from the list before the event is made.

        Its lines are numbered from `first` on here, so that the fold does not touch each line.
        """
        own, unknown, rest = tail.owed, 0, self._api.give_way
        if shared:
            pairs, unknown = owned(own, {facts.name: facts.key}, shared)
            own = [event for _, event in pairs]
        own = in_order(own, rest)
        lines = tuple(await parsed(own, PARSE_SLICE, PARSE_PAUSE_S, rest, first, keep_raw))
        del own
        if unknown:
            tail.notes.append(f"{unknown} lines of streams that name no function are left out (shared group)")
        if session is not None and session.gap:
            tail.notes.append(session.gap)
        gap = "; ".join(dict.fromkeys(tail.notes))
        release_in_pieces(tail.owed, rest)
        tail.notes = []
        at = self._api.now()
        via: LogWay = "poll" if session is None else "live tail"
        if session is None:
            lag_s = max(0.0, at - lines[-1].at) if lines else None
            coverage, usd = (None if gap else 1.0), 0.0
        else:
            lag_s = session.lag_s if lines else None
            coverage, usd = session.coverage, HOUR_USD
        return LogsObserved(
            self._scope,
            at,
            facts.key,
            facts.log_group,
            lines,
            not gap,
            gap,
            via=via,
            lag_s=lag_s,
            coverage=coverage,
            usd_per_hour=usd,
        )


SPEC = CollectorSpec(
    source=LOGS,
    make=lambda opened: LogsSource(opened.api, opened.scope, opened.settings.limits.log_tails),
    trials=(("logs", "DescribeLogGroups", {"limit": 1}),),
)


def _because(event: LogsObserved, why: str) -> LogsObserved:
    return replace(event, via_why=why)


def _by_session(arrived: Iterable[tuple[int, Raw]]) -> Iterable[tuple[int, list[Raw]]]:
    for session, events in groupby(arrived, key=lambda pair: pair[0]):
        yield session, [event for _, event in events]


def _turn_round(events: list[Raw], begin: int) -> bool:
    """Put what was read newest first into its order, in place: lines of one millisecond keep theirs.

    Returns whether they came newest first; some servers cannot send them so.
    """
    descending = len(events) - begin > 1 and moment(events[begin]) > moment(events[-1])
    if descending:
        events[begin:] = events[begin:][::-1]
    return descending
