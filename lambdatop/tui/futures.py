"""Ask the engine from the UI's loop: futures of its thread, waited for without cancelling them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from msgspec import Struct
from textual.dom import DOMNode

from lambdatop.domain.plans.plan import Proposal

T = TypeVar("T")


class Request(Struct, frozen=True):
    """What a confirm screen is opened for: words, and how to ask the engine for the plan."""

    words: str
    ask: Callable[[], Future[Proposal]]


def background(
    node: DOMNode,
    work: Callable[[], Coroutine[Any, Any, None]],
    *,
    group: str = "default",
    exclusive: bool = False,
) -> None:
    """Run `work` beside the display, until `node` is taken down; its errors do not end the console.

    The coroutine is made when it begins: one that was made before and never begun, because the console ended
    first, would be reported on stderr.
    """
    make: Any = work  # Textual's type of a callable is ambiguous
    node.run_worker(make, group=group, exclusive=exclusive, exit_on_error=False)


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
