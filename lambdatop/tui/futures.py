"""Ask the engine from the UI's loop: futures of its thread, waited for without cancelling them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from msgspec import Struct

from lambdatop.domain.plans.plan import Proposal

T = TypeVar("T")


class Request(Struct, frozen=True):
    """What a confirm screen is opened for: words, and how to ask the engine for the plan."""

    words: str
    ask: Callable[[], Future[Proposal]]


async def ending(future: Future[T]) -> T:
    """Wait for a future of another thread without ever cancelling it."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def wake(_: Future[T]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle)

    future.add_done_callback(wake)
    await waiter
    return future.result()
