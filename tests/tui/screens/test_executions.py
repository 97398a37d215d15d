"""Durable executions in the console: listed when asked, opened one at a time, and what is not known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import press, settle, started, text
from msgspec.structs import replace

from lambdatop.domain.errors import Denied
from lambdatop.domain.facts.durable import (
    DurableExecution,
    ExecutionHistory,
    Operation,
    RunningExecutions,
    VersionExecutions,
)
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.ask import AskScreen
from lambdatop.tui.screens.executions import ExecutionsScreen
from lambdatop.tui.screens.function import FunctionScreen

MakeApp = Callable[..., LambdatopApp]
SIZE = (140, 50)
WORKER = scene.key("function", "orders-worker")
LIST = "lambda:ListDurableExecutionsByFunction"


def execution(version: str, name: str, age_s: float) -> DurableExecution:
    return DurableExecution(f"{version}/{name}/id-{name}", name, scene.NOW - age_s)


RUNNING = RunningExecutions(
    (
        VersionExecutions("6", NotKnown("denied", LIST)),
        VersionExecutions("7", (execution("7", "order-b", 60),), aliases=("live",)),
        VersionExecutions("8", (execution("8", "order-a", 7200),), more=True),
    )
)
HISTORY = ExecutionHistory(
    "8/order-a/id-order-a",
    "RUNNING",
    scene.NOW - 7200,
    None,
    86_400,
    "",
    (Operation("charge", "Step", "Failed", scene.NOW - 90, 14, 30, "TimeoutError: password=hunter2secret"),),
    invocations=15,
    failed=14,
    last_failure="Runtime.ExitError: killed",
    events=43,
    more=True,
)


def durable() -> Snapshot:
    made = scene.snapshot()
    rows = tuple(
        replace(row, facts=replace(row.facts, durable=True)) if row.key == WORKER else row
        for row in made.functions
    )
    return replace(made, functions=rows)


@pytest.fixture
def told(console: FakeConsole) -> FakeConsole:
    console.snapshot, console.running = durable(), RUNNING
    console.histories = {HISTORY.path: HISTORY}
    return console


def asked(console: FakeConsole) -> list[str]:
    return [what for what, _ in console.calls if what in ("executions", "history")]


async def test_they_are_listed_oldest_first_with_what_is_not_known(
    make_app: MakeApp, told: FakeConsole
) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        assert asked(told) == []
        await press(pilot, "b")
        assert isinstance(app.screen, ExecutionsScreen)
        shown = text(app)
        assert shown.index("order-a") < shown.index("order-b")
        for words in ("2h", "version 7 (live): 1", "version 8: 1 or more", f"({LIST} denied)"):
            assert words in shown
        assert asked(told) == ["executions"]
        await press(pilot, "escape")
        assert not isinstance(app.screen, ExecutionsScreen)


async def test_enter_reads_the_history_of_one_and_hides_secrets(make_app: MakeApp, told: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "b", "enter")
        assert told.calls[-1] == ("history", (WORKER, HISTORY.path))
        shown = text(app)
        for words in (
            "RUNNING for 2 h",
            "times out in 22 h",
            "15 or more ended, 14 or more of them failed",
            "Runtime.ExitError: killed",
            "the newest 43 events",
            "charge",
            "14 attempts, again 30 s later",
            "TimeoutError",
        ):
            assert words in shown
        assert "hunter2secret" not in shown


async def test_a_history_that_was_denied_is_not_known(make_app: MakeApp, told: FakeConsole) -> None:
    action = "lambda:GetDurableExecutionHistory"
    told.histories = {HISTORY.path: replace(HISTORY, operations=NotKnown("denied", action))}
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "b", "enter")
        assert f"not known ({action} denied)" in text(app)
        assert "ended, " not in text(app)


async def test_a_failure_is_said_and_asked_again_on_the_key(make_app: MakeApp, told: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        told.failure = Denied(f"{LIST} is denied.", action=LIST)
        await press(pilot, "b")
        assert f"which executions run is not known: {LIST} is denied." in text(app)
        told.failure = None
        await press(pilot, "b")
        assert "order-a" in text(app)
        assert asked(told) == ["executions", "executions"]


async def test_none_that_runs_is_said_only_where_all_was_read(make_app: MakeApp, told: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        told.running = RunningExecutions((VersionExecutions("$LATEST", ()),))
        await press(pilot, "b")
        assert "no execution runs now" in text(app)
        told.running = RunningExecutions((VersionExecutions("$LATEST", NotKnown("denied", LIST)),))
        await press(pilot, "b")
        assert "no execution runs now" not in text(app)
        assert "none was listed" in text(app)
        await press(pilot, "enter")
        assert asked(told) == ["executions", "executions"]


async def test_other_functions_have_none_and_nothing_is_asked(
    make_app: MakeApp, console: FakeConsole
) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "b")
        assert asked(console) == []
        assert "orders-worker is not a durable function." in text(app)


async def test_the_page_of_a_function_names_the_key_and_takes_it(
    make_app: MakeApp, told: FakeConsole
) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        app.open_function(WORKER)
        await settle(pilot)
        assert isinstance(app.screen, FunctionScreen)
        assert "b lists what runs" in text(app)
        await press(pilot, "b")
        assert isinstance(app.screen, ExecutionsScreen)


async def test_stopping_them_begins_on_the_list(make_app: MakeApp, told: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "b", "Y")
        assert isinstance(app.screen, AskScreen)
        assert "Stop the durable executions of which version of orders-worker?" in text(app)
