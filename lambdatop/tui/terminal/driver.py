"""Drive the terminal without blocking on it, and restore it at every end.

Frames become differences (`terminal_cells`), paced by the terminal's own answers (`terminal_pacing`),
written in a thread (`terminal_line`). Signals are dealt with on the event loop, never in between.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Any

from textual import events, messages
from textual.app import App
from textual.geometry import Size
from textual.message import Message

from lambdatop.tui._textual import FrameDriver, Piece, key_reader
from lambdatop.tui.terminal.capabilities import MOUSE, SYNC, Traits, entering, key_by_key, leaving
from lambdatop.tui.terminal.flow_control import QUESTION, Window
from lambdatop.tui.terminal.screen_diff import Cells
from lambdatop.tui.terminal.suspend import TerminalApp
from lambdatop.tui.terminal.writer import Line

CHECK_S = 0.1
"""How often, s, the reading thread checks whether it must end, and whether a lone Escape was meant."""
LAST_WORDS_S = 3.0
"""How long leaving waits for a terminal that takes nothing."""


class TerminalDriver(FrameDriver):
    """Input from stdin, output to stderr, both the terminal."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        # Not by COLUMNS and LINES: exported once, they would outrank every resize.
        super().__init__(app, debug=debug, mouse=mouse, size=size or _size_of_terminal())
        if sys.__stdin__ is None or sys.__stderr__ is None:
            raise RuntimeError("the console was started without a terminal")
        self._in, self._out = sys.__stdin__.fileno(), sys.__stderr__.fileno()
        self._traits: Traits = getattr(app, "traits", Traits())
        self._typed: Callable[[], object] = getattr(app, "typed", lambda: None)
        self._ends: Sequence[int] = getattr(app, "ends", TerminalApp.ends)
        self._cells = Cells(
            self._traits.colors, ascii_only=self._traits.ascii_only, links=not self._traits.simple
        )
        self._cursor = (0, 0)
        self._window = Window()
        self._line: Line | None = None
        self._painted = False
        self._last_signal = 0
        self._later: asyncio.TimerHandle | None = None
        self._sync = False
        self._asked = self._heard = 0
        self._all_heard = threading.Event()
        self._before: list[Any] | None = None
        self._stop_reading = threading.Event()
        self._reader: threading.Thread | None = None
        self._handlers: dict[int, Any] = {}

    @property
    def can_suspend(self) -> bool:
        """Yes: what was on the terminal is remembered."""
        return True

    def switch_mouse(self) -> bool:
        """Take the mouse from the terminal, or leave it to it; return whether it is ours now."""
        self._mouse = not self._mouse
        self.write(MOUSE[0] if self._mouse else MOUSE[1])
        return self._mouse

    # -- output ----------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Write control characters that go between frames; drop them while the terminal is not ours."""
        if self._line is not None:
            self._line.write(data)

    def show(self, width: int, height: int, pieces: Iterable[Piece], cursor: tuple[int, int]) -> None:
        """Remember the frame; what has changed is written as soon as the terminal can take it."""
        if (width, height) != (self._cells.width, self._cells.height):
            self._cells.resize(width, height)
        for x, y, segments in pieces:
            self._cells.put(x, y, segments)
        self._cursor = cursor
        if self._last_signal and not self._painted:
            self._loop.call_soon(self._exit)
        self._painted = True
        self._pump()

    def _pump(self) -> None:
        """Write as much of what has changed as the terminal has room for."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._line is None:
            return
        now = monotonic()
        while self._cells.waiting and self._line.idle:
            room = self._window.room(now)
            if not room:
                break
            text = self._cells.changes(room)
            if text:
                self._send(text, now)
        if self._cells.waiting:  # answers and the line wake it, this only when there are none
            self._later = self._loop.call_later(CHECK_S, self._pump)

    def _send(self, text: str, now: float) -> None:
        if self._sync:
            text = f"{SYNC[0]}{text}{SYNC[1]}"
        x, y = self._cursor
        if (x, y) != (0, 0):  # where an input method shows what it composes
            text += self._cells.park(x, y)
        self._ask(text, now)

    def _ask(self, text: str, now: float) -> None:
        """Write, and ask whether it has arrived."""
        self._window.sent(now, len(text.encode()))
        self._asked += 1
        self._all_heard.clear()
        self.write(text + QUESTION)

    def _from_thread(self, function: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            return  # the loop has ended, and with it whatever this was for

    def _answered(self, at: float) -> None:
        self._window.answered(at, more=self._cells.waiting)
        self._pump()

    def _repaint(self) -> None:
        self._cells.forget()
        self._pump()

    # -- coming and going ------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        """Take the terminal."""
        try:
            # First, because from the background this stops the process until it is in front again.
            self._before = termios.tcgetattr(self._in)
            termios.tcsetattr(self._in, termios.TCSANOW, key_by_key(self._before))
        except termios.error:
            self._before = None
        self._window, self._asked, self._heard = Window(), 0, 0
        encoding = "ascii" if self._traits.ascii_only else "utf-8"
        self._line = Line(self._out, encoding, lambda: self._from_thread(self._pump))
        self._ask(entering(self._traits, mouse=self._mouse), monotonic())
        self._watch_signals()
        self._stop_reading = threading.Event()
        self._reader = threading.Thread(target=self._read, name="lambdatop-keys", daemon=True)
        self._reader.start()
        self._resized()

    def disable_input(self) -> None:
        """Take no more keys; an answer that is under way must not become input of the shell."""
        if self._reader is None:
            return
        if self._window.answers and self._heard < self._asked:
            self._all_heard.wait(LAST_WORDS_S / 3)
        self._stop_reading.set()
        if self._reader is not threading.current_thread():
            self._reader.join(1.0)
        self._reader = None
        try:
            termios.tcflush(self._in, termios.TCIFLUSH)
        except termios.error:
            return  # nobody is there any more

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        if self._line is None:
            return
        self.disable_input()
        self.write(leaving(self._traits, mouse=self._mouse))
        line, self._line = self._line, None
        line.close(LAST_WORDS_S)
        if self._before is not None:
            try:
                termios.tcsetattr(self._in, termios.TCSANOW, self._before)
            except termios.error:
                self._before = None
        self._cells.forget()

    def close(self) -> None:
        """Leave the signals to whoever had them; the terminal was given back before."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        for number, handler in self._handlers.items():
            self._loop.remove_signal_handler(number)
            signal.signal(number, handler)
        self._handlers = {}

    # -- signals ---------------------------------------------------------------------------------

    def _watch_signals(self) -> None:
        acts: dict[int, Callable[[], None]] = {
            signal.SIGWINCH: self._resized,
            signal.SIGTSTP: self._stop,
            signal.SIGCONT: self._continue,
        }
        acts |= {number: partial(self._leave, number) for number in self._ends}
        for number, act in acts.items():
            if number not in self._handlers:
                self._handlers[number] = signal.getsignal(number)
                self._loop.add_signal_handler(number, act)

    def _resized(self) -> None:
        size = _size_of_terminal()
        if size is None:
            return
        self.post(events.Resize(Size(*size), Size(*size)))
        self._repaint()  # also when the size is what it was: it may have been another one in between

    def _leave(self, number: int) -> None:
        self._last_signal = number
        # Leaving while the first screen is being put together would look for what is not there yet.
        self._loop.call_later(0 if self._painted else LAST_WORDS_S, self._exit)

    def _exit(self) -> None:
        self.app.exit(return_code=128 + self._last_signal)

    def _stop(self) -> None:
        self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)
        # From here on it goes on, minutes later perhaps, after SIGCONT.
        self.resume_application_mode()
        self.post(self.SignalResume())

    def _continue(self) -> None:
        """Repaint after SIGSTOP, which cannot be noticed before: the shell had the terminal."""
        self.suspend_application_mode()
        self.resume_application_mode()

    # -- input -----------------------------------------------------------------------------------

    def _read(self) -> None:
        stop, read = self._stop_reading, key_reader()
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not stop.is_set():
            ready = select.select([self._in], [], [], CHECK_S)[0]
            if not ready:
                self._act_on(read(""))
                continue
            try:
                data = os.read(self._in, 4_096)
            except OSError:
                data = b""
            if not data:  # the other end is closed
                self._from_thread(partial(self._leave, signal.SIGHUP))
                return
            self._act_on(read(decode(data)))

    def _act_on(self, found: Iterable[Message]) -> None:
        for message in found:
            if isinstance(message, events.CursorPosition):
                self._heard = min(self._heard + 1, self._asked)  # Shift-F3 looks the same
                if self._heard == self._asked:
                    self._all_heard.set()
                self._from_thread(partial(self._answered, monotonic()))  # whenever the loop gets to it
            elif isinstance(message, messages.TerminalSupportsSynchronizedOutput):
                self._sync = True
            else:
                if isinstance(message, events.Key):
                    self._typed()
                self.process_message(message)


def _size_of_terminal() -> tuple[int, int] | None:
    """Return columns and lines, at least one of each; None without a terminal."""
    try:
        width, height = os.get_terminal_size(sys.__stderr__.fileno() if sys.__stderr__ else -1)
    except OSError:
        return None
    return max(1, width), max(1, height)
