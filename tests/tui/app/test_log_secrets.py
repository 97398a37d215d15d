"""Secrets in the log pane: on the screen, in the clipboard, in a file."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import pytest
from fakes.fake_console import FakeConsole
from fakes.log_pane import NARROW, MakeApp, OpenLog, numbered, opener, tail
from fakes.screens import press, started, text, toasts
from textual.pilot import Pilot

from lambdatop.domain.errors import LambdatopError
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.choose import ChooseScreen


@pytest.fixture
def open_log(make_app: MakeApp, console: FakeConsole) -> OpenLog:
    """Open the console on a log."""
    return opener(make_app, console)


def leak(app: LambdatopApp) -> bool:
    return "hunter2" in text(app)


async def test_a_secret_is_shown_while_its_line_is_on_the_screen(open_log: OpenLog) -> None:
    app = open_log(numbered(80, n80="password=hunter2"))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4")
        assert "password=•••" in text(app)
        await press(pilot, "v")
        assert leak(app)
        assert "SECRETS SHOWN" in text(app)
        assert not tail(app).following
        await press(pilot, "v")
        assert not leak(app)
        await press(pilot, "v", "g")
        await press(pilot, "G")
        assert not leak(app)
        await press(pilot, "k", "v")
        assert toasts(app) == ["Nothing is hidden in this line."]


async def test_secrets_stay_hidden_in_read_only_mode(open_log: OpenLog) -> None:
    app = open_log(["password=hunter2"], mode="read-only")
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "v")
        assert not leak(app)
        assert toasts(app) == ["Secrets stay hidden in read-only mode."]


async def test_neither_filter_nor_search_finds_what_is_hidden(open_log: OpenLog) -> None:
    app = open_log(["password=hunter2"])
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "f", *"hunter", "enter")
        assert toasts(app) == ["No older match."]
        await press(pilot, "escape", "slash", *"hunter", "enter")
        assert tail(app).line_count == 0


def copied(app: LambdatopApp) -> str:
    return app.clipboard


async def test_copying_takes_the_marked_line_or_its_event(open_log: OpenLog, pilot_writes: list[str]) -> None:
    app = open_log(["[ERROR] boom\n  File x", "last"])
    async with started(app, NARROW) as pilot:
        listen(pilot, pilot_writes)
        await press(pilot, "4", "c")
        assert copied(app) == "last"
        assert f"\x1b]52;c;{base64.b64encode(b'last').decode()}\a" in pilot_writes
        await press(pilot, "k", "c")
        assert copied(app) == "  File x"
        await press(pilot, "a")
        assert copied(app) == "[ERROR] boom\n  File x"


@pytest.fixture
def pilot_writes() -> list[str]:
    return []


def listen(pilot: Pilot[None], written: list[str]) -> None:
    driver = pilot.app._driver
    assert driver is not None
    driver.write = written.append  # type: ignore[method-assign, assignment]


async def test_copying_what_is_revealed_asks_first(open_log: OpenLog) -> None:
    app = open_log(["password=hunter2"])
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "c")
        assert copied(app) == "password=•••"
        await press(pilot, "v", "c")
        assert isinstance(app.screen, ChooseScreen)
        await press(pilot, "enter")
        assert copied(app) == "password=•••"
        await press(pilot, "c", "j", "j", "enter")
        assert copied(app) == "password=hunter2"


async def test_saving_hands_over_what_is_shown_with_secrets_hidden(open_log: OpenLog) -> None:
    app = open_log(numbered(9, n3="password=hunter2", n4="nothing"))
    saved: list[tuple[str, list[str]]] = []

    def save(name: str, lines: Iterable[str]) -> str:
        saved.append((name, list(lines)))
        return "/somewhere/orders.log"

    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "ctrl+s")
        assert toasts(app)[-1] == "This console was started without a place to save to."
        app.save_log = save
        await press(pilot, "slash", *"password|line 1", "enter", "k", "v", "ctrl+s")
        assert saved == [("orders-worker", [f"{stamp(1)}        line 1", f"{stamp(3)}        password=•••"])]
        assert toasts(app)[-1] == "Saved 2 lines to /somewhere/orders.log"

        def fail(name: str, lines: Iterable[str]) -> str:
            raise LambdatopError("The disk is full.")

        app.save_log = fail
        await press(pilot, "ctrl+s")
        assert toasts(app)[-1] == "The disk is full."


def stamp(i: int) -> str:
    return f"2026-07-01T14:03:{22 + i}.000Z"
