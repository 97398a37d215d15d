"""lambdatop as it is, with its asyncio tasks counted from outside: once a second, into a file.

python -m bench.counted_console FILE [arguments of lambdatop]
"""

from __future__ import annotations

import asyncio
import asyncio.events
import sys
import threading
from pathlib import Path

from lambdatop.cli import main

EVERY_S = 1.0
_loops: list[asyncio.AbstractEventLoop] = []
_make = asyncio.events.new_event_loop


def _noted() -> asyncio.AbstractEventLoop:
    loop = _make()
    _loops.append(loop)
    return loop


def tasks() -> int:
    """Return the unfinished tasks on all loops; -1 when they changed during the count."""
    try:
        return sum(len(asyncio.all_tasks(loop)) for loop in _loops if not loop.is_closed())
    except RuntimeError:
        return -1


def _count(file: Path, over: threading.Event) -> None:
    with file.open("a", encoding="ascii", buffering=1) as out:
        while not over.wait(EVERY_S):
            out.write(f"{tasks()}\n")


def run() -> int:
    """Run lambdatop; return its exit code."""
    asyncio.events.new_event_loop = _noted
    asyncio.new_event_loop = _noted
    over = threading.Event()
    threading.Thread(target=_count, args=(Path(sys.argv[1]), over), daemon=True).start()
    try:
        return main(sys.argv[2:])
    finally:
        over.set()


if __name__ == "__main__":
    raise SystemExit(run())
