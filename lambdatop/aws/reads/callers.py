"""Look for the schedules, pipes and state machines that invoke functions: lists, then one read of each.

Collectors look round after round, plans when they are made; both keep what they read here. No list tells
what a state machine invokes, nor how a schedule or pipe repeats a call.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from lambdatop.aws.facts.callers import (
    functions_of_pipe,
    machine_callers,
    may_invoke,
    pipe_callers,
    schedule_caller,
    schedule_key,
)
from lambdatop.aws.facts.resources import arn_text
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND, ReportedGaps, not_known
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.walls.allowlist import iam_action
from lambdatop.domain.errors import Denied, Missing, SourceError
from lambdatop.domain.facts.callers import (
    Caller,
    CallerKind,
    Looked,
    computed_words,
    hiding_gaps,
    missing_words,
    unread_words,
)
from lambdatop.domain.facts.not_read import NOT_ASKED, Gap, NotKnown
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.sources import PIPES, SCHEDULES, STATE_MACHINES, SourceSpec
from lambdatop.domain.state.events import CallersObserved, Event

AT_ONCE = 4
FRESH_S = 60.0
"""Answers younger than this, s, are not read again because somebody looks."""
LIST_TURNS = 4
"""Requests that one page of ListStateMachines counts as: its rate is a quarter of DescribeStateMachine's."""


class Limits(NamedTuple):
    """How much one look reads at most: pages of the list, and things one by one."""

    pages: int
    details: int


ROUND = Limits(100, 200)
"""Of a collector: 10,000 schedules or pipes, all state machines that an account may have by default."""
PLAN = Limits(20, 30)
"""Of a plan, for which somebody waits: 2,000 schedules in 2 s, 30 definitions in 5 s."""

SEARCH = Limits(100, 50)
"""For a change of what invokes a function: 10,000 schedules, 50 definitions in 10 s."""

T = TypeVar("T")


class Look(NamedTuple):
    """Callers found by one look: `at` is when the oldest part of it was read (s since the epoch)."""

    at: float
    callers: tuple[Caller, ...]
    gaps: tuple[Gap, ...]

    def of(self, kind: CallerKind, function: Key) -> Looked:
        """Return what of it concerns one function."""
        found = tuple(c for c in self.callers if c.function == function)
        hiding = hiding_gaps(self.gaps, (c.key for c in self.callers))
        return Looked(kind, self.at, found, (*missing_words(hiding), *computed_words(self.callers)))


class Turns(Generic[T]):
    """Reads things one by one: those asked for first, those never read next, then those read longest ago."""

    def __init__(
        self, api: Api, read: Callable[[Key], Awaitable[T]], gone: T, service: str, operation: str
    ) -> None:
        self._api, self._read, self._gone = api, read, gone
        self.operation = service, operation
        self.known: dict[Key, tuple[float, T]] = {}
        self.failed: dict[Key, NotKnown] = {}
        self._tried: dict[Key, float] = {}

    async def read(
        self, wanted: Collection[Key], first: Collection[Key], most: int, *, complete: bool
    ) -> None:
        """Read at most `most` of these; raises what the next read would get, too.

        `complete`: there are no others, so what was known of others is forgotten. A plan lists only some.
        """
        if complete:
            self.known = {key: value for key, value in self.known.items() if key in wanted}
            self.failed = {key: why for key, why in self.failed.items() if key in wanted}
            self._tried = {key: at for key, at in self._tried.items() if key in wanted}
        old = self._api.now() - FRESH_S
        due = [key for key in wanted if self._at(key) <= old]
        due.sort(key=lambda key: (key not in first, self._at(key), key))
        gate = asyncio.Semaphore(AT_ONCE)
        ended: list[SourceError] = []
        await asyncio.gather(*(self._one(key, gate, ended) for key in due[:most]))
        if ended:
            raise ended[0]

    def _at(self, key: Key) -> float:
        """Return when it was asked last: those that are denied must not keep others from being asked."""
        return self._tried.get(key, -math.inf)

    async def _one(self, key: Key, gate: asyncio.Semaphore, ended: list[SourceError]) -> None:
        async with gate:
            if ended:
                return
            at = self._api.now()
            try:
                self.known[key] = at, await self._read(key)
                self.failed.pop(key, None)
            except Missing:
                self.known[key] = at, self._gone  # deleted after it was listed
                self.failed.pop(key, None)
            except ENDS_THE_ROUND as error:
                ended.append(error)
                return
            except SourceError as error:
                self.failed[key] = not_known(error, *self.operation)
            self._tried[key] = at

    def why(self, key: Key) -> NotKnown:
        """Return why one of them is not known."""
        return self.failed.get(key, NotKnown(NOT_ASKED.reason, iam_action(*self.operation)))

    def gaps(self, source: str) -> tuple[Gap, ...]:
        """Return a gap for each that failed."""
        return tuple(Gap(source, why.action, key.id, why.reason) for key, why in self.failed.items())

    def due(self, source: str, wanted: Iterable[Key]) -> tuple[Gap, ...]:
        """Return how many of these were not read yet."""
        left = sum(key not in self.known and key not in self.failed for key in wanted)
        return (Gap(source, iam_action(*self.operation), None, "not asked", left),) if left else ()

    def oldest(self, wanted: Iterable[Key], at: float) -> float:
        """Return when the oldest of these was read, `at` where there is none."""
        return min((self.known[key][0] for key in wanted if key in self.known), default=at)


class Reads:
    """Reads of a kind of caller: its list, then its parts."""

    kind: CallerKind
    source: SourceSpec
    list_of: tuple[str, str]
    _turns: Turns[Any]

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api, self._scope = api, scope
        self._last: Look | None = None
        self._entries: Mapping[Key, Mapping[str, Any]] = {}

    def _keep(self, wanted: Mapping[Key, Mapping[str, Any]], *, complete: bool) -> None:
        """Keep the entries that are read one by one; a list that is not complete replaces none of them."""
        self._entries = wanted if complete else {**self._entries, **wanted}

    def _entry(self, key: Key) -> Mapping[str, Any]:
        """Return an entry; raises Missing where a newer list, of another round or plan, lacks it."""
        if key not in self._entries:
            raise Missing(f"{key.id} is not in the newest list.")
        return self._entries[key]

    async def look(self, limits: Limits = ROUND, functions: Collection[Key] = ()) -> Look:
        """Find callers, those of `functions` first; raises SourceError where the list brings nothing."""
        self._last = found = await self._look(limits, functions)
        return found

    async def _look(self, limits: Limits, functions: Collection[Key]) -> Look:
        raise NotImplementedError

    async def of(self, function: Key) -> Looked:
        """Return what is known of one function's callers for a plan; never raises a SourceError."""
        look = await self._newest((function,))
        return look if isinstance(look, Looked) else look.of(self.kind, function)

    async def _newest(self, functions: Collection[Key]) -> Look | Looked:
        """Return the last look where it is new enough, else a look for a plan; or why there is none."""
        last = self._last
        if last is not None and self._api.now() - last.at <= FRESH_S:
            return last
        try:
            return await self.look(PLAN, functions)
        except SourceError as error:
            service, operation = self.list_of
            return Looked(self.kind, missing=(unread_words(not_known(error, service, operation), self.kind),))

    async def _list(
        self, pages: AsyncIterator[dict[str, Any]], member: str, token: str, most: int, turns: int = 1
    ) -> tuple[list[Mapping[str, Any]], bool]:
        """Return the entries of at most so many pages of a list, and whether these are all."""
        found: list[Mapping[str, Any]] = []
        read = 0
        async for page in pages:
            found += page[member]
            read += 1
            if read >= most:
                return found, not page.get(token)
            await self._api.turns(self.list_of[0], turns)
        return found, True

    def _with_rest(self, gaps: tuple[Gap, ...], listed: Sequence[object], complete: bool) -> tuple[Gap, ...]:
        """Return the gaps, with one for what a list held beyond the pages that were read."""
        beyond, action = f"{self.kind}s beyond the first {len(listed):,}", iam_action(*self.list_of)
        return gaps if complete else (*gaps, Gap(self.source.name, action, beyond, "over the limit"))

    def unasked(self) -> tuple[Gap, ...]:
        """Return how many were listed but not read one by one yet."""
        return self._turns.due(self.source.name, self._entries)


class ScheduleReads(Reads):
    """ListSchedules; GetSchedule for those whose target is, or may be, a function."""

    kind, source = "schedule", SCHEDULES
    list_of = ("scheduler", "ListSchedules")

    def __init__(self, api: Api, scope: Scope) -> None:
        super().__init__(api, scope)
        self._turns = Turns[Caller | None](api, self._get, None, "scheduler", "GetSchedule")

    async def _look(self, limits: Limits, functions: Collection[Key]) -> Look:
        at = self._api.now()
        listed, complete = await self._list(
            self._api.pages("scheduler", "ListSchedules", token="NextToken", MaxResults=100),
            "Schedules",
            "NextToken",
            limits.pages,
        )
        wanted = {
            schedule_key(self._scope, s): s
            for s in listed
            if may_invoke(arn_text((s.get("Target") or {}).get("Arn")))
        }
        self._keep(wanted, complete=complete)
        first = [
            key
            for key, s in wanted.items()
            if (c := schedule_caller(self._scope, s, NOT_ASKED)) is not None and c.function in functions
        ]
        await self._turns.read(wanted, first, limits.details, complete=complete)
        callers = [self._caller(key, summary) for key, summary in wanted.items()]
        named = {c.key for c in callers if c is not None}
        gaps = (
            *self._turns.gaps(self.source.name),
            *self._turns.due(self.source.name, wanted.keys() - named),
        )
        return Look(at, tuple(c for c in callers if c is not None), self._with_rest(gaps, listed, complete))

    def _caller(self, key: Key, summary: Mapping[str, Any]) -> Caller | None:
        known = self._turns.known.get(key)
        if known is None:
            return schedule_caller(self._scope, summary, self._turns.why(key))
        state = summary.get("State")
        found: Caller | None = known[1]
        return found if found is None or not state else replace(found, state=clean_name(str(state)))

    async def _get(self, key: Key) -> Caller | None:
        summary = self._entry(key)
        group, name = str(summary.get("GroupName") or "default"), str(summary.get("Name") or "")
        answer = await self._api.read("scheduler", "GetSchedule", GroupName=group, Name=name)
        return schedule_caller(self._scope, summary, answer)


class PipeReads(Reads):
    """ListPipes; DescribePipe for those whose target or enrichment is a function."""

    kind, source = "pipe", PIPES
    list_of = ("pipes", "ListPipes")

    def __init__(self, api: Api, scope: Scope) -> None:
        super().__init__(api, scope)
        self._turns = Turns[tuple[Caller, ...]](api, self._describe, (), "pipes", "DescribePipe")

    async def _look(self, limits: Limits, functions: Collection[Key]) -> Look:
        at = self._api.now()
        listed, complete = await self._list(
            self._api.pages("pipes", "ListPipes", token="NextToken", Limit=100),
            "Pipes",
            "NextToken",
            limits.pages,
        )
        every = {Key(self._scope, "pipe", clean_name(str(p.get("Name") or ""))): p for p in listed}
        wanted = {key: p for key, p in every.items() if functions_of_pipe(p)}
        self._keep(wanted, complete=complete)
        first = [
            key
            for key, p in wanted.items()
            if any(c.function in functions for c in pipe_callers(self._scope, p, NOT_ASKED))
        ]
        await self._turns.read(wanted, first, limits.details, complete=complete)
        callers = [c for key, summary in every.items() for c in self._callers(key, summary)]
        return Look(at, tuple(callers), self._with_rest(self._turns.gaps(self.source.name), listed, complete))

    async def reading(self, arn: str) -> Looked:
        """Return the pipes that read a queue or stream, for a plan; never raises a SourceError."""
        look = await self._newest(())
        if isinstance(look, Looked):
            return look
        found = tuple(c for c in look.callers if c.source_arn == arn)
        return Looked(
            self.kind, look.at, found, missing_words(hiding_gaps(look.gaps, (c.key for c in look.callers)))
        )

    def _callers(self, key: Key, summary: Mapping[str, Any]) -> tuple[Caller, ...]:
        known = self._turns.known.get(key)
        if known is None:
            return pipe_callers(self._scope, summary, self._turns.why(key))
        state = summary.get("CurrentState")
        return tuple(replace(c, state=clean_name(str(state))) if state else c for c in known[1])

    async def _describe(self, key: Key) -> tuple[Caller, ...]:
        summary = self._entry(key)
        answer = await self._api.read("pipes", "DescribePipe", Name=str(summary.get("Name") or ""))
        return pipe_callers(self._scope, summary, answer)


class MachineReads(Reads):
    """ListStateMachines; DescribeStateMachine of each, in turns."""

    kind, source = "state machine", STATE_MACHINES
    list_of = ("stepfunctions", "ListStateMachines")

    def __init__(self, api: Api, scope: Scope) -> None:
        super().__init__(api, scope)
        self._partly: frozenset[Key] = frozenset()
        self._turns = Turns[tuple[Caller, ...]](
            api, self._describe, (), "stepfunctions", "DescribeStateMachine"
        )

    async def _look(self, limits: Limits, functions: Collection[Key]) -> Look:
        at = self._api.now()
        listed, complete = await self._list(
            self._api.pages("stepfunctions", "ListStateMachines", token="nextToken", maxResults=1000),
            "stateMachines",
            "nextToken",
            limits.pages,
            LIST_TURNS,
        )
        wanted = {Key(self._scope, "state machine", clean_name(str(m.get("name") or ""))): m for m in listed}
        self._keep(wanted, complete=complete)
        first = [
            key
            for key, (_, callers) in self._turns.known.items()
            if any(c.function in functions for c in callers)
        ]
        await self._turns.read(wanted, first, limits.details, complete=complete)
        callers = [c for key in wanted if key in self._turns.known for c in self._turns.known[key][1]]
        source, action = self.source.name, iam_action(*self._turns.operation)
        partly = (Gap(source, action, key.id, "not answered") for key in wanted if key in self._partly)
        gaps = (*self._turns.gaps(source), *partly, *self._turns.due(source, wanted))
        read_at = self._turns.oldest(wanted, at)
        return Look(min(at, read_at), tuple(callers), self._with_rest(gaps, listed, complete))

    async def _describe(self, key: Key) -> tuple[Caller, ...]:
        arn = str(self._entry(key).get("stateMachineArn") or "")
        answer = await self._api.read("stepfunctions", "DescribeStateMachine", stateMachineArn=arn)
        callers, whole = machine_callers(self._scope, answer)
        self._partly = self._partly - {key} if whole else self._partly | {key}
        return callers


class CallerReads:
    """The reads of all three kinds, on one connection."""

    def __init__(self, api: Api, scope: Scope) -> None:
        self.schedules, self.pipes = ScheduleReads(api, scope), PipeReads(api, scope)
        self.machines = MachineReads(api, scope)

    async def of(self, function: Key) -> tuple[Looked, ...]:
        """Return what is known of one function's callers, each kind read at the same time."""
        found: Sequence[Looked] = await asyncio.gather(
            *(reads.of(function) for reads in (self.schedules, self.pipes, self.machines))
        )
        return tuple(found)

    async def invoking(self, kind: str, function: Key) -> tuple[list[Key], str]:
        """Find those of a kind that invoke a function, and return what hides others, "" for nothing.

        Raises:
            Denied: the list is denied, or none was found and a read of one is denied.
            SourceError: the list brings nothing, or none was found and not all are known.
        """
        reads = next(r for r in (self.schedules, self.pipes, self.machines) if r.kind == kind)
        look = await reads.look(SEARCH, (function,))
        looked = look.of(reads.kind, function)
        keys = list(dict.fromkeys(caller.key for caller in looked.callers))
        if not keys and looked.missing:
            why = f"Which {kind} invokes {function.id} is not known: {', '.join(looked.missing)}."
            denied = next((gap.action for gap in look.gaps if gap.reason == "denied"), None)
            words = f"{why} Name the {kind}."
            raise Denied(words, action=denied) if denied else SourceError(words)
        return keys, ", ".join(missing_words(hiding_gaps(look.gaps, (c.key for c in look.callers))))


class CallerSource:
    """Asks `reads` once a round; callers of functions that somebody watches are read first."""

    def __init__(self, api: Api, scope: Scope, reads: Reads) -> None:
        self.name = reads.source.name
        self._api, self._scope, self._reads = api, scope, reads
        self._reported = ReportedGaps(self.name)

    async def collect(self, view: View) -> Sequence[Event]:
        """Ask once; raises what refused the list, and what the next read would get, too."""
        found = await self._reads.look(functions=view.watched)
        observed = CallersObserved(self._scope, found.at, self.name, found.callers)
        return (observed, *self._reported.changes(self._scope, self._api.now(), found.gaps))

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return how many of those listed were not read one by one yet."""
        return self._reads.unasked()

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""
