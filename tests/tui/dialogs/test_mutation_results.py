from __future__ import annotations

from collections.abc import Callable

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import dialog, press, settle, started, text, toasts
from msgspec.structs import replace
from textual.widgets import Input

from lambdatop.domain.ports.console import Result, ResultKind
from lambdatop.domain.state.snapshot import MappingRow
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.ask import AskScreen
from lambdatop.tui.dialogs.choose import ChooseScreen
from lambdatop.tui.screens.dashboard import DashboardScreen

MakeApp = Callable[..., LambdatopApp]
SIZE = (120, 40)
NEVER = 3_600.0
"""Seconds: a dialog that arms after the test."""


def typed(app: LambdatopApp) -> Input:
    return dialog(app).query_one("#typed", Input)


# -- results ---------------------------------------------------------------------------------------


async def test_each_outcome_has_its_words(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    outcomes: dict[ResultKind, str] = {
        "applied": "APPLIED",
        "refused": "REFUSED BY AWS",
        "not-sent": "NOT SENT",
        "unknown": "OUTCOME UNKNOWN",
        "expired": "confirmation had expired",
        "read-only": "read-only mode",
    }
    async with started(app, SIZE) as pilot:
        for kind, words in outcomes.items():
            result = Result(kind, f"reason of {kind}")
            console.result = lambda plan, result=result: result  # type: ignore[misc]
            await press(pilot, "D", "y")
            assert words in text(app)
            assert f"reason of {kind}" in text(app)
            assert app.focused is not None
            assert app.focused.id == "cancel"
            assert "Close" in text(app)
            await press(pilot, "enter")
            assert isinstance(app.screen, DashboardScreen)


async def test_drift_shows_three_columns_and_asks_again(make_app: MakeApp, console: FakeConsole) -> None:
    saw, now, want = ({"reserved_concurrency": value} for value in (50, None, 0))
    console.result = lambda plan: Result("drift", "somebody was faster", None, saw, now, want)
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        await press(pilot, *"orders-worker", "enter")
        shown = text(app)
        for words in (
            "you saw",
            "it is now",
            "you want",
            "50 reserved",
            "none reserved",
            "0 (throttled to zero)",
        ):
            assert words in shown, words
        await press(pilot, "ctrl+r")
        assert dialog(app).phase == "ready"
        assert len(console.calls) == 2


async def test_leaving_while_it_is_sent_keeps_the_outcome(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D")
        console.held = []
        await pilot.press("y")
        await settle(pilot)
        assert dialog(app).phase == "sending"
        await pilot.press("escape", "y")
        assert isinstance(app.screen, DashboardScreen)
        console.release()
        await press(pilot)
        assert any("applied" in t for t in toasts(app))
        assert len(console.executed) == 1


async def test_the_console_writes_no_result_into_the_panes(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        before = text(app)
        await press(pilot, "D")
        await press(pilot, "y")
        await press(pilot, "escape")
        assert text(app) == before


# -- targets, undo, read-only ----------------------------------------------------------------------


async def test_the_target_is_frozen_when_the_dialog_opens(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "j", "T")
        rest = tuple(r for r in console.snapshot.functions if r.facts.name != "checkout-api")
        console.snapshot = replace(console.snapshot, functions=rest)
        app.take_snapshot()
        await press(pilot, *"checkout-api", "enter")
        assert console.executed[0][0].target.name == "checkout-api"


async def test_several_triggers_ask_which(make_app: MakeApp, console: FakeConsole) -> None:
    second = MappingRow(scene.mapping(9, "orders-worker", "refunds"))
    console.snapshot = scene.snapshot(mappings=(*scene.mappings(), second))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D")
        assert isinstance(app.screen, ChooseScreen)
        assert "refunds → orders-worker" in text(app)
        await press(pilot, "j", "enter")
        assert console.calls[0][1][0].id == scene.UUID.format(9)


async def test_purge_from_a_storm_asks_which_and_needs_its_name(
    make_app: MakeApp, console: FakeConsole
) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "2", "P")
        await press(pilot, "j", "enter")
        assert "T3: irreversible" in text(app)
        await press(pilot, *"orders", "enter")
        assert console.executed == []
        await press(pilot, *"-dlq", "enter")
        assert console.executed[0][0].call.operation == "PurgeQueue"


async def test_restore_takes_the_value_of_the_journal(make_app: MakeApp, console: FakeConsole) -> None:
    target = scene.key("function", "orders-worker")
    console.snapshot = scene.snapshot(journal=(scene.entry("m-1", "applied", target=target),))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "R")
        assert console.calls == [("restore_concurrency", (target, {"reserved": 10}))]


async def test_restore_asks_when_the_journal_knows_nothing(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "R")
        assert isinstance(app.screen, AskScreen)
        await press(pilot, *"none", "enter")
        assert console.calls[0][1][1] == {"reserved": "none"}
        assert "50 reserved  →  none reserved" in text(app)


async def test_u_undoes_the_newest_through_the_same_dialog(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = scene.snapshot(journal=(scene.entry("m-1", "applied"),))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "u")
        assert "0 (throttled to zero)  →  10 reserved" in text(app)
        await press(pilot, "y")
        plan, _ = console.executed[0]
        assert plan.undoes == "m-1"
        assert dict(plan.after) == {"reserved_concurrency": 10}


async def test_read_only_says_so_and_asks_nothing(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = scene.snapshot(journal=(scene.entry("m-1", "applied"),))
    app = make_app(mode="read-only")
    async with started(app, SIZE) as pilot:
        for key in ("T", "R", "D", "E", "P", "u"):
            await press(pilot, key)
            assert isinstance(app.screen, DashboardScreen), key
        assert console.calls == []
        assert len([t for t in toasts(app) if t.startswith("read-only:")]) >= 1
        await press(pilot, "J", "u")
        assert console.calls == []
        assert "READ-ONLY" in text(app)
        await press(pilot, "escape", "question_mark")
        assert "(not in read-only mode)" in text(app)
