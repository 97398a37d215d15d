"""A real pseudo-terminal with a screen that can be read, for tests that press keys."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyte
from fakes.time_limit import PATIENCE_S

FOREIGN = ("AWS_", "LAMBDATOP_", "XDG_", "NO_COLOR", "COLORTERM", "COLUMNS", "LINES")


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment without anything of this machine's user; `more` wins."""
    # COLUMNS and LINES, which parallel test runners set, would outrank the terminal's real size.
    keep = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    demo = {k: v for k, v in os.environ.items() if k == "LAMBDATOP_DEMO_PYTHON"}
    return keep | demo | {"HOME": str(home), "TERM": "xterm-256color", "TMPDIR": str(home)} | more


class Screen(pyte.Screen):
    """Says what a terminal says when it is asked."""

    def __init__(self, columns: int, lines: int, say: Callable[[str], None]) -> None:
        self._say = say
        super().__init__(columns, lines)

    def write_process_input(self, data: str) -> None:
        """Write an answer."""
        self._say(data)


class Terminal:
    """A program in a pty of `columns` x `lines`; `screen()` is what a person would see.

    It answers what a terminal answers (where is the cursor?), unless `answers` is off. `rate` is how many
    bytes it takes in a second, like a slow line.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        columns: int,
        lines: int,
        *,
        rate: float | None = None,
        answers: bool = True,
    ) -> None:
        self.display = Screen(columns, lines, self.press if answers else lambda words: None)
        self._stream = pyte.ByteStream(self.display)
        self._master, slave = pty.openpty()
        self._rate = rate
        self._size(slave, columns, lines)
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=dict(env), start_new_session=True
        )
        self._slave = slave  # kept open: what was written last can be read after the program's end
        self.written = bytearray()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal."""
        for fd in (self._slave, self._master):
            if fd >= 0:
                os.close(fd)
        self._slave = self._master = -1

    def screen(self) -> str:
        """Return the lines on screen."""
        return "\n".join(self.display.display)

    def attributes(self) -> list[Any]:
        """Return the terminal's settings (`tcgetattr`)."""
        return termios.tcgetattr(self._slave)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Drag the window's corner."""
        self.display.resize(lines, columns)
        self._size(self._slave, columns, lines)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGWINCH)

    @staticmethod
    def _size(fd: int, columns: int, lines: int) -> None:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, wait_s: float) -> bool:
        """Take what is there, waiting at most so long for something; False when nothing can come any more."""
        ready, _, _ = select.select([self._master], [], [], wait_s)
        if not ready:
            return True
        try:
            data = os.read(self._master, self._allowed())
        except OSError:  # the other side is closed
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)

    def _allowed(self) -> int:
        if self._rate is None:
            return 65_536
        piece = max(16, int(self._rate / 50))
        time.sleep(piece / self._rate)  # the line, not the test, takes its time
        return piece

    def wait_for(self, what: str | Callable[[str], bool], timeout_s: float = PATIENCE_S) -> str:
        """Wait until the screen shows `what` and return it; fail with the screen as it is."""
        shows = what if callable(what) else lambda screen: what in screen
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if shows(self.screen()):
                return self.screen()
            if not self.read(0.2) or self.process.poll() is not None:
                break
        if shows(self.screen()):
            return self.screen()
        raise AssertionError(f"never saw {what!r}; the screen was:\n{self.screen()}")

    def wait_for_exit(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for the exit code, and read everything written until then."""
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        while select.select([self._master], [], [], 0.0)[0] and self.read(0.0):
            pass
        if self.process.poll() is None:
            raise AssertionError(f"it did not end; the screen was:\n{self.screen()}")
        return self.process.returncode

    def wait_until_stopped(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the program is stopped by a signal (as by Ctrl-Z)."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.read(0.05)
            if os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT):
                while select.select([self._master], [], [], 0.0)[0] and self.read(0.0):
                    pass
                return
        raise AssertionError("it was never stopped")
