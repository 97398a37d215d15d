"""Limit an error to the section that raised it: show a sentence there, and everything else as usual.

What is shown comes from outside (a function writes into its log what it likes), so no page, document or
report may depend on all of its parts. The reason goes to the log once, as type and place: an error's text
may quote a secret.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import PurePath
from typing import TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)


def section(what: str, make: Callable[[], T], instead: Callable[[str], T]) -> T:
    """Return what `make` makes; where that fails, what `instead` makes of a sentence.

    Args:
        what: the section's name as the sentence says it: "the log of orders".
        make: makes the section.
        instead: makes what stands in its place; must not fail.
    """
    try:
        return make()
    except Exception as error:  # whatever it is, the sections around it can be shown
        kind, place = type(error).__name__, _place(error)
        _note(what, kind, place)
        return instead(f"{what} could not be shown: internal error ({kind}, {place}).")


def _place(error: BaseException) -> str:
    """Return the file and line in which it was raised, like `figures.py:157`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "no place"
    return f"{PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


@lru_cache(maxsize=1_000)
def _note(what: str, kind: str, place: str) -> None:
    """Log it once: a page is made anew several times a second."""
    _log.error("%s could not be shown: %s in %s", what, kind, place)
