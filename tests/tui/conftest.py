"""Fixtures of the console's tests: the scene, a fake engine, an app with a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import console_scene as scene
from fakes import parsed_styles
from fakes.fake_console import Clock, FakeConsole

from lambdatop.config.theme_file import Themes, load_themes
from lambdatop.domain.settings.settings import Settings
from lambdatop.tui.app import idle_gc
from lambdatop.tui.app.app import LambdatopApp

ROOT = Path(__file__).parents[2]
WIDE, NARROW = (200, 60), (80, 24)

parsed_styles.share()


@pytest.fixture(scope="session")
def themes() -> Themes:
    return load_themes([ROOT / "themes"])


@pytest.fixture(autouse=True)
def quiet_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def console(clock: Clock) -> FakeConsole:
    return FakeConsole(scene.snapshot(), clock)


@pytest.fixture
def make_app(
    console: FakeConsole, clock: Clock, themes: Themes, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., LambdatopApp]:
    """Return a maker of apps on the scene; the confirm dialog arms at once unless a test says otherwise.

    Toasts stay: a test reads them after all that it has pressed, however long a busy machine takes. Garbage
    is left to Python: passes between keys took 7 % of the CPU time of these tests.
    """
    monkeypatch.setattr(idle_gc, "YOUNG_S", 3_600.0)
    monkeypatch.setattr(LambdatopApp, "NOTIFICATION_TIMEOUT", 600.0)

    def make(**options: Any) -> LambdatopApp:
        given: dict[str, Any] = {"now": clock, "themes": themes, "arm_s": 0.0}
        return LambdatopApp(
            options.pop("console", console), options.pop("settings", Settings()), **(given | options)
        )

    return make
