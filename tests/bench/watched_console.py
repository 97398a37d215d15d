"""lambdatop as it is, watched from outside: `python -m bench.watched_console FILE [arguments of lambdatop]`.

Writes JSON: when the first frame was painted and when the SDK's modules began to be imported (s of
`perf_counter`), and how long the console's event loop kept a thread waiting that asked it every few
milliseconds (`[asked at, waited s]`). What is watched is a little slower, so start is timed without it.
"""

from __future__ import annotations

import asyncio
import asyncio.events
import importlib.abc
import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lambdatop.cli import main
from lambdatop.tui.terminal.driver import TerminalDriver

EVERY_S = 0.005
SDK = ("aiobotocore", "botocore", "aiohttp", "boto3")
found: dict[str, Any] = {"frame": None, "imports": {}, "waits": [], "modules": []}
_make = asyncio.events.new_event_loop
_show = TerminalDriver.show


class Noting(importlib.abc.MetaPathFinder):
    """Finds nothing; notes who is looked for."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> None:
        """Note each import that was not there yet."""
        if name in SDK:
            found["imports"].setdefault(name, time.perf_counter())


def _noted_show(self: TerminalDriver, *given: Any) -> None:
    _show(self, *given)
    if found["frame"] is None:
        found["frame"] = time.perf_counter()
        found["modules"] = sorted(name for name in SDK if name in sys.modules)


def _noted_loop() -> asyncio.AbstractEventLoop:
    loop = _make()
    if threading.current_thread() is threading.main_thread():
        threading.Thread(target=_ask, args=(loop,), daemon=True).start()
    return loop


def _ask(loop: asyncio.AbstractEventLoop) -> None:
    while not loop.is_closed():
        answered, asked = threading.Event(), time.perf_counter()
        try:
            loop.call_soon_threadsafe(answered.set)
        except RuntimeError:
            return
        while not answered.wait(1.0):
            if loop.is_closed():
                return
        found["waits"].append((asked, time.perf_counter() - asked))
        time.sleep(EVERY_S)


def run() -> int:
    """Run lambdatop; return its exit code."""
    sys.meta_path.insert(0, Noting())
    asyncio.events.new_event_loop = _noted_loop
    asyncio.new_event_loop = _noted_loop
    TerminalDriver.show = _noted_show  # type: ignore[assignment,method-assign]
    try:
        return main(sys.argv[2:])
    finally:
        Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(run())
