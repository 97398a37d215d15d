"""What the suite takes a stable sample of, and `make nightly` (`LAMBDATOP_NIGHTLY=1`) takes all of."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar
from zlib import crc32

T = TypeVar("T")
NIGHTLY = os.environ.get("LAMBDATOP_NIGHTLY", "") == "1"


def sample(things: Sequence[T], one_in: int, name: Callable[[T], str]) -> tuple[T, ...]:
    """Return one of so many things, by their names.

    Always the same ones, and a new thing changes no choice.
    """
    return tuple(thing for thing in things if NIGHTLY or crc32(name(thing).encode()) % one_in == 0)


def dealt(things: Sequence[T], count: int, to: str) -> tuple[T, ...]:
    """Return so many of the things for each name that asks; different names get different ones."""
    first = crc32(to.encode())
    step = max(len(things) // count, 1)
    return tuple(things) if NIGHTLY else tuple(things[(first + n * step) % len(things)] for n in range(count))
