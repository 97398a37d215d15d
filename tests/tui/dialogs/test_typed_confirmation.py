"""What is typed to confirm is compared letter by letter: nothing that only resembles the name will do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import dialog, press, settle, started
from msgspec.structs import replace
from textual.widgets import Button, Input

from lambdatop.domain.plans.plan import Plan
from lambdatop.tui.app.app import LambdatopApp

MakeApp = Callable[..., LambdatopApp]
NAME = "Orders-Worker_1"
ALMOST = [
    "orders-worker_1",
    "ORDERS-WORKER_1",
    "Orders-worker_1",
    "Orders-Worker_1 ",
    " Orders-Worker_1",
    "Orders-Worker_",
    "Orders-Worker_12",
    "Orders_Worker_1",
    "Orders-Worker_\uff11",  # a wide digit
    "Orders\u2010Worker_1",  # another hyphen
    "Orders-Worker_1\u200b",  # a space without width
    "yes",
    "",
]


@pytest.mark.parametrize("almost", ALMOST)
async def test_only_the_name_itself_confirms(make_app: MakeApp, console: FakeConsole, almost: str) -> None:
    plan = console.plan("throttle_to_zero", scene.key("function", "orders-worker"), {})
    assert isinstance(plan, Plan)
    console.answer = replace(plan, confirm=NAME, target=replace(plan.target, name=NAME))
    app = make_app()
    async with started(app, (120, 40)) as pilot:
        await press(pilot, "T")
        line, button = dialog(app).query_one("#typed", Input), dialog(app).query_one("#confirm", Button)
        line.focus()
        line.value = almost
        await settle(pilot)
        assert button.disabled
        await press(pilot, "enter")
        button.press()
        await settle(pilot)
        assert console.executed == []
        line.value = NAME
        await settle(pilot)
        assert not button.disabled
        await press(pilot, "enter")
        assert len(console.executed) == 1
