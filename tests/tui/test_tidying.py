"""Cyclic garbage is looked for when nobody types, and not all the time."""

from __future__ import annotations

import gc
import weakref

import pytest
from fakes.log_pane import MakeApp
from fakes.screens import looking, press

from lambdatop.tui import tidying


class Knot:
    def __init__(self) -> None:
        self.me = self


async def test_a_short_look_needs_a_pause_between_two_keys_only(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    now = [1_000.0]
    monkeypatch.setattr(tidying, "monotonic", lambda: now[0])
    async with looking(app) as pilot:
        gone = weakref.ref(Knot())
        gc.disable()
        try:
            now[0] += tidying.LOOK_S
            await press(pilot, "j")
            assert not app.tidy()  # somebody has just typed
            assert gone() is not None
            now[0] += 2 * tidying.PAUSE_S
            assert app.tidy()
            assert gone() is None
            await press(pilot, "j")
            now[0] += 2 * tidying.PAUSE_S
            assert app.tidy(), "what fails and closes leaves garbage all the time"
        finally:
            gc.enable()


async def test_a_long_look_waits_for_quiet_but_not_for_ever(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    now = [1_000.0]
    long_s = 6 * tidying.SHORT_S

    def slow() -> None:
        now[0] += long_s

    monkeypatch.setattr(tidying, "monotonic", lambda: now[0])
    async with looking(app) as pilot:
        monkeypatch.setattr(gc, "collect", slow)
        now[0] += 2 * tidying.PAUSE_S
        assert app.tidy()
        await press(pilot, "j")
        now[0] += tidying.QUIET_S
        assert not app.tidy(), "a tenth of a percent of the time"
        now[0] += tidying.SHARE * long_s - tidying.QUIET_S
        await press(pilot, "j")
        now[0] += 2 * tidying.PAUSE_S
        assert not app.tidy(), "somebody types"
        now[0] += tidying.QUIET_S
        assert app.tidy()
        now[0] += tidying.LATEST_S
        await press(pilot, "j")
        assert not app.tidy()
        now[0] += 2 * tidying.PAUSE_S
        assert app.tidy(), "somebody types all the time"
