"""Tell a terminal without cursor control (`TERM=dumb`), and print a table every minute there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lambdatop.cli import stdio
from lambdatop.cli.show import show

if TYPE_CHECKING:
    from lambdatop.engine.thread import EngineThread

LEAST_S = 60.0
"""A table on paper, or in an editor's buffer, is read and not watched."""
FIRST_S = 15.0


def is_dumb(environ: Mapping[str, str]) -> bool:
    """Return whether nothing but text can be written."""
    return environ.get("TERM", "") in ("", "dumb", "unknown")


def print_tables(
    thread: EngineThread, refresh_s: float, wait: Callable[[float], object] | None = None
) -> int:
    """Print a table every minute (or every `refresh_s`, if that is longer) until Ctrl-C.

    Raises:
        KeyboardInterrupt: the way out.
    """
    pause_s = max(LEAST_S, refresh_s)
    stdio.message(
        "this terminal (TERM=dumb, or no TERM) can show no console; "
        f"a table follows every {pause_s:.0f} s until Ctrl-C"
    )
    wait = wait or threading.Event().wait
    snapshot = thread.snapshot_once(FIRST_S).result()
    while True:
        show(snapshot, "table")
        stdio.data("")
        stdio.flush()
        wait(pause_s)
        snapshot = thread.latest()
