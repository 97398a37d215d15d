"""`u` takes back what the page or the dialog is about, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import dialog, press, settle, started, text, toasts
from msgspec.structs import replace

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.journal import ACCEPTED, Entry
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.console import Result, ResultKind
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.flows.mitigation import ConsoleFlow
from lambdatop.tui.screens.dashboard import DashboardScreen
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.screens.help import HelpScreen

MakeApp = Callable[..., LambdatopApp]
SIZE = (120, 40)
WORKER, SENDER = scene.key("function", "orders-worker"), scene.key("function", "email-sender")


def changed(id_: str, target: Key, **fields: Any) -> Entry:
    return scene.entry(id_, fields.pop("outcome", "applied"), target=target, **fields)


def undos(console: FakeConsole) -> list[str | None]:
    return [wanted for name, wanted in console.calls if name == "undo"]


async def test_a_redo_is_what_the_page_of_its_function_takes_back(
    make_app: MakeApp, console: FakeConsole
) -> None:
    """A change, its undo and the redo on one function; then a change of another one."""
    console.snapshot = scene.snapshot(
        journal=(
            changed("a-1", WORKER, outcome="undone"),
            changed("a-2", WORKER, outcome="undone", undoes="a-1", depth=1),
            changed("a-3", WORKER, undoes="a-2", depth=2),
            changed("b-1", SENDER),
        )
    )
    app = make_app()
    async with started(app, SIZE) as pilot:
        app.open_function(WORKER)
        await settle(pilot)
        await press(pilot, "u")
        assert undos(console) == ["a-3"]


@pytest.mark.parametrize(
    "journal",
    [
        (),
        (changed("b-1", SENDER),),
        (
            changed("a-1", WORKER, outcome="undone"),
            changed("a-2", WORKER, undoes="a-1", depth=1),
            changed("b-1", SENDER),
        ),
        (changed("a-1", WORKER, outcome="unknown"), changed("b-1", SENDER)),
        (changed("a-1", WORKER, outcome="refused"), changed("b-1", SENDER)),
        (changed("r-1", scene.key("rule", "default/nightly")), changed("b-1", SENDER)),
        (changed("x-1", scene.key("alias", "orders-worker-2:live")),),
    ],
)
async def test_a_page_without_anything_to_undo_says_so_and_offers_nothing(
    make_app: MakeApp, console: FakeConsole, journal: tuple[Entry, ...]
) -> None:
    console.snapshot = scene.snapshot(journal=journal)
    app = make_app()
    async with started(app, SIZE) as pilot:
        app.open_function(WORKER)
        await settle(pilot)
        await press(pilot, "u")
        assert undos(console) == []
        assert isinstance(app.screen, FunctionScreen)
        assert any("nothing to undo of orders-worker" in words for words in toasts(app))


async def test_a_rule_that_was_read_for_a_function_belongs_to_it(
    make_app: MakeApp, console: FakeConsole
) -> None:
    rule = scene.key("rule", "default/nightly")
    console.snapshot = scene.snapshot(journal=(changed("r-1", rule), changed("b-1", SENDER)))
    app = make_app()
    async with started(app, SIZE) as pilot:
        app.open_function(WORKER)
        mitigation_flow = app.mitigation_flow
        assert isinstance(mitigation_flow, ConsoleFlow)
        mitigation_flow._related[WORKER] = frozenset({rule})
        await settle(pilot)
        await press(pilot, "u")
        assert undos(console) == ["r-1"]


async def test_a_finding_without_a_target_of_its_own_offers_nobody_elses_change(
    make_app: MakeApp, console: FakeConsole
) -> None:
    found = console.snapshot.findings[0]
    account = replace(found, target=replace(found.target, key=scene.key("account", "x")), remedy=None)
    console.snapshot = scene.snapshot(journal=(changed("b-1", SENDER),), findings=(account,))
    app = make_app()
    async with started(app, SIZE) as pilot:
        app.open_finding(account)
        await settle(pilot)
        await press(pilot, "u")
        assert undos(console) == []
        assert any("nothing to undo" in words for words in toasts(app))


async def test_the_dashboard_takes_back_the_newest_of_all(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = scene.snapshot(journal=(changed("a-1", WORKER), changed("b-1", SENDER)))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "u")
        assert undos(console) == [None]


async def test_the_help_over_a_page_takes_back_what_that_page_would(
    make_app: MakeApp, console: FakeConsole
) -> None:
    console.snapshot = scene.snapshot(journal=(changed("a-1", WORKER), changed("b-1", SENDER)))
    app = make_app()
    async with started(app, SIZE) as pilot:
        app.open_function(WORKER)
        await settle(pilot)
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        await press(pilot, "u")
        assert undos(console) == ["a-1"]


# -- the dialog that says how it ended -------------------------------------------------------------


def ending(kind: ResultKind, entry: Entry | None) -> Callable[[Plan], Result]:
    return lambda plan: Result(kind, "how it ended", entry)


async def test_u_in_the_dialog_undoes_exactly_what_it_has_done(
    make_app: MakeApp, console: FakeConsole
) -> None:
    mine = changed("mine", WORKER)
    console.snapshot = scene.snapshot(journal=(mine, changed("newer", SENDER)))
    console.result = ending("applied", mine)
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D", "y")
        assert "APPLIED" in text(app)
        assert "u undoes it" in text(app)
        await press(pilot, "u")
        assert undos(console) == ["mine"]
        assert dialog(app).phase == "ready"
        assert len(console.executed) == 1, "it asks again before it sends"


async def test_u_works_where_aws_accepted_without_effect(make_app: MakeApp, console: FakeConsole) -> None:
    doubtful = changed("mine", WORKER, outcome="unknown", detail=f"{ACCEPTED}, but it still shows 10")
    console.snapshot = scene.snapshot(journal=(doubtful,))
    console.result = ending("unknown", doubtful)
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D", "y")
        assert "OUTCOME UNKNOWN" in text(app)
        await press(pilot, "u")
        assert undos(console) == ["mine"]


@pytest.mark.parametrize("outcome", ["refused", "not-sent", "unknown", "open"])
async def test_u_does_nothing_where_nothing_can_be_undone(
    make_app: MakeApp, console: FakeConsole, outcome: str
) -> None:
    console.result = ending("unknown", changed("mine", WORKER, outcome=outcome))
    console.snapshot = scene.snapshot(journal=(changed("other", SENDER),))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D", "y")
        assert "u undoes" not in text(app)
        await press(pilot, "u")
        assert undos(console) == []
        assert dialog(app).phase == "done"


async def test_u_typed_while_it_is_sent_undoes_nothing(make_app: MakeApp, console: FakeConsole) -> None:
    console.result = ending("applied", changed("mine", WORKER))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D")
        console.held = []
        await pilot.press("y", "u", "u")
        assert dialog(app).phase == "sending"
        console.release()
        await app.workers.wait_for_complete()
        await settle(pilot)
        assert dialog(app).phase == "done"
        assert undos(console) == []
        await press(pilot, "escape")
        assert isinstance(app.screen, DashboardScreen)
