"""Looking at the console from a test.

`Pilot.press` waits until the process idles, which costs 50 ms a key. These helpers send the same events
through the driver and wait until every queue of the screen has run dry, which takes a few.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from fakes.fake_console import FakeConsole
from msgspec.structs import replace
from textual.events import Key as KeyEvent
from textual.keys import _character_to_key
from textual.pilot import Pilot

from lambdatop.domain.keys import Key
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.app.type_ahead import TypeAhead
from lambdatop.tui.dialogs.confirm import ConfirmScreen
from lambdatop.tui.panes.functions import FunctionsPane
from lambdatop.tui.screens.dashboard import DashboardScreen
from lambdatop.tui.widgets.keyed_table import KeyedTable

CHARACTERS = {
    "dollar_sign": "$",
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "left_square_bracket": "[",
    "space": " ",
}
ROUNDS, QUIET = 100, 2


@asynccontextmanager
async def started(app: LambdatopApp, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    """Yield the running app after its first snapshot."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        app.take_snapshot()
        await settle(pilot)
        yield pilot


async def settle(pilot: Pilot[None]) -> None:
    """Wait until no node of the screen has a message left."""
    quiet = 0
    for _ in range(ROUNDS):
        await pilot._wait_for_screen()
        if not pilot.app.is_running:
            return
        nodes = [pilot.app, *pilot.app.screen.walk_children(with_self=True)]
        idle = all(n._message_queue.empty() and not n._next_callbacks for n in nodes)
        quiet = quiet + 1 if idle else 0
        if quiet >= QUIET:
            break
        pilot.app.screen._on_timer_update()
    pilot.app.screen._on_timer_update()


def _send(pilot: Pilot[None], key: str) -> None:
    driver = pilot.app._driver
    assert driver is not None
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    event = KeyEvent(name, key if len(key) == 1 else CHARACTERS.get(key))
    event.set_sender(pilot.app)
    driver.send_message(event)


def type_ahead(pilot: Pilot[None], *keys: str) -> None:
    """Send keys in one piece, without waiting."""
    for key in keys:
        _send(pilot, key)


async def press_at_once(pilot: Pilot[None], *keys: str) -> None:
    """Send keys in one piece, as a slow line delivers what was typed ahead."""
    for key in keys:
        _send(pilot, key)
    await settle(pilot)
    while isinstance(pilot.app, TypeAhead) and pilot.app._held is not None and pilot.app.is_running:
        await settle(pilot)
    await pilot.app.workers.wait_for_complete()
    await settle(pilot)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other, each with all its consequences."""
    for key in keys:
        _send(pilot, key)
        await settle(pilot)
    await pilot.app.workers.wait_for_complete()
    await settle(pilot)


def text(app: LambdatopApp) -> str:
    """Return the terminal's content, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def toasts(app: LambdatopApp) -> list[str]:
    """Return the messages of all toasts so far."""
    return [n.message for n in app._notifications]


def dashboard(app: LambdatopApp) -> DashboardScreen:
    """Return the screen at the bottom."""
    screen = app.screen_stack[0]
    assert isinstance(screen, DashboardScreen)
    return screen


def functions(app: LambdatopApp) -> FunctionsPane:
    """Return the pane of hot functions."""
    return dashboard(app).query_one(FunctionsPane)


def table(app: LambdatopApp, pane: str) -> KeyedTable[Any]:
    """Return the table of one pane."""
    found = dashboard(app).pane(pane).focus_target
    assert isinstance(found, KeyedTable)
    return found


def selected(app: LambdatopApp) -> str:
    """Return the name of the selected function."""
    key = functions(app).selection().function
    assert key is not None
    return key.id


def order(app: LambdatopApp) -> list[str]:
    """Return the names of the functions in their order on screen."""
    return [cast(Key, k).id for k in functions(app).table.row_keys]


def show(app: LambdatopApp, console: FakeConsole, snapshot: Snapshot) -> None:
    """Publish a snapshot and let the app read it."""
    console.snapshot = replace(snapshot, seq=console.snapshot.seq + 1)
    app.take_snapshot()


def dialog(app: LambdatopApp) -> ConfirmScreen:
    """Return the open confirm dialog."""
    assert isinstance(app.screen, ConfirmScreen)
    return app.screen
