"""A pane, a line or a page that cannot be painted says so; the console goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import press, settle, show, started, text, toasts

from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.panes.findings import FindingsPane
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.screens.journal import JournalScreen
from lambdatop.tui.widgets import header

MakeApp = Callable[..., LambdatopApp]


def breaks(*args: Any, **kwargs: Any) -> NoReturn:
    raise ZeroDivisionError("x")


async def test_a_pane_that_cannot_be_painted(
    make_app: MakeApp, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with started(app, (200, 60)) as pilot:
        with monkeypatch.context() as broken:
            broken.setattr(FindingsPane, "paint", breaks)
            show(app, console, scene.snapshot())
            await settle(pilot)
            assert "could not be shown" in text(app)
            assert "hot functions" in text(app)
        show(app, console, scene.snapshot())
        await settle(pilot)
        assert "could not be shown" not in text(app)


async def test_a_header_that_cannot_be_made(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    async with started(app) as pilot:
        for lines in app.screen.query(header.Lines):
            monkeypatch.setattr(lines, "_make", breaks)
            lines.refresh_lines()
        await settle(pilot)
        assert "could not be shown" in text(app)


@pytest.mark.parametrize(("keys", "screen"), [("J", JournalScreen), ("enter", FunctionScreen)])
async def test_a_screen_that_cannot_be_shown(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, keys: str, screen: Any
) -> None:
    monkeypatch.setattr(screen, "show", breaks)
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, keys)
        assert isinstance(app.screen, screen)
        assert sum("could not be shown" in words for words in toasts(app)) == 1
        await press(pilot, "escape")
        assert "hot functions" in text(app)
