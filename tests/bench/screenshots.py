"""Renders the README's pictures: the real console, in Textual's own headless driver, on the real demo.

Run by `make screenshots`; the incident is let develop for some seconds first.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from lambdatop.cli.commands.demo import forget_aws
from lambdatop.cli.compose import Parts, engine_thread, wire
from lambdatop.cli.context import settle
from lambdatop.cli.demo_session import DemoJournal, DemoRun, demo_settings
from lambdatop.config.theme_file import load_themes
from lambdatop.domain.settings.settings import Settings
from lambdatop.engine.thread import EngineThread
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.confirm import ConfirmScreen

DEVELOP_S = 75.0
WIDE, NARROW, DIALOG = (160, 48), (80, 24), (110, 38)


async def picture(app: LambdatopApp, size: tuple[int, int], *keys: str) -> str:
    """Return one SVG of the console at `size`, after pressing `keys`."""
    async with app.run_test(size=size) as pilot:
        while not app.engine.latest().storms or not app.engine.latest().logs:
            await pilot.pause(0.2)
        await pilot.pause(3.0)
        for key in keys:
            await pilot.press(key)
        while isinstance(app.screen, ConfirmScreen) and app.screen.plan is None:
            await pilot.pause(0.2)
        await pilot.pause(1.5)
        return app.export_screenshot(title="lambdatop")


async def render(settings: Settings, parts: Parts, thread: EngineThread, themes: Path) -> dict[str, str]:
    """Return all pictures by name."""
    await asyncio.sleep(DEVELOP_S)
    scenes: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
        "dashboard": (WIDE, ()),
        "confirm": (DIALOG, ("T",)),
        "narrow": (NARROW, ()),
    }
    pictures = {}
    for name, (size, keys) in scenes.items():
        app = LambdatopApp(thread, settings, now=parts.clock.now, themes=load_themes([themes]))
        pictures[name] = await picture(app, size, *keys)
    return pictures


def main() -> None:
    """Start the demo, render, end it."""
    root = Path(__file__).resolve().parents[2]
    forget_aws()
    context = settle(argparse.Namespace(), {"HOME": "/no-home"})
    settings = demo_settings(context.settings, "poison-queue")
    context = context.with_settings(settings)
    demo = DemoRun("poison-queue", read_only=False)
    try:
        with wire(context, demo.locate, DemoJournal(demo)) as parts:
            thread = engine_thread(context, parts)
            thread.start()
            try:
                pictures = asyncio.run(render(settings, parts, thread, root / "themes"))
            finally:
                thread.stop()
    finally:
        demo.stop()
    for name, svg in pictures.items():
        (root / "docs" / "screenshots" / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
