"""Read the time: the only place that asks the operating system for it."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from functools import cache
from typing import Any

from lambdatop.domain.plans.journal import Uptime
from lambdatop.domain.plans.plan import CLOCK_SLACK_S
from lambdatop.domain.ports.runtime import Clock

ANSWER_S = 0.05
"""How long a key is answered undisturbed at most; some keys are not seen on the screen."""


class SystemClock:
    """`domain.ports.runtime.Clock` on the machine's clocks."""

    def __init__(self) -> None:
        self._until = self._not_before = 0.0
        self._answered = threading.Event()

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def uptime(self) -> Uptime:
        """Return how long this machine has run; by CLOCK_BOOTTIME on Linux, by CLOCK_MONOTONIC elsewhere."""
        name = "CLOCK_BOOTTIME" if hasattr(time, "CLOCK_BOOTTIME") else "CLOCK_MONOTONIC"
        return Uptime(_boot(), time.clock_gettime(getattr(time, name)), name)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def typed(self) -> None:
        """Note that a key was pressed, which another thread is going to answer."""
        self._answered.clear()
        self._until = time.monotonic() + ANSWER_S

    def answered(self) -> None:
        """Note that the answer to the key is on its way to the terminal."""
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


class SetBack:
    """Notices that somebody has set the clock back since it was asked last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_s = self._ahead()

    def _ahead(self) -> float:
        return self._clock.now() - self._clock.monotonic()

    def seconds(self) -> float:
        """Return by how much, s; 0 for what is no more than a correction of the time server."""
        before, self._ahead_s = self._ahead_s, self._ahead()
        back_s = before - self._ahead_s
        return back_s if back_s > CLOCK_SLACK_S else 0.0


@cache
def _boot() -> str:
    """Return the kernel's name for this start of the machine; "" where it has none."""
    if sys.platform == "darwin":
        return _sysctl(b"kern.bootsessionuuid")
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # proc(5)
            return file.read(64).strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _sysctl(name: bytes) -> str:
    """Return a text of macOS' kernel (sysctl(3)); "" where it has none."""
    import ctypes

    try:
        text, size = ctypes.create_string_buffer(64), ctypes.c_size_t(64)
        failed = ctypes.CDLL(None).sysctlbyname(name, text, ctypes.byref(size), None, ctypes.c_size_t(0))
    except (OSError, AttributeError):
        return ""
    return "" if failed else text.value.decode("ascii", "replace")


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
