"""Compose the program: the one place where engine, aws, storage and config meet."""

from __future__ import annotations

import getpass
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct, field

from lambdatop import __version__
from lambdatop.cli import stdio
from lambdatop.cli.context import Context
from lambdatop.cli.log_file import close_log, open_log
from lambdatop.domain.errors import CredentialsError
from lambdatop.domain.ports.aws import Backend, Connect, EventSink, Source, View
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.ports.storage import JournalStore, SpillStore
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import FUNCTIONS, SourceSpec

if TYPE_CHECKING:
    from lambdatop.aws.sdk.connection import Connection
    from lambdatop.aws.sdk.mfa import MfaCodes
    from lambdatop.domain.state.world import World
    from lambdatop.engine.mutating.executor import Executor
    from lambdatop.engine.spend_meter import SpendMeter
    from lambdatop.engine.thread import EngineThread

Locate = Callable[[], Awaitable["Connection"]]
"""Says where to connect to; the demo starts its emulator in here, so that the screen is painted first."""


class Parts(Struct, frozen=True):
    """The parts of every command that talks to AWS; `waiting` get what opening a connection waits for."""

    clock: Clock
    meter: SpendMeter
    journal: JournalStore
    spills: SpillStore | None
    connect: Connect
    login: Callable[[], str] | None = None
    typed: Callable[[], None] = lambda: None
    answered: Callable[[], None] = lambda: None
    waiting: list[Callable[[str], None]] = field(default_factory=list)


@contextmanager
def wire(
    context: Context,
    locate: Locate | None = None,
    journal: JournalStore | None = None,
    spills: SpillStore | None = None,
    *,
    reads_only: bool = False,
    console: bool = False,
) -> Iterator[Parts]:
    """Yield the parts for one run, with the log open; the demo brings its own location, journal and spills.

    Commands that `reads_only` get no mutator in operator mode either. MFA codes are asked for here; after a
    wrong one again, except under the `console`, where `:login` does that.
    """
    from lambdatop.cli.terminal import mfa
    from lambdatop.cli.terminal.login import login_for
    from lambdatop.engine import rate_limiter
    from lambdatop.engine.clock import SystemClock
    from lambdatop.engine.spend_meter import SpendMeter
    from lambdatop.storage.drained_messages import SpillFiles
    from lambdatop.storage.journal_file import JournalFile

    settings = context.settings
    clock = SystemClock()
    # Nobody bills the demo's calls: they are counted at list price and held against no budget (0).
    meter = SpendMeter(clock, 0.0 if locate else settings.limits.budget_usd_per_hour)
    limiter = rate_limiter.TokenBuckets(clock, settings.limits)
    codes = None if locate else mfa.asked_codes(settings, os.environ, console=console)
    waiting: list[Callable[[str], None]] = [] if console else [stdio.message]
    read_only = settings.read_only or reads_only
    where = locate or _where_the_user_points(settings, codes, waiting, read_only=read_only)

    async def open_backend() -> Backend:
        from lambdatop.aws.connect import connect  # 250 ms of SDK; after the first frame, off the UI's thread

        while True:
            try:
                backend = await connect(
                    await where(), settings=settings, limiter=limiter, meter=meter, clock=clock
                )
                break
            except CredentialsError as error:
                if codes is None or console or not mfa.ask_again(error, settings, os.environ, codes):
                    raise
        limiter.in_region(backend.identified.scope.region)
        return backend

    if spills is None and locate is None:
        spills = SpillFiles(context.paths.state_dir, clock.now)
    login = login_for(settings, os.environ, codes) if console and not locate else None
    # The demo leaves no file behind, so it keeps no log either.
    log = open_log(None if locate else context.paths.log_file, debug=context.debug)
    try:
        kept = journal or JournalFile(context.paths.state_dir)
        yield Parts(clock, meter, kept, spills, open_backend, login, clock.typed, clock.answered, waiting)
    finally:
        close_log(log)


def _where_the_user_points(
    s: Settings, codes: MfaCodes | None, waiting: list[Callable[[str], None]], *, read_only: bool
) -> Locate:
    def message(sentence: str) -> None:
        for hear in waiting:
            hear(sentence)

    async def locate() -> Connection:
        from lambdatop.aws.sdk.connection import Connection

        return Connection(
            profile=s.profile,
            region=s.region,
            endpoint_url=s.endpoint_url,
            read_only=read_only,
            codes=codes,
            notify=message,
        )

    return locate


def engine_thread(context: Context, parts: Parts, record: EventSink | None = None) -> EngineThread:
    """Return engine on its own event loop, not started yet; `record` receives every event before the fold."""
    from lambdatop.engine.engine import Engine
    from lambdatop.engine.thread import EngineThread

    engine = Engine(
        parts.connect,
        context.settings,
        parts.clock,
        parts.journal,
        context.mode,
        __version__,
        parts.meter,
        record=record,
        spills=parts.spills,
    )
    parts.waiting.append(engine.connecting)
    return EngineThread(engine)


@asynccontextmanager
async def mitigation_flow(context: Context, parts: Parts) -> AsyncIterator[tuple[Backend, Executor]]:
    """Yield one connection and its executor, without collectors, for commands that do one thing."""
    from lambdatop.engine.mutating.factory import executor_on

    backend = await parts.connect()
    try:
        yield (
            backend,
            executor_on(
                backend,
                context.settings,
                parts.clock,
                parts.journal,
                context.mode,
                lambda events: None,
                actor=getpass.getuser(),
                spills=parts.spills,
            ),
        )
    finally:
        await backend.close()


async def functions_of(backend: Backend, now: float) -> World:
    """Return the list of functions, which shows who writes to which log group."""
    from lambdatop.domain.state.fold import fold_all
    from lambdatop.domain.state.world import EMPTY_WORLD

    return fold_all(EMPTY_WORLD, await source_of(backend, FUNCTIONS).collect(View(now)))


def source_of(backend: Backend, spec: SourceSpec) -> Source:
    """Return the collector of a source."""
    return next(source for source in backend.sources if source.name == spec.name)
