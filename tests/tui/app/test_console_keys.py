from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import console_scene as scene
from fakes.fake_console import Clock, FakeConsole
from fakes.screens import (
    dashboard,
    functions,
    order,
    press,
    press_at_once,
    selected,
    settle,
    show,
    started,
    table,
    text,
    toasts,
)
from msgspec.structs import replace
from textual.widgets import Input

from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot, SourceRow
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.confirm import ConfirmScreen
from lambdatop.tui.panes.logs import LogsPane
from lambdatop.tui.panes.registry import PANES
from lambdatop.tui.screens.base import layout_for
from lambdatop.tui.screens.dashboard import DashboardScreen

MakeApp = Callable[..., LambdatopApp]
NARROW, WIDE = (80, 24), (200, 60)


# -- first paint, layouts --------------------------------------------------------------------------


async def test_paints_before_anything_is_known(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = EMPTY_SNAPSHOT
    app = make_app()
    async with started(app) as pilot:
        assert "connecting…" in text(app)
        show(app, console, scene.snapshot())
        await settle(pilot)
        assert "connecting…" not in text(app)
        assert "orders-worker" in text(app)


async def test_a_failed_connection_is_words_not_an_exit(make_app: MakeApp, console: FakeConsole) -> None:
    row = SourceRow("connection", "failed", None, "The token has expired: run aws sso login.")
    console.snapshot = Snapshot(seq=1, at=scene.NOW, sources=(row,))
    app = make_app()
    async with started(app):
        assert text(app).count("The token has expired: run aws sso login.") >= 5
        assert app.is_running


@pytest.mark.parametrize(
    ("size", "name"),
    [((200, 60), "wide"), ((120, 40), "medium"), ((80, 24), "compact"), ((200, 20), "compact")],
)
def test_layout_follows_the_size(size: tuple[int, int], name: str) -> None:
    assert layout_for(*size) == name


async def test_wide_shows_all_panes_narrow_one_and_resizing_is_live(make_app: MakeApp) -> None:
    app = make_app()
    titles = ("hot functions", "retry storms", "quota headroom", "log tail", "findings")
    async with started(app) as pilot:
        assert all(t in text(app) for t in titles)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "hot functions" in text(app)
        assert "retry storms" not in text(app)
        assert "CRIT" in text(app)  # the strip of findings stays
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        assert all(t in text(app) for t in titles)


async def test_narrow_panes_by_number_and_tab(make_app: MakeApp) -> None:
    app = make_app()
    titles = {
        "1": "hot functions",
        "2": "retry storms",
        "3": "quota headroom",
        "4": "log tail",
        "5": "5 findings",
    }
    async with started(app, NARROW) as pilot:
        for key in ("2", "3", "4", "5", "1"):
            await press(pilot, key)
            assert f"─{key} " in text(app)
            assert titles[key] in text(app)
        await press(pilot, "tab")
        assert dashboard(app).active == "storms"
        await press(pilot, "shift+tab", "shift+tab")
        assert dashboard(app).active == PANES[-1].name


async def test_zoom_and_back(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "2", "z")
        assert "hot functions" not in text(app)
        await press(pilot, "escape")
        assert "hot functions" in text(app)


# -- selection -------------------------------------------------------------------------------------


async def test_selection_follows_the_function_not_the_row(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "j", "j")
        assert selected(app) == "clickstream-fold"
        rows = tuple(replace(r, heat=100 - r.heat) for r in console.snapshot.functions)
        show(app, console, replace(console.snapshot, functions=tuple(reversed(rows))))
        await settle(pilot)
        assert selected(app) == "clickstream-fold"
        assert functions(app).table.row_keys[0] != functions(app).table.cursor_key
        await press(pilot, "s", "s", "S")
        assert selected(app) == "clickstream-fold"


async def test_a_function_that_is_gone_gives_way_to_its_neighbour(
    make_app: MakeApp, console: FakeConsole
) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "j")
        show(app, console, replace(console.snapshot, functions=console.snapshot.functions[:1]))
        await settle(pilot)
        assert selected(app) == "orders-worker"
        show(app, console, replace(console.snapshot, functions=()))
        await settle(pilot)
        assert functions(app).table.cursor_key is None
        await press(pilot, "T", "enter")
        assert any("Select a function first" in t for t in toasts(app))


async def test_until_there_is_a_ranking_the_first_row_is_selected(
    make_app: MakeApp, console: FakeConsole
) -> None:
    cold = tuple(sorted((replace(r, heat=0.0) for r in scene.functions()), key=lambda r: r.facts.name))
    console.snapshot = scene.snapshot(functions=cold)
    app = make_app()
    async with started(app) as pilot:
        assert selected(app) == "audit-writer"
        show(app, console, scene.snapshot())
        await settle(pilot)
        assert selected(app) == "orders-worker"
        assert dashboard(app).query_one(LogsPane).function == scene.key("function", "orders-worker")


async def test_log_and_engine_follow_the_selection_of_any_pane(
    make_app: MakeApp, console: FakeConsole
) -> None:
    app = make_app()
    async with started(app) as pilot:
        assert {k.id for k in console.watched} == {"orders-worker"}
        await press(pilot, "j")
        assert {k.id for k in console.watched} == {"checkout-api"}
        await press(pilot, "2", "j")
        assert {k.id for k in console.watched} == {"email-sender"}
        assert "4 log tail  email-sender" in text(app)


# -- moving, sorting, filtering --------------------------------------------------------------------


async def test_moving_keys(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        for keys, name in (("G", "nightly-report"), ("g", "orders-worker"), ("down", "checkout-api"),
                           ("up", "orders-worker"), ("ctrl+d", None), ("ctrl+u", "orders-worker"),
                           ("pagedown", "nightly-report"), ("home", "orders-worker"),
                           ("end", "nightly-report"), ("pageup", "orders-worker")):  # fmt: skip
            await press(pilot, keys)
            assert name is None or selected(app) == name, keys


async def test_sort_shows_its_column(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        assert "heat▾" in text(app)
        await press(pilot, "s")
        assert "function▴" in text(app)
        names = order(app)
        assert names == sorted(names)
        await press(pilot, "S")
        assert "function▾" in text(app)


async def test_filter_the_full_set_inverse_literal_and_clear(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, NARROW) as pilot:
        await press(pilot, "slash", *"orders")
        assert "1 of 14" in text(app)
        assert order(app) == ["orders-worker"]
        await press(pilot, "enter", "j")
        assert "1 of 14" in text(app)
        await press(pilot, "escape")
        assert "1 of 14" not in text(app)
        await press(pilot, "slash", "!", *"worker", "enter")
        assert "13 of 14" in text(app)
        await press(pilot, "escape", "slash", "left_square_bracket", "enter")
        assert "(literal)" in text(app)
        assert "0 of 14" in text(app)
        assert "nothing matches" in text(app)


async def test_letters_in_the_filter_line_are_no_hotkeys(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "slash", *"qTPDuJp")
        assert functions(app).query_one(Input).value == "qTPDuJp"
        assert app.is_running
        assert console.calls == []
        assert len(app.screen_stack) == 1


def colour_of(app: LambdatopApp, words: str) -> object:
    """Return the colour in which the screen shows some words."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if words in segment.text and segment.style is not None:
                return segment.style.color
    raise AssertionError(f"{words} is not on the screen")


async def test_the_title_of_the_pane_with_the_focus_stands_out(make_app: MakeApp) -> None:
    """Although its text does not change when the focus does."""
    app = make_app()
    async with started(app, (200, 60)) as pilot:
        with_focus, without = colour_of(app, "hot functions"), colour_of(app, "retry storms")
        assert with_focus != without
        await press(pilot, "2")
        assert colour_of(app, "hot functions") == without
        assert colour_of(app, "retry storms") == with_focus


async def test_storms_and_findings_filter_too(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "2", "slash", *"kinesis", "enter")
        assert len(table(app, "storms").row_keys) == 1
        await press(pilot, "5", "slash", *"throttled", "enter")
        assert "1 of 3" in text(app)


# -- pause, refresh, quit --------------------------------------------------------------------------


async def test_pause_freezes_the_display(make_app: MakeApp, console: FakeConsole, clock: Clock) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "p")
        paused = text(app)
        clock.at += 34
        show(app, console, scene.snapshot(functions=()))
        await settle(pilot)
        assert "PAUSED at 14:03:22Z" in paused
        assert "orders-worker" in paused
        assert text(app) == paused  # ages and the clock, too: not one byte is written to a slow line
        await press(pilot, "p")
        assert "PAUSED" not in text(app)
        assert "no functions" in text(app)


async def test_refresh_asks_the_engine(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "r")
        assert console.refreshed == 1


async def test_escape_never_quits(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        for keys in (
            (),
            ("enter",),
            ("question_mark",),
            ("J",),
            ("t",),
            ("T",),
            ("P",),
            ("R",),
            ("slash",),
            ("colon",),
        ):
            await press(pilot, *keys, "escape", "escape", "escape")
            assert app.is_running
            assert isinstance(app.screen, DashboardScreen), keys


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quit_keys(make_app: MakeApp, key: str) -> None:
    app = make_app()
    async with started(app) as pilot:
        await pilot.press(key)
    assert app.return_code == 0
    assert not app.is_running


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_quit_from_a_dialog_sends_nothing(make_app: MakeApp, console: FakeConsole, key: str) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "T")
        await pilot.press(key)
    assert console.executed == []


async def test_a_key_right_behind_a_filter_means_the_rows(make_app: MakeApp) -> None:
    """A slow line delivers `/checkout⏎T` in one piece: the T is no part of the filter."""
    app = make_app()
    async with started(app) as pilot:
        await press_at_once(pilot, "slash", *"checkout", "enter", "T")
        assert isinstance(app.screen, ConfirmScreen)
        assert "Throttle checkout-api to zero" in text(app)
        await press(pilot, "escape")
        assert "1 of 14" in text(app)


async def test_a_yes_typed_ahead_confirms_nothing(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press_at_once(pilot, "slash", *"orders", "enter", "D", "y", "y")
        assert isinstance(app.screen, ConfirmScreen)
        assert "orders → orders-worker" in text(app)
        assert console.executed == []
