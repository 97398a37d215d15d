"""Run one collector: a source and its pace. It reports its state, and no error ends it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from msgspec import Struct

from lambdatop.domain.errors import CredentialsError, Denied, LambdatopError, Missing, SourceError, Throttled
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import EventSink, Source, View
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.state.events import Event, SourceReported, SourceState
from lambdatop.engine.clock import finished_within, wait_at_most
from lambdatop.engine.collecting.backoff import Pace
from lambdatop.engine.unexpected import unexpected

ROUND_LIMIT_S = 60.0
STALE_FACTOR = 2.0
STALE_AT_LEAST_S = 10.0
FIRST_TRIES = 3
"""So often a source is asked for its first answer before it counts as one that gives none."""
REST = 0.1
AGAIN, SLOWER = " It will be tried again.", " It will be asked less often."
"""What a collector promises, for as long as it runs."""

_log = logging.getLogger(__name__)


class Setting(Struct, frozen=True):
    """What a collector works with: scope, time, what to read, and where events go.

    `failed` is told of each error; `chance` gives 0..1 for the jitter.
    """

    scope: Scope
    clock: Clock
    view: Callable[[], View]
    post: EventSink
    failed: Callable[[BaseException], None] = lambda error: None
    chance: Callable[[], float] = random.random


class Collector:
    """Asks one source round after round.

    A tick that falls into a running round is dropped; a round that takes longer than its limit
    (60 s, or the pace if that is longer) is cancelled and reported, as is every other failure. `begun` counts
    rounds, each of which ends in one report.
    """

    def __init__(self, source: Source, base_s: float, setting: Setting) -> None:
        self.name = source.name
        self._source = source
        self._pace = Pace(base_s, first=True)
        self._error: Exception | None = None
        self._limit_s = max(ROUND_LIMIT_S, base_s)
        self._at = setting
        self._again = asyncio.Event()
        self._round: asyncio.Task[None] | None = None
        self._events: Sequence[Event] = ()
        self.begun = 0

    @property
    def hopes(self) -> bool:
        """Whether it had no answer yet, and another try may well bring one."""
        if not self._pace.first or self._error is None:
            return self._pace.first
        if isinstance(self._error, Throttled):
            return True
        lasting = (Denied, CredentialsError, Missing)
        passes = isinstance(self._error, SourceError) and not isinstance(self._error, lasting)
        return passes and self._pace.tries < FIRST_TRIES

    def refresh(self) -> None:
        """Ask now, unless a round is running already."""
        if self._round is None or self._round.done():
            self._again.set()

    def wake(self) -> None:
        """Ask now; a running round is followed by another, because what it looks at has changed."""
        self._again.set()

    async def run(self, ready: asyncio.Event | None = None, patience_s: float = 0.0) -> None:
        """Ask for ever, beginning when `ready` is set or after `patience_s`. Ends by cancellation."""
        try:
            if ready is not None:
                await wait_at_most(self._at.clock, ready, patience_s)
            while True:
                self._again.clear()
                began = self._at.clock.monotonic()
                floor = await self._one_round()
                await self._rest(began, floor)
        finally:
            if self._round is not None:
                self._round.cancel()

    async def _rest(self, began: float, floor: tuple[float, str]) -> None:
        spent = self._at.clock.monotonic() - began
        wait = self._pace.wait(floor, self._at.chance())
        # Ticks that fell into a long round are dropped, and a long failure still earns its full rest.
        wait = wait if self._pace.failures else max(wait - spent, wait * REST)
        await wait_at_most(self._at.clock, self._again, wait)
        left = floor[0] - (self._at.clock.monotonic() - began)
        if left > 0:  # woken early, but no faster than the floor
            await self._at.clock.sleep(left)

    async def _one_round(self) -> tuple[float, str]:
        self.begun += 1
        error = await self._ask()
        state: SourceState = "ok" if error is None else _state_of(error)
        self._pace, self._error = self._pace.after(state), error
        floor = self._floor()
        if error is None:
            self._at.post(self._events)
        else:
            self._at.failed(error)
        self._report(state, floor, "" if error is None else _sentence(self.name, error), error)
        return floor

    async def _ask(self) -> Exception | None:
        """Run one round; return the error that ended it, or None."""
        if self._round is not None and not self._round.done():
            return SourceError(f"The last round of {self.name} was cancelled and has not ended yet.")
        self._round = task = asyncio.ensure_future(self._collect())
        task.add_done_callback(_noticed)
        clock = self._at.clock
        stale_s = min(self._limit_s, max(STALE_AT_LEAST_S, STALE_FACTOR * self._pace.base_s))
        if not await finished_within(clock, task, stale_s):
            self._report("stale", (0.0, ""), f"This round of {self.name} takes longer than usual.", None)
            if not await finished_within(clock, task, self._limit_s - stale_s):
                task.cancel()
                return SourceError(f"{self.name} took longer than {self._limit_s:g} s and was cancelled.")
        if task.cancelled():
            return SourceError(f"The round of {self.name} was cancelled from within.")
        error = task.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        return error

    async def _collect(self) -> None:
        self._events = await self._source.collect(self._at.view())

    def _floor(self) -> tuple[float, str]:
        try:
            return self._source.pace_floor(self._at.view())
        except Exception:  # a bug in one source must not end its collector
            _log.exception("pace_floor of %s", self.name)
            return (0.0, "")

    def _report(
        self, state: SourceState, floor: tuple[float, str], sentence: str, error: Exception | None
    ) -> None:
        seconds, why = self._pace.interval(floor)
        action = error.action if isinstance(error, SourceError) else None
        report = SourceReported(
            self._at.scope,
            self._at.clock.now(),
            self.name,
            state,
            sentence,
            action,
            None if state == "stale" else seconds,
            seconds,
            why,
        )
        self._at.post((report,))


def _noticed(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # a cancelled round may still fail; asyncio must not complain about it


def _state_of(error: Exception) -> SourceState:
    if isinstance(error, Denied):
        return "denied"
    return "throttled" if isinstance(error, Throttled) else "failed"


def _sentence(name: str, error: Exception) -> str:
    """Return what went wrong, with the promise that it is asked again, which only a collector can make."""
    if isinstance(error, Throttled):
        return f"{error}{SLOWER}"
    if isinstance(error, SourceError) and not isinstance(error, (Denied, CredentialsError)):
        return f"{error}{AGAIN}"
    if isinstance(error, LambdatopError):
        return str(error)
    return unexpected(name, error)


def without_promise(sentence: str) -> str:
    """Return what went wrong without that promise, for a reader for whom nothing is asked any more."""
    return sentence.removesuffix(AGAIN).removesuffix(SLOWER)
