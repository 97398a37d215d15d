"""A CloudWatch Logs that is written to fast, late and out of order, and reads of it that fail.

Every line is numbered, but for twins: lines that are equal in stream, millisecond and text. So what a
reader has lost or doubled can be counted.
"""

from __future__ import annotations

import asyncio
import bisect
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fakes.aws_doubles import SCOPE, Bench
from fakes.live_tail_stub import LiveTailStub
from fakes.time_limit import PATIENCE_S
from fakes.wire_stub import Answer, Fault, Reset

from lambdatop.aws.logs.collector import LogsSource
from lambdatop.domain.errors import SourceError
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import FunctionsListed, GapsObserved, LogsObserved
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

NOW = 1_800_000_000.0
GROUP = "/aws/lambda/f"
F = Key(SCOPE, "function", "f")
STREAMS = 7
LIVE_EVENTS_PER_S = 500
LATE_SHARE, LATE_MOST_S = 0.1, 30.0
TWIN_EVERY = 97
Event = dict[str, Any]


def flood(lines: int, per_s: float, seed: int = 1) -> list[tuple[float, Event]]:
    """Return (when it becomes visible, event) in that order; a tenth comes up to half a minute late."""
    chance = random.Random(seed)
    made: list[tuple[float, Event]] = []
    for n in range(lines):
        twin = n % TWIN_EVERY == 0 and n > 0
        at = made[-1][1]["timestamp"] / 1000 if twin else NOW + n / per_s
        number = n - 1 if twin else n
        late_s = chance.uniform(0, LATE_MOST_S if chance.random() < LATE_SHARE else 1.5)
        stream = f"2027/01/15/[$LATEST]{number % STREAMS:032x}"
        event = {
            "timestamp": int(at * 1000),
            "message": f"line {number} of the flood\n",
            "logStreamName": stream,
            "eventId": f"{n:056d}",
        }
        made.append((at + late_s, event))
        if twin:
            # Twins may come apart: one in time, one late.
            made[-1] = (at + chance.uniform(0, LATE_MOST_S), event)
    return made


class Store:
    """What readers see now, with the faults of the way there: `faults` says what the n-th read meets."""

    def __init__(self, written: list[tuple[float, Event]], faults: Callable[[int], Answer | None]) -> None:
        self._coming = deque(sorted(written, key=lambda w: (w[0], w[1]["eventId"])))
        self._shown: list[tuple[int, str]] = []
        self._events: dict[tuple[int, str], Event] = {}
        self._faults = faults
        self.reads = 0
        self.failed = 0

    def advance(self, now: float) -> list[Event]:
        """Let time pass; what has become visible."""
        fresh: list[Event] = []
        while self._coming and self._coming[0][0] <= now:
            event = self._coming.popleft()[1]
            place = (event["timestamp"], event["eventId"])
            bisect.insort(self._shown, place)
            self._events[place] = event
            fresh.append(event)
        return fresh

    def filter(self, params: dict[str, Any]) -> Answer:
        """Answer FilterLogEvents.

        A token is a position: what comes late before it is not in the pages after it.
        """
        self.reads += 1
        fault = self._faults(self.reads)
        if fault is not None:
            self.failed += 1
            return fault
        low = bisect.bisect_left(self._shown, (params["startTime"], ""))
        high = len(self._shown)
        if "endTime" in params:
            high = bisect.bisect_right(self._shown, (params["endTime"], "~"))
        backwards = params.get("startFromHead") is False
        if token := params.get("nextToken"):
            at, _, id_ = token.partition("|")
            place = (int(at), id_)
            if backwards:
                high = bisect.bisect_left(self._shown, place)
            else:
                low = bisect.bisect_right(self._shown, place)
        limit = params["limit"]
        page = (
            self._shown[max(low, high - limit) : high][::-1] if backwards else self._shown[low : low + limit]
        )
        page = (
            page if backwards else [place for place in page if place <= self._shown[high - 1]] if high else []
        )
        answer: dict[str, Any] = {"events": [self._events[place] for place in page]}
        if page and high - low > limit:
            answer["nextToken"] = f"{page[-1][0]}|{page[-1][1]}"
        return answer


def some_faults(n: int) -> Answer | None:
    """Throttle every ninth read, and drop the connection of every thirty-first."""
    if n % 31 == 0:
        return Reset()
    return Fault("ThrottlingException") if n % 9 == 0 else None


@dataclass(frozen=True)
class Tally:
    """What came of it."""

    lost: int
    doubled: int
    gaps: tuple[str, ...]
    ways: frozenset[str]


class Reader:
    """A LogsSource that reads a store through the wire, on a clock that the test moves."""

    def __init__(self, stub: LiveTailStub, store: Store) -> None:
        self.bench = Bench(stub.url, at=NOW)
        self.source = LogsSource(self.bench.api, SCOPE, woken=self._wake)
        self.seen: Counter[str] = Counter()
        self.ways: set[str] = set()
        self.gaps: list[str] = []
        self.failures = 0
        self.newest = 0.0
        self._stub = stub
        self._store = store
        self._woken = asyncio.Event()
        self._pushed: Counter[int] = Counter()
        self._world = _world()
        stub.on("logs", "FilterLogEvents", store.filter)

    def _wake(self) -> None:
        self._woken.set()

    async def second(self, now: float) -> None:
        """Pass one second: what becomes visible goes to the open session, at most 500 events an update."""
        self.bench.clock.at = now
        fresh = self._store.advance(now)
        held = self.source.live.session(GROUP)
        if held is None or not fresh:
            return
        session = self._stub.sessions[-1]
        session.update(fresh[:LIVE_EVENTS_PER_S], sampled=len(fresh) > LIVE_EVENTS_PER_S)
        self._pushed[held.number] += 1
        await self._until(
            lambda: held.updates >= self._pushed[held.number] or held.task is None or held.task.done()
        )

    async def round(self, now: float, *, live: bool) -> None:
        """Do what the engine does at its pace."""
        view = View(now, self._world, frozenset({F}), live=frozenset({F} if live else ()))
        try:
            events = await self.source.collect(view)
        except SourceError:
            self.failures += 1
            return
        for event in events:
            if isinstance(event, GapsObserved):  # what a failed read left out; it is asked again
                continue
            assert isinstance(event, LogsObserved)
            self.ways.add(event.via)
            self.seen.update(line.text for line in event.lines)
            self.newest = max([self.newest, *(line.at for line in event.lines)])
            self.gaps += [event.gap] if event.gap else []

    async def session_open(self) -> None:
        """Wait until the session that was asked for has begun."""
        await self._until(lambda: self.source.live.session(GROUP) is not None)

    async def session_over(self) -> None:
        """Wait until the source has noticed the end."""
        await self._until(lambda: self.source.live.session(GROUP) is None)

    @property
    def settled(self) -> float:
        """Up to when late lines were looked for."""
        return self.source._tails[F].settled

    async def session_settled(self) -> None:
        """Wait until a session that was asked for has begun or was refused."""
        if self.source.live.running:
            await self._until(lambda: self.source.live.settled)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._woken.clear()
                await self._woken.wait()

    def tally(self, written: Iterable[tuple[float, Event]]) -> Tally:
        wanted = Counter(event["message"].rstrip("\n") for _, event in written)
        lost, doubled = wanted - self.seen, self.seen - wanted
        return Tally(lost.total(), doubled.total(), tuple(self.gaps), frozenset(self.ways))


def _world() -> World:
    functions = (FunctionFacts(F, "arn:aws:lambda:eu-central-1:123456789012:function:f", log_group=GROUP),)
    return fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, NOW, functions),))
