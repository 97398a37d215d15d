"""Sources in memory, and a backend made of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from fakes.account import MAPPING, ORDERS, QUEUE_ARN, QUEUE_URL, Account, FakeMutator, FakeReader
from fakes.clock import FakeClock
from fakes.entries import SCOPE, WORKER

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import Backend, Source, View
from lambdatop.domain.state.events import (
    Event,
    FunctionsListed,
    MappingsListed,
    QueuesObserved,
    TargetIdentified,
)


class FakeSource:
    """A source that answers after `takes_s` with what it is told to, and remembers when it was asked.

    `errors` are raised first, one per round; `stubborn` swallows cancellation.
    """

    def __init__(self, name: str, clock: FakeClock, *, takes_s: float = 0.0, scope: Scope = SCOPE) -> None:
        self.name = name
        self.clock = clock
        self.takes_s = takes_s
        self.scope = scope
        self.errors: list[BaseException | None] = []
        self.always: BaseException | None = None
        self.floor: tuple[float, str] = (0.0, "")
        self.stubborn = False
        self.running = 0
        self.most_at_once = 0
        self.asked: list[float] = []
        self.views: list[View] = []
        self.answer: Callable[[], Sequence[Event]] | None = None

    async def collect(self, view: View) -> Sequence[Event]:
        """Run one round."""
        self.asked.append(self.clock.monotonic())
        self.views.append(view)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await self._take_time()
        finally:
            self.running -= 1
        error = self.errors.pop(0) if self.errors else self.always
        if error is not None:
            raise error
        return self.answer() if self.answer else events_of(self.name, self.clock, self.scope)

    async def _take_time(self) -> None:
        try:
            if self.takes_s:
                await self.clock.sleep(self.takes_s)
            else:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            if not self.stubborn:
                raise
            await self.clock.sleep(self.takes_s)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return the floor that was set."""
        return self.floor


def events_of(name: str, clock: FakeClock, scope: Scope) -> Sequence[Event]:
    """Return a small real answer of each source."""
    now = clock.now()
    arn = f"arn:aws:lambda:{scope.region}:{scope.account}:function:{WORKER.id}"
    if name == "functions":
        return (FunctionsListed(scope, now, (FunctionFacts(WORKER._replace(scope=scope), arn),)),)
    if name == "mappings":
        worker = WORKER._replace(scope=scope)
        facts = MappingFacts(MAPPING._replace(scope=scope), worker, arn, QUEUE_ARN, "sqs", "Enabled")
        return (MappingsListed(scope, now, (facts,)),)
    if name == "queues":
        return (QueuesObserved(scope, now, (QueueFacts(ORDERS, QUEUE_ARN, QUEUE_URL, now, 3, 1, 0),)),)
    return ()


class FakeBackend:
    """Opens Backends. `errors` are raised first, one per attempt; `always` on every attempt."""

    def __init__(self, *sources: FakeSource, account: Account | None = None) -> None:
        self.sources: tuple[Source, ...] = sources
        self.account = account or Account()
        self.reader = FakeReader(self.account)
        self.mutator: FakeMutator | None = FakeMutator(self.account)
        self.scope = SCOPE
        self.endpoint = ""
        self.errors: list[BaseException] = []
        self.always: BaseException | None = None
        self.attempts = 0
        self.opened = 0
        self.closed = 0

    async def connect(self) -> Backend:
        """Try once to connect."""
        self.attempts += 1
        await asyncio.sleep(0)
        error = self.errors.pop(0) if self.errors else self.always
        if error is not None:
            raise error
        self.opened += 1
        identified = TargetIdentified(
            self.scope, 0.0, "arn:aws:iam::111122223333:user/kim", endpoint=self.endpoint
        )
        return Backend(identified, self.sources, self.reader, self.mutator, self._close)

    async def _close(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1
