"""Signals end the console as `q` does: nothing on its way is cut off, and the terminal is given back.

All those that end a program unless it says otherwise, also the rare ones: whoever sends one must not leave a
terminal behind that shows no keys. `kill -9` and a crash of Python itself cannot be caught; then `reset`
helps.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALLED = 128
"""A shell's exit code for an end by a signal, minus its number."""
_NAMES = (
    *("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGVTALRM"),
    *("SIGPROF", "SIGXCPU", "SIGIO", "SIGPWR", "SIGSTKFLT", "SIGEMT"),
)
ENDS = tuple(dict.fromkeys(getattr(signal, name) for name in _NAMES if hasattr(signal, name)))
"""Not every system has all of them."""
_PATIENT = (signal.SIGTERM, signal.SIGHUP)
"""What is ignored while a call on its way is waited for; any other ends the program, the terminal is back."""


@contextmanager
def signals_end_it() -> Iterator[Callable[[], None]]:
    """Within, the signals raise SystemExit (128 + number); what is yielded has SIGTERM and SIGHUP ignored.

    Not Ctrl-C: a person who presses it while a call is waited for has seen that it takes long.
    While the app has the terminal its driver hears them instead, and restores these handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    before = {number: signal.signal(number, _end) for number in ENDS}
    try:
        yield _ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(SIGNALLED + number)


def _ignore() -> None:
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN if number in _PATIENT else signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
