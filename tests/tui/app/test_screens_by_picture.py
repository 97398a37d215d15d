"""Six pictures. They change when the looks change: look at the report before you accept new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes import console_scene as scene
from fakes.fake_console import Clock, FakeConsole
from fakes.screens import press, settle
from textual.pilot import Pilot

from lambdatop.domain.settings.settings import Screen, Settings
from lambdatop.tui.app.app import LambdatopApp

Compare = Callable[..., bool]
MakeApp = Callable[..., LambdatopApp]


def keys(*pressed: str) -> Callable[[Pilot[Any]], Any]:
    async def run(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        assert isinstance(pilot.app, LambdatopApp)
        pilot.app.take_snapshot()
        await settle(pilot)
        await press(pilot, *pressed)

    return run


@pytest.fixture(autouse=True)
def two_seconds_later(clock: Clock) -> None:
    clock.at += 2


def test_dashboard_wide(snap_compare: Compare, make_app: MakeApp) -> None:
    assert snap_compare(make_app(notice="DEMO x12"), terminal_size=(200, 60), run_before=keys())


def test_dashboard_narrow(snap_compare: Compare, make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = scene.snapshot(journal=(scene.entry("m-1", "open"),))
    assert snap_compare(make_app(mode="read-only"), terminal_size=(80, 24), run_before=keys("j"))


def test_confirm_dialog(snap_compare: Compare, make_app: MakeApp) -> None:
    assert snap_compare(make_app(), terminal_size=(120, 40), run_before=keys("T"))


def test_function_in_full(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(settings=Settings(screen=Screen(theme="paper")))
    assert snap_compare(app, terminal_size=(160, 50), run_before=keys("enter"))


def test_storms_without_colour(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(settings=Settings(screen=Screen(theme="mono")))
    assert snap_compare(app, terminal_size=(120, 40), run_before=keys("2", "j"))


def test_finding_in_full(snap_compare: Compare, make_app: MakeApp) -> None:
    assert snap_compare(make_app(), terminal_size=(160, 50), run_before=keys("5", "x", "j", "enter"))
