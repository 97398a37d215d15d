"""Keys that are typed faster than the console acts on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fakes.screens import (
    dashboard,
    functions,
    press,
    press_at_once,
    selected,
    settle,
    started,
    text,
    toasts,
)
from fakes.screens import type_ahead as typed
from fakes.time_limit import PATIENCE_S
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from lambdatop.tui.app import type_ahead
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.panes.base import Pane
from lambdatop.tui.screens.help import HelpScreen

MakeApp = Callable[..., LambdatopApp]


class BusyPanes:
    """Panes that hear of a line's Enter only once `released` is set; and how often the console looked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.released = asyncio.Event()
        self._looked = asyncio.Event()
        self.looks = 0
        submitted, look = Pane.on_input_submitted, LambdatopApp._check_held

        async def wait(pane: Pane, event: Input.Submitted) -> None:
            await self.released.wait()
            submitted(pane, event)

        async def counted(app: LambdatopApp) -> None:
            await look(app)
            self.looks += 1
            self._looked.set()

        monkeypatch.setattr(Pane, "on_input_submitted", wait)
        monkeypatch.setattr(LambdatopApp, "_check_held", counted)
        monkeypatch.setattr(type_ahead, "CHECK_S", 0.001)

    def __enter__(self) -> BusyPanes:
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for what a look brings about."""
        async with asyncio.timeout(PATIENCE_S):
            while not happened():
                self._looked.clear()
                await self._looked.wait()

    async def looked(self, times: int) -> None:
        await self.until(lambda: self.looks >= times)


async def test_keys_behind_a_filter_wait_for_a_line_that_is_busy(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen: on a busy machine the keys behind Enter were typed into the line after a second."""
    app = make_app()
    async with started(app) as pilot:
        with BusyPanes(monkeypatch) as busy:
            typed(pilot, "slash", *"checkout", "enter", "question_mark")
            await busy.looked(50)
            assert functions(app).query_one(".filter", Input).value == "checkout"
            busy.released.set()
            await settle(pilot)
            assert isinstance(app.screen, HelpScreen)
            await press(pilot, "escape")
            assert "1 of 14" in text(app)


async def test_an_enter_before_cuts_no_wait_short(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen: the limit of an Enter just before ended the wait of the next one."""
    app = make_app()
    async with started(app) as pilot:
        with BusyPanes(monkeypatch) as busy:
            busy.released.set()
            await press_at_once(pilot, "slash", *"check", "enter")
            busy.released.clear()
            typed(pilot, "slash", *"out", "enter", "question_mark")
            await busy.looked(busy.looks + 50)
            assert functions(app).query_one(".filter", Input).value == "out"
            busy.released.set()
            await settle(pilot)
            assert isinstance(app.screen, HelpScreen)


async def test_keys_held_back_too_long_are_dropped_and_said_so(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with started(app) as pilot:
        with BusyPanes(monkeypatch) as busy:
            typed(pilot, "slash", *"checkout", "enter", "question_mark", "T")
            await busy.until(lambda: app._line is not None and len(app._held or ()) == 2)
            monkeypatch.setattr(type_ahead, "LONGEST_S", app._held_for_s + 0.02)
            await busy.looked(busy.looks + 15)
            await busy.until(lambda: app._held is None)  # nothing is looked at any more
            busy.released.set()
            await settle(pilot)
            assert any("were dropped" in words for words in toasts(app))
            assert functions(app).query_one(".filter", Input).value == "checkout"
            await press(pilot, "question_mark")
            assert isinstance(app.screen, HelpScreen)


async def test_keys_go_on_where_the_line_lost_the_focus(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with started(app) as pilot:
        with BusyPanes(monkeypatch) as busy:
            typed(pilot, "slash", *"checkout", "enter", "question_mark")
            await busy.looked(5)
            app.screen.set_focus(None)
            await busy.until(lambda: app._held is None)
            busy.released.set()
            await settle(pilot)
            assert isinstance(app.screen, HelpScreen)
            assert app.is_running


async def test_what_an_earlier_wait_announces_ends_no_later_one(make_app: MakeApp) -> None:
    """What was seen: behind `:journal` Enter, `/` was let through before an Escape had closed the page."""
    app = make_app()
    async with started(app) as pilot:
        earlier = app.wait_behind(app)
        assert app._held is not None
        app._held.append(events.Key("question_mark", "?"))
        later = app.wait_behind(functions(app))
        app._pass(earlier, functions(app))
        await app._come(earlier)
        await app.go_on()
        await settle(pilot)
        assert app._held
        app._pass(later, functions(app))
        await settle(pilot)
        assert isinstance(app.screen, HelpScreen)
        assert app._held is None


async def test_control_c_waits_behind_no_keys(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    async with started(app) as pilot:
        with BusyPanes(monkeypatch):
            typed(pilot, "slash", *"checkout", "enter", "question_mark", "ctrl+c")
            await settle(pilot)
            assert app.is_ending
            assert not isinstance(app.screen, HelpScreen)


Told = tuple[list[str], dict[str, str], str, str]


async def _after(app: LambdatopApp, pilot: Pilot[None]) -> Told:
    """Return the open screen, the filters, the active pane and the selected function."""
    async with asyncio.timeout(PATIENCE_S):
        while app._held is not None or app._early:
            await settle(pilot)
    await settle(pilot)
    await app.workers.wait_for_complete()
    filters = {pane.spec.name: pane.query_one(".filter", Input).value for pane in dashboard(app).query(Pane)}
    opened = [type(screen).__name__ for screen in app.screen_stack]
    return opened, filters, dashboard(app).active, selected(app)


@pytest.mark.parametrize(
    "keys",
    [
        ("2", "slash", *"orders", "enter"),
        ("5", "colon", *"journal", "enter"),
        ("enter", "slash", *"checkout", "enter"),
        ("escape", "slash", *"checkout", "enter", "T"),
        ("slash", *"check", "enter", "slash", "end", *"out", "enter", "T"),
        ("slash", *"checkoux", "backspace", *"t", "enter", "T"),
        ("slash", *"check", "escape", "slash", *"orders", "enter", "T"),
        ("slash", *"check", "escape", "T"),
        ("slash", *"check", "enter", "colon", *"journal", "enter"),
        ("slash", *"check", "enter", "colon", *"journal", "enter", "escape", "slash", *"checkout", "enter"),
        ("colon", "escape", "slash", *"checkout", "enter", "T"),
        ("T", "escape", "slash", *"checkout", "enter", "T"),
    ],
    ids=" ".join,
)
async def test_keys_in_one_piece_do_what_they_do_one_by_one(
    make_app: MakeApp, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type_ahead, "LONGEST_S", 600.0)  # a busy machine drops none of them
    told: list[Told] = []
    for send in (press, press_at_once):
        app = make_app()
        async with started(app) as pilot:
            await press(pilot, "slash", *"orders", "enter")
            await send(pilot, *keys)
            told.append(await _after(app, pilot))
    assert told[1] == told[0]
