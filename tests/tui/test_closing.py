"""Several keys in one piece, as a slow line delivers them: no screen closes twice or takes another along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.nightly import dealt
from fakes.screens import press, press_at_once, settle, started, text, toasts, type_ahead
from fakes.time_limit import PATIENCE_S
from rich.style import Style
from textual import events
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList

from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.app.command_line import Palette
from lambdatop.tui.closing import ClosesOnce
from lambdatop.tui.dialogs.ask import AskScreen
from lambdatop.tui.dialogs.choose import ChooseScreen
from lambdatop.tui.dialogs.confirm import ConfirmScreen
from lambdatop.tui.hotkeys import BY_ID
from lambdatop.tui.screens.dashboard import DashboardScreen
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.screens.help import HelpScreen
from lambdatop.tui.widgets.options import Options

MakeApp = Callable[..., LambdatopApp]
ENDS = (("enter", "enter"), ("enter", "escape"), ("escape", "escape"), ("escape", "enter"), ("enter",) * 3)
OPENED = {
    "value": ("C", "5"),
    "values": ("M", "x"),
    "themes": ("t",),
    "palette": ("colon",),
    "palette with words": ("ctrl+p", "j", "o", "u"),
    "palette with a command": ("colon", "h", "e", "l", "p"),
    "dialog": ("T",),
    "spend": ("dollar_sign",),
    "who": ("H",),
    "help": ("question_mark",),
    "journal": ("J",),
    "function": ("enter",),
    "errors by kind": ("4", "I"),
    "filter": ("slash", "o"),
}


def subclasses(of: type[Screen[object]]) -> set[type[Screen[object]]]:
    found = set(of.__subclasses__())
    return found.union(*(subclasses(one) for one in found)) if found else found


def test_every_screen_of_the_console_closes_once() -> None:
    ours = {s for s in subclasses(Screen) if s.__module__.startswith("lambdatop.")}
    assert len(ours) >= 10
    assert {s.__name__ for s in ours if not issubclass(s, ClosesOnce)} == set()


@pytest.mark.parametrize("opened", OPENED.values(), ids=OPENED)
async def test_the_keys_that_close_it_in_one_piece(make_app: MakeApp, opened: tuple[str, ...]) -> None:
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        for ends in dealt(ENDS, 1, " ".join(opened)):
            type_ahead(pilot, *opened, *ends)
            await settle(pilot)
            type_ahead(pilot, "escape", "escape", "escape")
            await settle(pilot)
            type_ahead(pilot, *opened)  # open first, then the keys in one piece
            await settle(pilot)
            type_ahead(pilot, *ends)
            await settle(pilot)
            assert app.is_running, ends
            assert isinstance(app.screen_stack[0], DashboardScreen)


async def test_a_value_is_given_once(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "C", "5")
        assert isinstance(app.screen, AskScreen)
        await press_at_once(pilot, "enter", "enter")
        assert isinstance(app.screen, ConfirmScreen)
        assert [name for name, _ in console.calls] == ["cap_concurrency"]


async def test_a_page_in_a_list_that_nobody_has_seen_yet(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        for keys in (("t",), ("colon",)):
            type_ahead(pilot, *keys, *["pagedown"] * 3, "pageup")
            await settle(pilot)
            assert isinstance(app.screen, ModalScreen)
            made = app.screen.query_one(OptionList)
            made.clear_options()
            await press_at_once(pilot, "pagedown", "pageup", "escape")
        assert app.is_running


def test_a_page_of_a_list_without_a_screen() -> None:
    options = Options("a", "b", "c")
    options.action_page_down()
    assert options.highlighted == 1
    options.action_page_up()
    assert options.highlighted == 0
    Options().action_page_down()


async def test_the_palette_opens_again_before_the_last_one_is_gone(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "colon")
        for _ in range(3):
            app.screen.dismiss()
            app.action_command_palette()
        await settle(pilot)
        assert isinstance(app.screen, Palette)
        assert len(app.screen_stack) == 2


async def test_a_command_of_the_palette_runs_once(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "colon", *"resume")
        await press_at_once(pilot, "enter", "enter", "enter")
        await settle(pilot)
        assert app.frame.paused_at is not None
        assert "PAUSED" in text(app)


@pytest.mark.parametrize("word", [":q", ":quit"])
async def test_the_command_that_quits_does(make_app: MakeApp, word: str) -> None:
    app = make_app()
    async with started(app) as pilot:
        type_ahead(pilot, "colon", *word[1:], "enter")
        for _ in range(100):
            if app.is_ending or not app.is_running:
                break
            await pilot._wait_for_screen(5.0)
        assert app.is_ending or not app.is_running


@pytest.mark.parametrize("more", [("enter",), ("colon", "x"), ("T", "x"), ("t", "enter"), ("question_mark",)])
async def test_what_is_typed_behind_the_key_that_quits_is_lost(
    make_app: MakeApp, more: tuple[str, ...]
) -> None:
    app = make_app()
    async with started(app) as pilot:
        type_ahead(pilot, *more[:1], "escape", "q", *more)
        for _ in range(200):
            await asyncio.sleep(0)
    assert app._exception is None


async def test_what_is_typed_while_the_screens_are_taken_down_is_lost(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        type_ahead(pilot, "exclamation_mark", "x", "s", "V")  # and then the console ends by itself
    assert app._exception is None


@pytest.mark.parametrize(
    "sent", [events.AppFocus(), events.AppBlur(), events.Paste("x"), events.Key("x", "x")]
)
async def test_what_the_terminal_sends_when_no_screen_is_left_is_lost(
    make_app: MakeApp, sent: events.Event
) -> None:
    app = make_app()
    async with started(app):
        pass
    assert app.screen_stack == []
    await app.on_event(sent)
    await app.act_on(sent)  # keys that were held back


async def test_a_page_that_is_taken_down_takes_no_key(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, FunctionScreen)
        type_ahead(
            pilot, "escape", "enter", "shift+tab", "tab", "slash", "t"
        )  # and the console ends by itself
        await app.screen.query("#logs-tail").remove()
    assert app._exception is None


async def test_a_screen_that_is_not_on_top_takes_no_other_along(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "enter")
        below = app.screen
        assert isinstance(below, FunctionScreen)
        await press(pilot, "t")
        assert isinstance(app.screen, ChooseScreen)
        below.dismiss()
        app.screen_stack[0].dismiss()
        await settle(pilot)
        assert isinstance(app.screen, ChooseScreen)
        assert below in app.screen_stack


async def test_a_list_that_was_left_shows_no_theme_any_more(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        before = app.theme
        await press(pilot, "t")
        await press_at_once(pilot, "escape", "j", "j", "j")
        assert app.theme == before


async def test_a_double_click_on_a_toast_is_no_end(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await press(pilot, "r", "r")
        assert toasts(app)
        place = next(w.region for w in app.screen.query("Toast") if w.region)
        driver = app._driver
        assert driver is not None
        for _ in range(3):
            for kind in (events.MouseDown, events.MouseUp):
                driver.process_message(kind(None, place.x + 2, place.y + 1, 0, 0, 1, False, False, False))
        await settle(pilot)
        assert app.is_running


@pytest.mark.parametrize("opened", ["ctrl+p", "t"])
async def test_a_click_on_an_option_that_was_taken_away_does_nothing(make_app: MakeApp, opened: str) -> None:
    """What was seen: the list had fewer options when the click was acted upon, and the console ended."""
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, opened)
        options = app.screen.query_one(OptionList)
        meta = Style(meta={"option": options.option_count})
        options.post_message(events.Click(options, 1, 1, 0, 0, 1, False, False, False, style=meta))
        await settle(pilot)
        assert app.is_running


async def test_a_result_is_told_although_its_dialog_is_just_closing(
    make_app: MakeApp, console: FakeConsole
) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "T", *scene.functions()[0].facts.name)
        console.held = []
        type_ahead(pilot, "enter")
        await settle(pilot)
        dialog = app.screen
        assert isinstance(dialog, ConfirmScreen)
        assert dialog.phase == "sending"
        dialog.dismiss()
        console.release()
        await press(pilot, "down")
        assert any("applied" in words for words in toasts(app))


async def test_a_size_in_between(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        for keys in dealt(tuple(OPENED.values()), len(OPENED) // 2, "a size in between"):
            type_ahead(pilot, *keys)
            await pilot.resize_terminal(20, 5)
            type_ahead(pilot, "enter", "enter", "escape", "escape", "escape")
            await pilot.resize_terminal(120, 40)
            await settle(pilot)
        assert app.is_running


async def test_a_key_for_a_screen_that_is_put_together_waits_for_it(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        app.push_screen(FunctionScreen(scene.snapshot().functions[0].facts.key))
        assert not app.screen.is_mounted
        for key, character in (("slash", "/"), ("o", "o"), ("r", "r"), ("enter", None)):
            await app.on_event(events.Key(key, character))
        await settle(pilot)
        assert isinstance(app.screen, FunctionScreen)
        assert app.screen.query_one(".filter", Input).value == "or"
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, DashboardScreen)


async def test_a_key_that_comes_back_to_another_screen_is_dropped(make_app: MakeApp) -> None:
    """What was seen: Escape and a click that opened a page, which was told to go back without its parts."""
    app = make_app()
    async with started(app) as pilot:
        key = events.Key("escape", None)
        key._set_forwarded()
        app.push_screen(FunctionScreen(scene.snapshot().functions[0].facts.key))
        await app.on_event(key)
        await settle(pilot)
        assert isinstance(app.screen, FunctionScreen)


@pytest.mark.parametrize("keys", [("slash",), ("escape",), ("x", "escape"), ("enter", "enter"), ("down",)])
@pytest.mark.parametrize("opened", ["page", "dialog"])
async def test_keys_held_back_by_a_filter_wait_for_the_screen_that_they_open(
    make_app: MakeApp, opened: str, keys: tuple[str, ...]
) -> None:
    app = make_app()
    async with started(app) as pilot:
        app._held = [events.Key(key, key if len(key) == 1 else None) for key in keys]
        if opened == "page":
            app.push_screen(FunctionScreen(scene.snapshot().functions[0].facts.key))
        else:
            app.screen.action_mitigate("throttle_to_zero")  # type: ignore[attr-defined]
        assert not app.screen.is_mounted
        await app.go_on()
        await settle(pilot)
        assert app.is_running
        assert not app._held
        assert app._exception is None


async def test_a_command_for_a_screen_that_is_put_together_waits_for_it(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        app.push_screen(FunctionScreen(scene.snapshot().functions[0].facts.key))
        await app.run_hotkey(BY_ID["filter"])
        await settle(pilot)
        assert isinstance(app.focused, Input)


async def test_input_is_not_held_for_a_screen_that_is_closed_before_it_is_there(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with started(app) as pilot:
        app.push_screen(FunctionScreen(scene.snapshot().functions[0].facts.key))
        type_ahead(pilot, "question_mark")
        app.pop_screen()
        async with asyncio.timeout(PATIENCE_S):
            while app._held is not None or not isinstance(app.screen, HelpScreen):
                await pilot.pause()
