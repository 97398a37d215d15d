"""Write to the terminal: what it takes at once, and the rest in a thread of its own.

Whoever writes never waits for a slow line. A thread alone would not do: each frame would wait until it gets
the interpreter, for milliseconds while a log is being read.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable


class Line:
    """A file descriptor that takes what it is given, in its own time and in order."""

    def __init__(self, fd: int, encoding: str, taken: Callable[[], None]) -> None:
        """Make a writer; `taken` is called in this thread whenever everything was handed to the system."""
        self._fd = fd
        self._at_once = _never_waiting(fd)
        self._encoding = encoding
        self._taken = taken
        self._waiting: list[bytes] = []
        self._change = threading.Condition()
        self._closing = False
        self._busy = False
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="lambdatop-terminal", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether the system has taken everything."""
        with self._change:
            return not self._busy and not self._waiting

    def write(self, text: str) -> None:
        """Hand text over; returns at once. Without a terminal at the other end it goes nowhere."""
        data = text.encode(self._encoding, "replace")
        with self._change:
            if self._broken or self._closing:
                return
            if not self._busy and not self._waiting:
                data = self._try(data)
            if data:
                self._waiting.append(data)
                self._change.notify_all()

    def close(self, patience_s: float) -> None:
        """Wait until everything is written, at most `patience_s`, and end."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join(patience_s)
        if self._at_once is not None:
            os.close(self._at_once)
            self._at_once = None

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._closing:
                    self._change.wait()
                if not self._waiting:
                    return
                data, self._waiting = b"".join(self._waiting), []
                self._busy = True
            try:
                self._push(data)
            except OSError:  # the terminal is gone; reading from it says so too, and ends the console
                self._broken = True
            with self._change:
                self._busy = False
            self._taken()

    def _try(self, data: bytes) -> bytes:
        """Write what the terminal takes without anybody waiting; the rest."""
        if self._at_once is None:
            return data
        try:
            return data[os.write(self._at_once, data) :]
        except OSError:  # no room, or no terminal: the thread finds out
            return data

    def _push(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:  # somebody who shares the terminal made it so
                select.select([], [self._fd], [], 1.0)


def _never_waiting(fd: int) -> int | None:
    """Return the terminal opened again for writing that never blocks; None where that fails.

    The descriptor that we were given is shared with the shell, so it stays as it is.
    """
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
