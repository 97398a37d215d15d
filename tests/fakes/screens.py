"""Looking at the console from a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from lambdatop.tui.app import LambdatopApp


@asynccontextmanager
async def looking(app: LambdatopApp, size: tuple[int, int] = (200, 60)) -> AsyncIterator[Pilot[None]]:
    """The running app after it has looked at the first snapshot."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        app.look()
        await pilot.pause()
        yield pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Keys, each with all its consequences."""
    for key in keys:
        await pilot.press(key)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def text(app: LambdatopApp) -> str:
    """What the terminal shows, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def toasts(app: LambdatopApp) -> list[str]:
    """Messages of all toasts so far."""
    return [n.message for n in app._notifications]
