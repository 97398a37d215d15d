"""Keep one connection open: connect with back-off, and again when credentials stop working."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lambdatop.domain.errors import LambdatopError, SourceError
from lambdatop.domain.ports.aws import Backend, Connect
from lambdatop.domain.ports.runtime import Clock
from lambdatop.engine.clock import wait_at_most
from lambdatop.engine.unexpected import unexpected

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
STEADY_S = 120.0

NAME = "connection"


class Link:
    """Connects, reports it, and connects again when the connection is lost.

    `adopt` takes a new Backend into use; `report` gets the error of a failed attempt and the seconds
    until the next one, or (None, 0) after success.
    """

    def __init__(
        self,
        connect: Connect,
        clock: Clock,
        adopt: Callable[[Backend], Awaitable[None]],
        report: Callable[[LambdatopError | None, float], None],
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._adopt = adopt
        self._report = report
        self._hurry = asyncio.Event()
        self._lost = asyncio.Event()
        self._renewed = False
        self._attempts = 0

    def lost(self) -> None:
        """Note that the credentials of the present connection do not work any more."""
        self._lost.set()

    def hurry(self) -> None:
        """Try at once instead of waiting for the end of a pause."""
        self._hurry.set()

    def renew(self) -> None:
        """Connect anew at once, whether the present connection works or not: somebody logged in."""
        self._renewed = True
        self._attempts = 0
        self._lost.set()
        self._hurry.set()

    async def run(self) -> None:
        """Keep a connection open for ever. Ends by cancellation."""
        while True:
            backend = await self._open()
            if not self._renewed:  # a login while it was opened: this one may still be of the old session
                self._lost.clear()
            await self._adopt(backend)
            self._report(None, 0.0)
            opened = self._clock.monotonic()
            await self._lost.wait()
            # A connection that is lost at once must not make us list the whole account every second.
            if self._clock.monotonic() - opened >= STEADY_S:
                self._attempts = 0
            await self._pause(self._next_pause_s())

    async def _open(self) -> Backend:
        while True:
            self._renewed = False
            try:
                return await self._connect()
            except LambdatopError as error:
                failure: LambdatopError = error
            except Exception as error:  # the engine goes on trying whatever a connection attempt does
                failure = SourceError(unexpected(NAME, error))
            pause_s = self._next_pause_s()
            self._report(failure, pause_s)
            await self._pause(pause_s)

    def _next_pause_s(self) -> float:
        pause_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._attempts, 10))
        self._attempts += 1
        return pause_s

    async def _pause(self, seconds: float) -> None:
        if self._renewed:
            return
        self._hurry.clear()
        await wait_at_most(self._clock, self._hurry, seconds)
