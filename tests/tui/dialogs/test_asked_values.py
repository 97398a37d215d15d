"""Keys of mitigations that need a value ask for it, and say what is no value."""

from __future__ import annotations

from collections.abc import Callable

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import press, started, text, toasts
from msgspec.structs import replace

from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.ask import AskScreen
from lambdatop.tui.dialogs.confirm import ConfirmScreen

MakeApp = Callable[..., LambdatopApp]


async def test_a_cap_is_asked_for_and_confirmed(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "C")
        assert isinstance(app.screen, AskScreen)
        assert "Cap orders-worker at how many" in text(app)
        await press(pilot, "3", "enter")
        assert isinstance(app.screen, ConfirmScreen)
        assert "Cap orders-worker at 3 executions at once" in text(app)
        await press(pilot, "escape")
        assert console.executed == []


async def test_a_trigger_is_tuned_by_pairs(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "2", "M")
        assert "Which settings of orders → orders-worker?" in text(app)
        await press(pilot, *"batch", "_", *"size", "=", "5", "enter")
        assert isinstance(app.screen, ConfirmScreen)
        assert "Tune orders → orders-worker: batch_size 5" in text(app)
        await press(pilot, "escape", "M", *"nonsense", "enter")
        assert any("nonsense is not a setting with a value" in words for words in toasts(app))


async def test_no_version_is_asked_for_of_a_function_that_is_not_durable(
    make_app: MakeApp, console: FakeConsole
) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "Y")
        assert not isinstance(app.screen, AskScreen)
        assert any("orders-worker is not a durable function" in words for words in toasts(app))
        assert console.calls == []


async def test_the_version_of_a_durable_function_is_asked_for(
    make_app: MakeApp, console: FakeConsole
) -> None:
    first, *others = scene.snapshot().functions
    durable = replace(first, facts=replace(first.facts, durable=True))
    app = make_app(console=FakeConsole(scene.snapshot(functions=(durable, *others))))
    async with started(app) as pilot:
        await press(pilot, "Y")
        assert isinstance(app.screen, AskScreen)


async def test_nothing_is_asked_in_read_only_mode(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app(mode="read-only")
    async with started(app) as pilot:
        for key in "CMABL":
            await press(pilot, key)
            assert not isinstance(app.screen, AskScreen)
        assert len(toasts(app)) == 5
        assert console.calls == []
