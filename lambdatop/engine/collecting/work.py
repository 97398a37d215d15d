"""Keep track of work in progress in this process, whichever connection it began on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any, TypeVar

from lambdatop.domain.keys import Key
from lambdatop.domain.ports.console import Result

T = TypeVar("T")


class Work:
    """Changes in progress. They are waited for even when their connection was replaced.

    `locks` allow one change per target at a time, `spent` are the ids of plans that were carried out,
    `called` how the user called the target of each. Once `closing` is set, plans in steps wait for nothing
    further, and what they have not begun is not sent; once `interrupted` is set, nothing is sent any more.
    """

    def __init__(self) -> None:
        self.locks: defaultdict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.spent: set[str] = set()
        self.called: dict[str, tuple[str, ...]] = {}
        self.closing = asyncio.Event()
        self.interrupted = asyncio.Event()
        self._running: set[asyncio.Task[Result]] = set()

    @property
    def busy(self) -> bool:
        """Whether a change is under way."""
        return bool(self._running)

    def start(self, change: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Carry a change out in a task of its own, which nobody's waiting or giving up ends."""
        task = asyncio.ensure_future(change)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def drain(self) -> None:
        """Wait until no change is under way; plans in steps begin no further step."""
        self.closing.set()
        while self._running:
            await asyncio.wait(self._running)

    def interrupt(self) -> None:
        """Send nothing that is not on its way already."""
        self.closing.set()
        self.interrupted.set()

    async def unless_interrupted(self, asked: Coroutine[Any, Any, T]) -> T | None:
        """Return what was asked, or None as soon as nothing may be sent any more."""
        asking = asyncio.ensure_future(asked)
        ending = asyncio.ensure_future(self.interrupted.wait())
        both: list[asyncio.Future[Any]] = [asking, ending]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def abandon(self) -> None:
        """Stop waiting: what was sent is written down as unknown, what was not is not sent."""
        self.interrupt()
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
