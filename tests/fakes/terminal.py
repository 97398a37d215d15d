"""A real pseudo-terminal with a screen that can be read, for tests that press keys."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte


class Terminal:
    """A program in a pty of `columns` x `lines`; `screen()` is what a person would see."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], columns: int, lines: int) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=dict(env), start_new_session=True
        )
        os.close(slave)
        self.written = bytearray()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def screen(self) -> str:
        """The lines on screen."""
        return "\n".join(self._screen.display)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def _read(self, wait_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], wait_s)
        if not ready:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)

    def wait_for(self, what: str | Callable[[str], bool], timeout_s: float = 30.0) -> str:
        """The screen, once it shows `what`; fails with the screen as it is."""
        shows = what if callable(what) else lambda screen: what in screen
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if shows(self.screen()):
                return self.screen()
            if not self._read(0.2):
                break
        raise AssertionError(f"never saw {what!r}; the screen was:\n{self.screen()}")

    def wait_for_exit(self, timeout_s: float = 20.0) -> int:
        """The exit code, with everything written until then read."""
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.1)
        while self._read(0.0) and select.select([self._master], [], [], 0.0)[0]:
            pass
        return self.process.wait(timeout=max(0.1, deadline - time.monotonic()))
