"""`:` and a word: done however fast it is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fakes.fake_console import FakeConsole
from fakes.screens import dashboard, press, settle, started, toasts, type_ahead
from fakes.time_limit import PATIENCE_S
from textual import events
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.app.command_line import Palette
from lambdatop.tui.app.login import NO_LOGIN
from lambdatop.tui.panes.registry import PANES
from lambdatop.tui.screens.journal import JournalScreen

MakeApp = Callable[..., LambdatopApp]


@pytest.mark.parametrize("typed", ["login", ":LOGIN"])
async def test_a_word_typed_in_one_piece_is_done(make_app: MakeApp, typed: str) -> None:
    app = make_app()
    async with started(app) as pilot:
        type_ahead(pilot, "colon", *("colon" if k == ":" else k for k in typed), "enter")
        await until(pilot, lambda: bool(toasts(app)))
        assert toasts(app) == [NO_LOGIN]
        assert not isinstance(app.screen, CommandPalette)


async def test_another_word_opens_its_screen(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        type_ahead(pilot, "colon", *"journal", "enter")
        await until(pilot, lambda: isinstance(app.screen, JournalScreen))


@pytest.mark.parametrize("pane", [spec.name for spec in PANES])
async def test_the_name_of_a_pane_shows_it(make_app: MakeApp, pane: str) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "3" if pane != "quotas" else "1")
        type_ahead(pilot, "colon", *pane, "enter")
        await until(pilot, lambda: dashboard(app).active == pane)


async def test_a_pane_that_is_named_on_another_page_says_where_it_is(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "J")
        type_ahead(pilot, "colon", *"storms", "enter")
        await until(pilot, lambda: bool(toasts(app)))
        assert toasts(app) == ["storms: works on the dashboard only."]


async def test_what_was_typed_before_the_palette_closed_starts_no_search_in_it(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "colon")
        await until(pilot, lambda: isinstance(app.focused, Input))
        palette, line = app.screen, app.screen.query_one(Input)
        assert isinstance(palette, CommandPalette)
        searches: list[object] = []
        monkeypatch.setattr(palette, "run_worker", lambda work, **_: searches.append(work))
        palette.dismiss()
        for typed in "jou":
            palette.post_message(Input.Changed(line, typed))
        await until(pilot, lambda: not palette.is_attached)
        assert searches == []


async def test_a_search_whose_list_is_taken_down_does_not_end_the_console(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "colon")
        await until(pilot, lambda: isinstance(app.focused, Input))
        palette, line = app.screen, app.screen.query_one(Input)
        await palette.query_one(CommandList).remove()
        palette.post_message(Input.Changed(line, "jou"))
        await pilot.pause()
        await app.workers.wait_for_complete()
    # `run_test` raises what has ended the console.


async def test_login_suspends_the_console_and_connects_anew(
    make_app: MakeApp, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    order: list[str] = []

    @contextmanager
    def suspended() -> Iterator[None]:
        order.append("away")
        yield
        order.append("back")

    def login() -> str:
        order.append("login")
        return "Connecting with the new credentials."

    monkeypatch.setattr(app, "suspend", suspended)
    app.login = login
    async with started(app) as pilot:
        await press(pilot, "ctrl+l")
        assert order == ["away", "login", "back"]
        assert console.reconnected == 1
        assert toasts(app) == ["Connecting with the new credentials."]


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await pilot.pause(0.01)


async def test_keys_for_a_palette_whose_line_lost_the_focus_are_acted_upon(make_app: MakeApp) -> None:
    """What was seen: each waited for the focus, which did not come back; the last one was Ctrl-C."""
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "ctrl+p")
        palette = app.screen
        assert isinstance(palette, Palette)
        palette.set_focus(None)
        await press(pilot, "escape")
        await until(pilot, lambda: app.screen is not palette)


async def test_the_palette_takes_keys_after_the_terminal_was_left(make_app: MakeApp) -> None:
    """What was seen: without a report of the return all keys were held back and dropped, Ctrl-C too."""
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "colon")
        app.post_message(events.AppBlur())
        await settle(pilot)
        await press(pilot, "escape")
        await until(pilot, lambda: not isinstance(app.screen, CommandPalette))
