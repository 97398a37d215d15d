"""End a run on a signal as `q` does, but wait for the end of a change in progress.

The wait is bounded, and a second signal ends it at once; either way the journal says that the outcome is not
known. Of a plan in steps nothing further is begun. All those signals are caught that end a program unless it
says otherwise, also the rare ones: whoever sends one must not leave a terminal behind that shows no keys.
`kill -9` and a crash of Python itself cannot be caught; then `reset` helps.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from lambdatop.cli import stdio

if TYPE_CHECKING:
    from lambdatop.engine.mutating.executor import Executor

SIGNALLED = 128
"""A shell's exit code for an end by a signal, minus its number."""
_NAMES = (
    *("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGVTALRM"),
    *("SIGPROF", "SIGXCPU", "SIGIO", "SIGPWR", "SIGSTKFLT", "SIGEMT"),
)
ENDS = tuple(dict.fromkeys(getattr(signal, name) for name in _NAMES if hasattr(signal, name)))
"""Not every system has all of them."""
GRACE_S = 30.0
"""How long the end of a change is waited for once a signal came: a send is given up after 20 s."""
PAIR_S = 1.0
"""Terminals, shells and systemd send SIGHUP, SIGCONT and SIGTERM in pairs: those are one wish."""
LAST_S = 15.0
"""After the grace: whatever still hangs then (a name server, a disk) must not keep the process."""


@contextmanager
def signals_end_it() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Raise SystemExit (128 + number) on signals within.

    Call what is yielded once the end has begun, with what gives up waiting for a change: from then on the
    signals do nothing else. While the app has the terminal its driver handles them instead, and restores
    these handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda give_up: None
        return
    before = {number: signal.signal(number, _end) for number in ENDS}
    try:
        yield _only_give_up
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(SIGNALLED + number)


def _only_give_up(give_up: Callable[[], None]) -> None:
    began = time.monotonic()

    def again(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - began >= PAIR_S:
            give_up()
            end_anyway(number, LAST_S)

    for number in ENDS:
        signal.signal(number, again)


def end_anyway(number: int, seconds: float) -> None:
    """End the process in so many seconds, whatever still runs; its end is on disk long before."""
    last = threading.Timer(seconds, os._exit, (SIGNALLED + number,))
    last.daemon = True
    last.start()


class PatientEnds:
    """Within the block, a signal lets the executor finish what was sent, for `GRACE_S` at most."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._first = 0.0
        self._giving_up: asyncio.Task[None] | None = None
        self.number = 0

    @property
    def given_up(self) -> bool:
        """Whether the wait was ended before the change was."""
        return self._giving_up is not None

    def __enter__(self) -> PatientEnds:
        for number in ENDS:
            self._loop.add_signal_handler(number, self._heard, number)
        return self

    def __exit__(self, *_: object) -> None:
        for number in ENDS:
            self._loop.remove_signal_handler(number)
            if self.number:  # it is ending: what is left is to say how, and that is bounded
                signal.signal(number, signal.SIG_IGN)

    def _heard(self, number: int) -> None:
        now = self._loop.time()
        if not self.number:
            self.number, self._first = number, now
            self._executor.interrupt()
            self._loop.call_later(GRACE_S, self._give_up)
            end_anyway(number, GRACE_S + LAST_S)
            stdio.message(
                f"the call may be on its way; waiting for its outcome, at most {GRACE_S:.0f} s "
                "(a second signal ends the wait)"
            )
        elif now - self._first >= PAIR_S:
            self._give_up()

    def _give_up(self) -> None:
        if self._giving_up is None:
            end_anyway(self.number, LAST_S)
            self._giving_up = self._loop.create_task(self._executor.abandon())
