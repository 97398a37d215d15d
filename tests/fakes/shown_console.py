"""A program: the command line's own console on a scene instead of an engine, for tests in a terminal.

`SHOWN` says what happens beside it: `flood` (a log of many lines a second), `crash` (the help key raises),
`noise` (libraries and threads that write where they should not). Ending the engine leaves `drained` in HOME.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
import warnings
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole, done
from fakes.log_pane import KEY, with_log

from lambdatop.cli.commands import console
from lambdatop.cli.run import run
from lambdatop.domain.state.snapshot import Snapshot

SHOWN = os.environ.get("SHOWN", "")
FLOOD_PER_SNAPSHOT = 40


class Scene(FakeConsole):
    """Where the engine's thread would be."""

    looks_taken = 0

    def start(self) -> None:
        if SHOWN == "noise":
            threading.Thread(target=make_noise).start()

    given_up = threading.Event()

    def give_up(self) -> None:
        self.given_up.set()

    def stop(self, timeout: float) -> bool:
        self.given_up.wait(float(os.environ.get("DRAIN_S", "0")))  # a call on its way
        Path(os.environ["HOME"], "drained").touch()
        return True

    def snapshot_once(self, wait_s: float) -> Future[Snapshot]:
        return done(self.snapshot)

    def latest(self) -> Snapshot:
        if SHOWN == "flood":
            self.looks_taken += 1
            first = self.looks_taken * FLOOD_PER_SNAPSHOT
            words = [f"{i:08x} order {i * 7919 % 1000:03d} was booked" for i in range(first, first + 60)]
            made = with_log(words)
            log = made.logs[KEY]
            lines = tuple(replace(line, seq=line.seq + first) for line in log.lines)
            later = replace(log, lines=lines, next_seq=log.next_seq + first)
            self.snapshot = replace(made, logs=MappingProxyType({KEY: later}))
        return self.snapshot


def make_noise() -> None:
    """Print and log what must not reach the screen nor, where it holds secrets, the log."""
    time.sleep(0.3)
    print("NOISE of print")
    sys.stderr.write("NOISE of stderr\n")
    warnings.warn("NOISE of a warning", stacklevel=1)
    logging.getLogger("aiohttp.client").error("NOISE of aiohttp")
    logging.getLogger("botocore.endpoint").debug("NOISE body SECRET")
    logging.getLogger("botocore.parsers").info("NOISE body SECRET")

    async def forget() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "NOISE of asyncio"})

    asyncio.run(forget())
    raise RuntimeError("NOISE of a thread")


def crash(*_: Any) -> None:
    secret = "AKIA" + "SECRETVALUE"
    raise ZeroDivisionError(len(secret))


if __name__ == "__main__":
    if SHOWN == "crash":
        from lambdatop.tui.app.app import LambdatopApp

        setattr(LambdatopApp, "action_help", crash)  # noqa: B010
    setattr(console, "engine_thread", lambda context, parts: Scene(scene.snapshot()))  # noqa: B010
    sys.exit(run(sys.argv[1:]))
