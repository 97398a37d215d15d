"""Cache what is computed for an immutable value until the value, or the next one, replaces it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

V = TypeVar("V")
R = TypeVar("R")
P = ParamSpec("P")


def once(function: Callable[Concatenate[V, P], R]) -> Callable[Concatenate[V, P], R]:
    """Remember each result for as long as the value lives, which is compared by identity.

    What else is handed in must make no difference to the result.
    An `lru_cache` would keep values alive that nobody else needs: tails of tens of thousands of lines.
    """
    known: WeakKeyDictionary[V, R] = WeakKeyDictionary()

    def remembered(value: V, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if value not in known:
            known[value] = function(value, *args, **kwargs)
        return known[value]

    update_wrapper(remembered, function)
    return remembered


def newest(function: Callable[Concatenate[V, P], R]) -> Callable[Concatenate[V, P], R]:
    """Remember the result for the newest value alone, which is compared by identity.

    For maps of the World, which nothing can refer to weakly. What else is handed in must make no difference.
    """
    last: tuple[Any, Any] = (object(), None)

    def remembered(value: V, /, *args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal last
        known, result = last
        if known is not value:
            result = function(value, *args, **kwargs)
            last = value, result
        found: R = result
        return found

    update_wrapper(remembered, function)
    return remembered
