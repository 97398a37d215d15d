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


async def test_garbage_goes_in_a_quiet_moment_only(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    now = [1_000.0]
    monkeypatch.setattr(tidying, "monotonic", lambda: now[0])
    async with looking(app) as pilot:
        gone = weakref.ref(Knot())
        gc.disable()
        try:
            now[0] += 4_000
            await press(pilot, "j")
            assert not app.tidy()  # somebody has just typed
            assert gone() is not None
            now[0] += tidying.QUIET_S
            assert app.tidy()
            assert gone() is None
            now[0] += tidying.QUIET_S
            assert not app.tidy()  # it was just done
            now[0] += tidying.AGAIN_S
            assert app.tidy()
        finally:
            gc.enable()
