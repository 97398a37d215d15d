"""Keys, pastes, mouse and sizes, several in one packet, into the real console without a terminal.

An input is one packet: what a slow line delivers in one read, and what happens beside it (a new snapshot,
another size, an answer of the engine that comes late). Packets go through the same parser as a terminal's, to
one console that lives for LIFE packets; a fault names all packets since it was started.
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from msgspec.structs import replace
from textual import events, messages
from textual.geometry import Size

from lambdatop.config.theme_file import Themes, load_themes
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.tui._textual import key_reader
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.app.command_line import COMMANDS
from lambdatop.tui.panes.registry import ALL_HOTKEYS

LIFE = 1_000
"""Packets that one console gets."""
PATIENCE_S = 20.0
"""How long a packet may take on a busy machine before the console counts as stuck."""
TURNS = (0, 1, 3, 10, 40)
"""Turns of the event loop that a packet is given before the next one comes; 0 waits for all to be done."""
RESTLESS = 5_000
"""Turns after which a console that is never done is one that lays out or paints the same for ever."""
QUIET = 5
"""Turns in which nothing happens, after which nothing will: a message between two queues is in neither."""
SIZES = ((80, 24), (120, 40), (40, 10), (160, 50), (20, 5), (100, 30))

_KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "space": " ",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "left": "\x1b[D",
    "right": "\x1b[C",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "delete": "\x1b[3~",
    "shift+tab": "\x1b[Z",
    "ctrl+home": "\x1b[1;5H",
    "ctrl+end": "\x1b[1;5F",
    "f1": "\x1bOP",
}
_CONTROL = "\x01\x02\x04\x05\x06\x07\x0b\x0e\x10\x12\x13\x14\x15\x16\x17\x18\x19\x1a"
_OTHER = (
    "\x1b[I",
    "\x1b[O",
    "\x1b[200~",
    "\x1b[201~",
    "\x1b[<",
    "\x1b[999;999R",
    "\x00",
    "\x9b",
    "\u202e",
)
_LETTERS = "".join(h.keys for h in ALL_HOTKEYS if len(h.keys) == 1 and h.id != "quit") + ":/?$[]+-=,f"
_COMMANDS = tuple(name for name in COMMANDS if name not in ("q", "quit"))
_WORDS = (*_COMMANDS, "orders", "orders-worker", "5", "none", "batch_size=5", "!x", "(", "x", "no such thing")


class Packet(NamedTuple):
    """What comes at once: text as a terminal sends it, other sizes, another snapshot, the engine's answers.

    `turns` is how many turns of the loop follow; `answers` is "" (at once), "held", "released" or "failed".
    """

    text: str
    sizes: tuple[tuple[int, int], ...]
    look: int
    answers: str
    turns: int


def make(rng: random.Random) -> Packet:
    """Return a packet of mostly one to four keys, chosen so that dialogs, lists and lines are often open."""
    text = "".join(_piece(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))))
    return Packet(
        text,
        tuple(rng.choices(SIZES, k=rng.choice((1, 2, 8)))) if rng.random() < 0.03 else (),
        rng.randrange(len(snapshots())) if rng.random() < 0.1 else -1,
        rng.choice(("held", "released", "failed")) if rng.random() < 0.08 else "",
        rng.choice(TURNS),
    )


def _piece(rng: random.Random) -> str:
    sort = rng.random()
    if sort < 0.30:
        return rng.choice(("\r", "\r", "\r\r", "\x1b", "\x1b[6~", "\x1b[5~", "\x1b[B", "\x1b[A"))
    if sort < 0.62:
        return rng.choice(_LETTERS)
    if sort < 0.70:
        return (
            rng.choice((":", "\x10", "/", "f"))
            + rng.choice(_WORDS)
            + rng.choice(("", "\r", "\r\r", "\x1b", "\r\x1b"))
        )
    if sort < 0.78:
        return rng.choice(list(_KEYS.values())) * rng.choice((1, 1, 2, 3))
    if sort < 0.88:
        return _mouse(rng)
    if sort < 0.91:
        return rng.choice(_CONTROL)
    if sort < 0.94:
        return rng.choice(_WORDS)
    if sort < 0.96:
        return "\x1b[200~" + rng.choice(_WORDS) * rng.choice((1, 50)) + "\n\x1b[201~"
    if sort < 0.999:
        return rng.choice(_OTHER) + chr(rng.choice((0x41, 0x300, 0x4E00, 0x1F600, 0xE000, 0x1B)))
    return rng.choice(("q", "\x03", "\x11", ":q\r", ":quit\r"))


def _mouse(rng: random.Random) -> str:
    x, y = rng.randrange(1, 90), rng.randrange(1, 28)
    button = rng.choice((0, 0, 0, 2, 35, 64, 65))
    if button >= 35:
        return f"\x1b[<{button};{x};{y}M"
    return f"\x1b[<{button};{x};{y}M\x1b[<{button};{x};{y}m" * rng.choice((1, 2, 2, 3))


@cache
def snapshots() -> tuple[Snapshot, ...]:
    """Return what the engine may publish next: all, nothing, fewer functions, no logs."""
    whole = scene.snapshot()
    return (
        whole,
        EMPTY_SNAPSHOT,
        replace(whole, functions=whole.functions[:1], findings=(), storms=(), incidents=()),
        replace(whole, functions=whole.functions[::-1], logs={}),
        replace(whole, mappings=(), queues=(), quotas=(), journal=()),
    )


@cache
def _themes() -> Themes:
    return load_themes([Path(__file__).parents[2] / "themes"])


class Fault(AssertionError):
    """The console ended, or stood still; names every packet since it was started."""


class Fed:
    """One console and the loop that it lives on."""

    def __init__(self) -> None:
        os.environ["TEXTUAL_ANIMATIONS"] = "none"
        self._loop = asyncio.new_event_loop()
        self._packets: asyncio.Queue[Packet | None] = asyncio.Queue()
        self._done: asyncio.Queue[BaseException | None] = asyncio.Queue()
        self._console = FakeConsole(snapshots()[0])
        self._read = key_reader()
        self.app = LambdatopApp(
            self._console,
            Settings(),
            now=lambda: scene.NOW,
            themes=_themes(),
            arm_s=0.0,
            save_log=lambda name, lines: "saved",
        )
        self.app.login = lambda: "logged in"
        self.packets: list[Packet] = []
        self.events = 0
        self._life = self._loop.create_task(self._live())
        self._loop.run_until_complete(self._done.get())

    def feed(self, packet: Packet) -> bool:
        """Feed one packet; whether the console still runs (it may have been quit)."""
        self.packets.append(packet)
        self._packets.put_nowait(packet)
        try:
            error = self._loop.run_until_complete(asyncio.wait_for(self._done.get(), PATIENCE_S))
        except TimeoutError as late:
            self._life.cancel()
            self._take_down()
            raise Fault(f"stood still after {self.packets!r}") from late
        if error is not None:
            self._take_down()
            raise Fault(f"ended after {self.packets!r}") from error
        return self.app.is_running and not self._life.done()

    def _take_down(self) -> None:
        """End what is left of a console that has failed; what else goes wrong then is no news."""
        with suppress(Exception, asyncio.CancelledError):
            self._loop.run_until_complete(asyncio.wait_for(self._life, PATIENCE_S))
        self._loop.close()

    def close(self) -> None:
        """End it; an error that comes then is a fault as well."""
        try:
            if not self._life.done():
                self._packets.put_nowait(None)
                self._loop.run_until_complete(asyncio.wait_for(self._life, PATIENCE_S))
        except Exception as error:
            raise Fault(f"did not end well after {self.packets!r}") from error
        finally:
            self._loop.close()

    async def _live(self) -> None:
        """Make this task the one that the app runs in: Textual's context belongs to it."""
        async with self.app.run_test(size=SIZES[0], notifications=True) as pilot:
            await pilot.pause()
            self._done.put_nowait(None)
            while (packet := await self._packets.get()) is not None:
                try:
                    await self._take(packet, pilot)
                except Exception as error:
                    self._done.put_nowait(error)
                    return
                if self.app._exception is not None:
                    self._done.put_nowait(self.app._exception)
                    self.app._exception = None
                    return
                self._done.put_nowait(None)

    async def _take(self, packet: Packet, pilot: Any) -> None:
        self._beside(packet)
        driver = self.app._driver
        assert driver is not None
        for message in self._read(packet.text):
            if not isinstance(message, events.CursorPosition | messages.TerminalSupportsSynchronizedOutput):
                self.events += 1
                driver.process_message(message)
        for _ in range(packet.turns):
            await asyncio.sleep(0)
        if packet.turns == 0 and self.app.is_running:
            await self._settle()

    def _beside(self, packet: Packet) -> None:
        if packet.look >= 0:
            self._console.snapshot = replace(snapshots()[packet.look], seq=self._console.snapshot.seq + 1)
            self.app.take_snapshot()
        if packet.answers == "held":
            self._console.held = self._console.held or []
        elif packet.answers == "released":
            self._console.failure = None
            self._console.release()
        elif packet.answers == "failed":
            self._console.failure = LambdatopError("The request was throttled.")
        for wide, high in packet.sizes:
            size = Size(wide, high)
            assert self.app._driver is not None
            self.app._driver._size = size
            self.app.post_message(events.Resize(size, size))

    async def _settle(self) -> None:
        """Wait until no queue of the screen has held anything for QUIET turns.

        Raises:
            AssertionError: that never comes.
        """
        quiet = 0
        for _ in range(RESTLESS):
            await asyncio.sleep(0)
            if not self.app.is_running or not self.app.screen_stack:
                return
            nodes = [self.app, *self.app.screen.walk_children(with_self=True)]
            idle = all(n._message_queue.empty() and not n._next_callbacks for n in nodes)
            quiet = quiet + 1 if idle else 0
            if quiet >= QUIET:
                return
        raise AssertionError("it never comes to rest")


_fed: Fed | None = None


def one(data: Packet) -> int:
    """Feed a packet to the console that is open, and begin a new one after LIFE of them.

    How many keys, clicks and other events it was for the console.

    Raises:
        Fault: the console ended by itself or stood still.
    """
    global _fed
    fed = _fed or Fed()
    _fed = None
    before = fed.events
    alive = fed.feed(data)
    if alive and len(fed.packets) < LIFE:
        _fed = fed
    else:
        fed.close()
    return fed.events - before


def finish() -> None:
    """End the console that is open."""
    global _fed
    fed, _fed = _fed, None
    if fed is not None:
        fed.close()
