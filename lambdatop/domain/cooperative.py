"""Loops over ten thousand things, with a breath again and again. Pure.

A key that is pressed is answered by a thread that shares the interpreter with whoever computes here. A breath
is where the one who computes lets the other go first (`ports.Clock.give_way`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

Breathe = Callable[[], None]


def no_breath() -> None:
    """Do nothing: the pause function of a computation that shares its interpreter with nobody."""


def paced(items: Iterable[T], breathe: Breathe, every: int = 64) -> Iterator[T]:
    """Yield the same items, and call `breathe` before each `every`-th."""
    left = 0
    for item in items:
        if not left:
            breathe()
            left = every
        left -= 1
        yield item


def let_go(items: list[Any], breathe: Breathe, piece: int = 1_000) -> None:
    """Empty the list: to free fifty thousand log lines at once takes 0.2 s, in which no thread goes on."""
    while items:
        breathe()
        del items[-piece:]
