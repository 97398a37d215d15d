"""A program in a pseudo-terminal at the end of a line: what it writes arrives in time, is counted and shown.

`rate` (bytes/s) and `delay_s` make the line slow: bytes are taken from the terminal one after the other and
arrive so much later, as behind SSH. Keys and answers go the other way at once.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from bench.glass import Glass

PIECE_S = 0.005
"""How much of a slow line's time is handed over at once."""
KEPT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH")


class Peer:
    """A program that thinks it has a terminal; `began` is when it was started (s of `perf_counter`)."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (200, 56),
        environment: Mapping[str, str] | None = None,
        rate: float | None = None,
        delay_s: float = 0.0,
        shown: bool = True,
        cwd: str | None = None,
    ) -> None:
        """Start the program.

        `shown` False only counts: for programs that draw with more than `Glass` understands.
        """
        columns, lines = size
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        own = {key: value for key, value in os.environ.items() if key in KEPT}
        self._home = TemporaryDirectory()
        own |= {"HOME": self._home.name, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        own |= {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
        self.glass = Glass(columns, lines, self._say) if shown else None
        self._rate, self._delay_s = rate, delay_s
        self._free_at = 0.0
        self._under_way: deque[tuple[float, bytes]] = deque()
        self.count = 0
        self.ended = False
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=own | dict(environment or {}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            cwd=cwd,
        )
        os.close(slave)

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        self._home.cleanup()

    def _say(self, words: str) -> None:
        os.write(self._master, words.encode())

    def press(self, keys: str) -> float:
        """Type; when it was done (s of `perf_counter`)."""
        at = time.perf_counter()
        os.write(self._master, keys.encode())
        return at

    def read(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let what arrives within so many seconds arrive, or until something is so; whether it came to be."""
        deadline = time.perf_counter() + seconds
        while not self.ended and (now := time.perf_counter()) < deadline:
            if self._arrive(now) and until is not None and until():
                return True
            wait = deadline - now
            if self._under_way:
                wait = min(wait, self._under_way[0][0] - now)
            if now < self._free_at:
                time.sleep(max(0.0, min(wait, self._free_at - now)))
            elif select.select([self._master], [], [], max(0.0, wait))[0]:
                self._take()
        return self._arrive(time.perf_counter()) and until is not None and until()

    def _take(self) -> None:
        try:
            data = os.read(self._master, max(16, int(self._rate * PIECE_S)) if self._rate else 1 << 16)
        except OSError:  # the other end is closed
            self.ended = True
            return
        now = time.perf_counter()
        self._free_at = now + len(data) / self._rate if self._rate else 0.0
        self._under_way.append((max(now, self._free_at) + self._delay_s, data))

    def _arrive(self, now: float) -> bool:
        """Show what has come by now; whether there was anything."""
        any_came = False
        while self._under_way and self._under_way[0][0] <= now:
            data = self._under_way.popleft()[1]
            self.count += len(data)
            any_came = True
            if self.glass is not None:
                self.glass.feed(data)
        return any_came

    def wait_for(self, words: str, seconds: float = 60.0) -> float:
        """Wait for these words on the glass; return when they came (s of `perf_counter`)."""
        glass = self.glass
        assert glass is not None
        if not glass.shows(words) and not self.read(seconds, lambda: glass.shows(words)):
            shown = "\n".join(glass.line(y).rstrip() for y in range(glass.lines))
            raise AssertionError(f"never saw {words!r} in {seconds:g} s:\n{shown}")
        return time.perf_counter()

    def bytes_per_s(self, seconds: float) -> float:
        """Return the bytes a second that arrive within so many seconds."""
        count, began = self.count, time.perf_counter()
        self.read(seconds)
        return (self.count - count) / (time.perf_counter() - began)

    def cpu_s(self) -> float:
        """Return CPU seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
