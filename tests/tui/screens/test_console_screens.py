from __future__ import annotations

from collections.abc import Callable

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import press, settle, show, started, text, toasts
from msgspec.structs import replace

from lambdatop.domain.settings.settings import Screen as ScreenSettings
from lambdatop.domain.settings.settings import Settings
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.choose import ChooseScreen
from lambdatop.tui.screens.dashboard import DashboardScreen
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.screens.help import HelpScreen
from lambdatop.tui.screens.journal import JournalScreen

MakeApp = Callable[..., LambdatopApp]
NARROW, WIDE = (80, 24), (200, 60)


# -- screens ---------------------------------------------------------------------------------------


async def test_who_opens_a_function_asks_for_what_invokes_it(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        console.watched = frozenset()  # the dashboard has watched it all the time: that is no news
        await press(pilot, "enter")
        assert isinstance(app.screen, FunctionScreen)
        assert {key.id for key in console.watched} == {app.screen.function.id if app.screen.function else ""}


async def test_enter_opens_the_function_in_full(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    console.snapshot = scene.snapshot(
        journal=(scene.entry("m-1", "applied", target=scene.key("function", "orders-worker")),)
    )
    async with started(app, WIDE) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, FunctionScreen)
        shown = text(app)
        await press(pilot, "G")
        shown += text(app)
        for words in ("python3.13", "arn:aws:lambda", "error rate %", "maxReceiveCount 3 < 5", "KeyError",
                      "orders-dlq (DLQ)", "dlq_growth_per_min", "10 reserved → 0 (throttled"):  # fmt: skip
            assert words in shown, words
        await press(pilot, "j", "G", "g", "tab")
        assert app.focused is not None
        assert app.focused.id == "logs-tail"
        await press(pilot, "escape")
        assert isinstance(app.screen, DashboardScreen)


async def test_a_function_that_vanishes_while_open_says_so(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "enter")
        show(app, console, replace(console.snapshot, functions=()))
        await settle(pilot)
        assert "no longer in the list" in text(app)


async def test_help_comes_from_the_table(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, (120, 100)) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        for words in ("throttle the function to zero", "Shift-Tab", "Ctrl-D", "confirm, where no typed name"):
            assert words in text(app)
        await press(pilot, "question_mark")
        assert isinstance(app.screen, DashboardScreen)


async def test_palette_finds_and_runs_a_key(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "colon", *"journal")
        await settle(pilot)
        await press(pilot, "escape", "escape", "ctrl+p")
        assert len(app.screen_stack) == 2


async def test_theme_picker_previews_and_escape_goes_back(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        assert app.theme == "midnight"
        await press(pilot, "t")
        assert isinstance(app.screen, ChooseScreen)
        await press(pilot, "j", "j")
        assert app.theme == "paper"
        await press(pilot, "escape")
        assert app.theme == "midnight"
        await press(pilot, "t", "j", "enter")
        assert app.theme == "mono"


async def test_an_unknown_theme_is_one_message_and_the_default(make_app: MakeApp) -> None:
    app = make_app(settings=Settings(screen=ScreenSettings(theme="papper")))
    async with started(app):
        assert app.theme == "midnight"
        assert any("did you mean paper" in t for t in toasts(app))


async def test_journal_lists_open_intents_first_and_the_banner_calls(
    make_app: MakeApp, console: FakeConsole
) -> None:
    entries = (scene.entry("m-old", "open"), scene.entry("m-new", "applied", at=scene.NOW - 60))
    console.snapshot = scene.snapshot(journal=entries)
    app = make_app()
    async with started(app, NARROW) as pilot:
        assert "1 mutation without outcome: press J" in text(app)
        await press(pilot, "J")
        assert isinstance(app.screen, JournalScreen)
        assert app.screen.table.row_keys == ["m-old", "m-new"]
        assert "the process ended before the outcome was written" in text(app)
        await press(pilot, "u")
        assert console.calls == []
        assert any("cannot be undone" in t for t in toasts(app))
        await press(pilot, "j", "u")
        assert console.calls == [("undo", "m-new")]


async def test_the_function_page_names_who_pushes_to_it(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "2", "G", "enter")
        shown = text(app)
        for words in ("s3 uploads  push async", "2 retries (throttled: up to 6 h), then dropped"):
            assert words in shown, words
