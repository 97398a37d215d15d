"""A clock whose hands are moved by the test."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from lambdatop.domain.plans.journal import Uptime


class FakeClock:
    """`Clock` without waiting. `auto` lets every sleep end at once and moves the time by it."""

    def __init__(self, *, auto: bool = False, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._monotonic = 1000.0
        self._auto = auto
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self.slept: list[float] = []
        self.boot = "b00t0001"
        # Clocks of several processes of a test agree on it, as they do on one machine.
        self.ran_s = now

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._monotonic

    def uptime(self) -> Uptime:
        """Return the seconds since the machine was started, which `step` does not change."""
        return Uptime(self.boot, self.ran_s + self._monotonic - 1000.0, "CLOCK_BOOTTIME")

    def step(self, seconds: float) -> None:
        """Set the clock: only the time of day changes."""
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has moved the hands that far."""
        self.slept.append(seconds)
        if self._auto or seconds <= 0:
            self.jump(max(0.0, seconds))
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._numbers), future))
        await future

    def typed(self) -> None:
        """Do nothing: nobody types."""

    def answered(self) -> None:
        """Do nothing: nobody waits here."""

    def give_way(self) -> None:
        """Do nothing: nobody types."""

    def jump(self, seconds: float) -> None:
        """Move the hands without waking anybody."""
        self._now += seconds
        self._monotonic += seconds

    async def advance(self, seconds: float) -> None:
        """Move the hands, waking sleepers in their order and letting everybody act in between."""
        target = self._monotonic + seconds
        await settle()
        while (due := self._next_due()) is not None and due <= target:
            self._wake(due)
            await settle()
        self.jump(target - self._monotonic)
        await settle()

    async def until(self, condition: Callable[[], bool], limit_s: float = 3600.0) -> float:
        """Move the hands from sleeper to sleeper until `condition` holds; how far they went."""
        began = self._monotonic
        await settle()
        while not condition():
            due = self._next_due()
            if due is None or due - began > limit_s:
                raise AssertionError(f"did not happen within {limit_s:g} s")
            self._wake(due)
            await settle()
        return self._monotonic - began

    def _next_due(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _wake(self, due: float) -> None:
        self.jump(due - self._monotonic)
        while self._sleepers and self._sleepers[0][0] <= due:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


async def settle(turns: int = 60) -> None:
    """Let everything run that can run without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)
