"""Sizes that follow each other faster than they are painted: the last one is taken, and then it is quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fakes.screens import press, settle, started
from textual import events
from textual.geometry import Size
from textual.screen import Screen

from lambdatop.tui.app.app import LambdatopApp

MakeApp = Callable[..., LambdatopApp]
WIDE, NARROW = Size(200, 40), Size(60, 12)
TURNS = 200
"""Turns of the loop in which a console that goes from one size to the other does so dozens of times."""
OPENED = {
    "dashboard": (),
    "dialog": ("T",),
    "palette": ("colon",),
    "page": ("enter",),
    "help": ("question_mark",),
}


@pytest.mark.parametrize("opened", OPENED.values(), ids=OPENED)
async def test_two_sizes_at_once_are_taken_once(
    make_app: MakeApp, opened: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await press(pilot, *opened)
        await settle(pilot)
        taken: list[Size | None] = []
        own = Screen._refresh_layout

        def counted(self: Screen[object], size: Size | None = None, scroll: bool = False) -> None:
            taken.append(size)
            own(self, size, scroll)

        monkeypatch.setattr(Screen, "_refresh_layout", counted)

        def nothing() -> None:
            """Handle any message between two sizes."""

        # As on a machine that is too busy for each of them: both are there before the first one is looked at.
        for size in (NARROW, WIDE):
            app._size = size
            for screen in app.screen_stack:
                screen.post_message(events.Resize(size, size))
                screen.call_later(nothing)  # two sizes side by side would be made one of
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await settle(pilot)
        assert {screen.size for screen in app.screen_stack} == {WIDE}
        assert NARROW not in taken, taken
        assert len([size for size in taken if size == WIDE]) <= 4 * len(app.screen_stack), taken
