"""The only place that asks the operating system for the time."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from lambdatop.domain.ports import Clock

ANSWER_S = 0.05
"""How long a key is answered undisturbed at most; some keys are not seen on the screen."""


class SystemClock:
    """`domain.ports.Clock` on the machine's clocks."""

    def __init__(self) -> None:
        self._until = self._not_before = 0.0
        self._answered = threading.Event()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def typed(self) -> None:
        """A key was pressed, and is going to be answered in another thread."""
        self._answered.clear()
        self._until = time.monotonic() + ANSWER_S

    def answered(self) -> None:
        """What the key did is on its way to the terminal."""
        self._answered.set()

    def give_way(self) -> None:
        """Leave the interpreter to whoever answers a key; what follows takes some ms of it in one piece.

        At most half of the time: a key that is held down must not stop everything.
        """
        now = time.monotonic()
        left_s = self._until - now
        if left_s > 0 and now >= self._not_before and not self._answered.is_set():
            self._answered.wait(left_s)
            ended = time.monotonic()
            self._not_before = ended + (ended - now)


async def wait_at_most(clock: Clock, event: asyncio.Event, seconds: float) -> bool:
    """Wait until `event` is set, at most `seconds`; whether it is set."""
    if event.is_set() or seconds <= 0:
        return event.is_set()
    waiter: asyncio.Future[Any] = asyncio.ensure_future(event.wait())
    sleeper: asyncio.Future[Any] = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait([waiter, sleeper], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _abandon(waiter, sleeper)
    return event.is_set()


async def finished_within(clock: Clock, task: asyncio.Task[None], seconds: float) -> bool:
    """Wait until `task` is done, at most `seconds`; whether it is done. The task is not cancelled."""
    if task.done() or seconds <= 0:
        return task.done()
    sleeper: asyncio.Future[Any] = asyncio.ensure_future(clock.sleep(seconds))
    try:
        both: list[asyncio.Future[Any]] = [task, sleeper]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _abandon(sleeper)
    return task.done()


async def _abandon(*waiters: asyncio.Future[Any]) -> None:
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
