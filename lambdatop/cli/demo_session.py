"""Run the demo once: start it beside the console, end it with it, with its own settings and journal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lambdatop.domain.errors import LambdatopError, UsageError
from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.journal import Entry, Outcome
from lambdatop.domain.plans.plan import State
from lambdatop.domain.ports.storage import JournalStore, Spill
from lambdatop.domain.settings.settings import Limits, MetricSettings, Paces, Settings
from lambdatop.domain.sources import SOURCES

if TYPE_CHECKING:
    from lambdatop.aws.sdk.connection import Connection
    from lambdatop.demo.process.launch import Demo

PACES = Paces(**{spec.name: spec.demo_pace_s for spec in SOURCES.values()})
"""Seconds. The control plane still gets at most 5 requests a second, as in a real account."""


def demo_settings(user: Settings, scenario: str) -> Settings:
    """Return the user's looks, thresholds and mode with paces for minutes that pass in seconds.

    The emulator bills nobody, so no budget (at list prices) slows the metrics down.

    Raises:
        UsageError: the compression that the environment wishes for is none.
    """
    from lambdatop.demo.process.launch import compression_of

    try:
        times = float(compression_of(scenario))
    except ValueError as error:
        raise UsageError(str(error)) from error
    return replace(
        user,
        profile=None,
        region=None,
        endpoint_url=None,
        paces=PACES,
        limits=Limits(budget_usd_per_hour=0.0),
        metrics=MetricSettings(publish_delay_s=0.0, times=times),
    )


class DemoRun:
    """Starts the emulator once, when the engine first asks where to connect to."""

    def __init__(self, scenario: str, *, read_only: bool) -> None:
        self._scenario = scenario
        self._read_only = read_only
        self._lock = threading.Lock()
        self._started: Future[Demo] | None = None
        self._stopped = False

    async def locate(self) -> Connection:
        """Return where the demo listens; start it in a thread, so that the screen is painted meanwhile.

        Raises:
            LambdatopError: the emulator cannot be started; the sentence says why.
        """
        from lambdatop.aws.sdk.connection import Connection

        # Shielded: who leaves while it starts gives up waiting, but what has started must still be ended.
        demo = await asyncio.shield(asyncio.wrap_future(self._start()))
        return Connection(
            region=demo.region,
            endpoint_url=demo.endpoint_url,
            read_only=self._read_only,
            access_key=demo.access_key,
            secret_key=demo.secret_key,
            session_token=demo.session_token,
            notice=f"DEMO \N{MULTIPLICATION SIGN}{demo.compression}",
            isolated=True,
        )

    def _start(self) -> Future[Demo]:
        with self._lock:
            if self._stopped:
                raise LambdatopError("the demo is ending")
            if self._started is None or (self._started.done() and self._started.exception()):
                self._started = Future()
                # Not a daemon: leaving the process must wait until there is something to stop.
                threading.Thread(target=_launch, args=(self._scenario, self._started)).start()
            return self._started

    def state_dir(self) -> Path:
        """Return the demo's own directory for what is written, which is removed with the demo.

        Raises:
            LambdatopError: the demo does not run yet.
        """
        demo = self.demo
        if demo is None:
            raise LambdatopError("the demo does not run yet")
        return Path(demo.directory) / "state"

    def wait_until_it_runs(self) -> None:
        """Block until the scenario is deployed.

        Raises:
            LambdatopError: it could not be started.
        """
        self._start().result()

    @property
    def demo(self) -> Demo | None:
        """The running demo, None before it runs."""
        started = self._started
        return (
            started.result() if started is not None and started.done() and not started.exception() else None
        )

    @property
    def notices(self) -> tuple[str, ...]:
        """Where the demo differs from AWS."""
        return self.demo.notices if self.demo else ()

    def stop(self) -> None:
        """End the emulator; when it is just starting, as soon as it can be ended."""
        with self._lock:
            self._stopped = True
            started = self._started
        if started is not None and started.exception() is None:
            started.result().stop()


def _launch(scenario: str, started: Future[Demo]) -> None:
    from lambdatop.demo.process.launch import DemoUnavailable, start

    try:
        started.set_result(start(scenario))
    except (DemoUnavailable, OSError, ValueError) as error:
        started.set_exception(LambdatopError(f"the demo could not be started: {error}"))
    except BaseException as error:
        started.set_exception(error)
        raise


class DemoJournal:
    """A journal among the demo's own files, so that the user's stays as it is and nothing is left behind."""

    def __init__(self, run: DemoRun) -> None:
        self._run = run
        self._file: JournalStore | None = None

    def read(self) -> tuple[Entry, ...]:
        """Return all entries; none before the demo runs."""
        return self._open().read() if self._run.demo else ()

    def older(self) -> Iterator[tuple[Entry, ...]]:
        """Yield archives; none before the demo runs."""
        return self._open().older() if self._run.demo else iter(())

    def gap(self) -> str:
        """Return what is missing."""
        return self._open().gap() if self._run.demo else ""

    def intent(self, entry: Entry) -> None:
        """Write an intent."""
        self._open().intent(entry)

    def attempt(self, entry_id: str, at: float, number: int, detail: str) -> None:
        """Write that a call is sent again."""
        self._open().attempt(entry_id, at, number, detail)

    def outcome(self, entry_id: str, at: float, outcome: Outcome, detail: str, seen: State | None) -> None:
        """Write an outcome."""
        self._open().outcome(entry_id, at, outcome, detail, seen)

    def _open(self) -> JournalStore:
        from lambdatop.storage.journal_file import JournalFile

        if self._file is None:
            self._file = JournalFile(self._run.state_dir())
        return self._file


class DemoSpills:
    """Drained messages among the demo's own files, which are deleted at its end."""

    def __init__(self, run: DemoRun) -> None:
        self._run = run

    def open(self, scope: Scope, queue: str) -> Spill:
        """Return the file of a queue.

        Raises:
            LambdatopError: the demo does not run, or the file cannot be opened.
        """
        from lambdatop.engine.clock import SystemClock
        from lambdatop.storage.drained_messages import SpillFiles

        return SpillFiles(self._run.state_dir(), SystemClock().now).open(scope, queue)
