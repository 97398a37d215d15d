"""Let other threads run during long loops. Pure.

A pressed key is answered by a thread that shares the interpreter with long computations. They call
`give_way` (`ports.Clock.give_way`) every few ms, which lets the other thread run first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

GiveWay = Callable[[], None]


def no_pause() -> None:
    """Do nothing: the pause function of a computation that shares its interpreter with nobody."""


def paced(items: Iterable[T], give_way: GiveWay, every: int = 64) -> Iterator[T]:
    """Yield the same items, and call `give_way` before each `every`-th."""
    left = 0
    for item in items:
        if not left:
            give_way()
            left = every
        left -= 1
        yield item


def release_in_pieces(items: list[Any], give_way: GiveWay, piece: int = 1_000) -> None:
    """Empty the list: to free fifty thousand log lines at once takes 0.2 s, in which no thread goes on."""
    while items:
        give_way()
        del items[-piece:]
