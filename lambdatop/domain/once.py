"""What is computed once for an immutable value, and forgotten with it or with the next one. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

V = TypeVar("V")
R = TypeVar("R")


def once(function: Callable[[V], R]) -> Callable[[V], R]:
    """Remember each result for as long as the value lives, which is compared by identity.

    An `lru_cache` would keep values alive that nobody else needs: tails of tens of thousands of lines.
    """
    known: WeakKeyDictionary[V, R] = WeakKeyDictionary()

    @wraps(function)
    def remembered(value: V) -> R:
        if value not in known:
            known[value] = function(value)
        return known[value]

    return remembered


def newest(function: Callable[[V], R]) -> Callable[[V], R]:
    """Remember the result for the newest value alone, which is compared by identity.

    For maps of the World, which nothing can refer to weakly.
    """
    last: tuple[Any, Any] = (object(), None)

    @wraps(function)
    def remembered(value: V) -> R:
        nonlocal last
        known, result = last
        if known is not value:
            result = function(value)
            last = value, result
        found: R = result
        return found

    return remembered
