"""Writing to the terminal in a thread of its own: whoever writes never waits for a slow line."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable


class Line:
    """A file descriptor that takes what it is given, in its own time and in order."""

    def __init__(self, fd: int, encoding: str, taken: Callable[[], None]) -> None:
        """`taken` is called in this thread whenever everything was handed to the system."""
        self._fd = fd
        self._encoding = encoding
        self._taken = taken
        self._text: list[str] = []
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
            return not self._busy and not self._text

    def write(self, text: str) -> None:
        """Hand text over; returns at once. Without a terminal at the other end it goes nowhere."""
        with self._change:
            if not self._broken:
                self._text.append(text)
                self._change.notify_all()

    def close(self, patience_s: float) -> None:
        """Wait until everything is written, at most `patience_s`, and end."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join(patience_s)

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._text and not self._closing:
                    self._change.wait()
                if not self._text:
                    return
                text, self._text = "".join(self._text), []
                self._busy = True
            try:
                self._push(text.encode(self._encoding, "replace"))
            except OSError:  # the terminal is gone; reading from it says so too, and ends the console
                self._broken = True
            with self._change:
                self._busy = False
            self._taken()

    def _push(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:  # somebody who shares the terminal made it so
                select.select([], [self._fd], [], 1.0)
