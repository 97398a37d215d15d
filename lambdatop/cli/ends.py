"""SIGTERM, SIGHUP and SIGINT end the console as `q` does: nothing on its way is cut off."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALLED = 128
"""A shell's exit code for an end by a signal, minus its number."""
_ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextmanager
def signals_end_it() -> Iterator[Callable[[], None]]:
    """Within, the signals raise SystemExit (128 + number); what is yielded makes them be ignored.

    Except for Ctrl-C: a person who presses it while a call is waited for has seen that it takes long.
    While the app has the terminal its driver hears them instead, and restores these handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    before = {number: signal.signal(number, _end) for number in _ENDS}
    try:
        yield _ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(SIGNALLED + number)


def _ignore() -> None:
    for number in _ENDS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_IGN)
