"""Run the engine on its own thread and event loop, and let the console call it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.facts.durable import ExecutionHistory, RunningExecutions
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.insights import ErrorsFound, Scan
from lambdatop.domain.loglines.tail import Older
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Plan, Proposal
from lambdatop.domain.ports.aws import Related
from lambdatop.domain.ports.console import Result
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.engine.engine import Engine
from lambdatop.engine.rate_limiter import urgent
from lambdatop.engine.unexpected import unexpected

T = TypeVar("T")

LAST_GRACE_S = 5.0


class EngineThread:
    """`domain.ports.console.Console`: every method may be called from any thread and returns at once.

    Futures raise LambdatopError with a sentence. Cancelling one does not cancel a mutation.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._live, name="lambdatop-engine", daemon=True)

    def start(self) -> None:
        """Start the thread; returns when its loop accepts work."""
        self._thread.start()
        self._begun.wait()

    def stop(self, timeout: float = 30.0) -> bool:
        """End the engine: finish mutations (at most `timeout` s), close the connection, join.

        False when a mutation had not ended by then: its outcome is in the journal as unknown or open,
        and the next start reads what became of it.
        """
        if not self._thread.is_alive():
            return True
        self._call(self._engine.stop)
        self._thread.join(timeout)
        if not self._thread.is_alive():
            return self._main is None or not self._main.cancelled()
        self.give_up()
        self._thread.join(LAST_GRACE_S)
        return False

    def give_up(self) -> None:
        """Let `stop` wait no longer: what was sent is written down as unknown."""
        if self._main is not None:
            self._call(self._main.cancel)

    def latest(self) -> Snapshot:
        """Return the newest snapshot without waiting."""
        return self._engine.latest()

    def watch(self, keys: frozenset[Key], live: bool | None = None) -> None:
        """Set the functions whose log tails are wanted.

        `live` None: by Live Tail where an incident is open.
        """
        self._call(lambda: self._engine.watch(keys, live))

    def set_visible(self, rows: frozenset[Key], *, full: bool = False) -> None:
        """Set the functions whose rows are on screen.

        `full`: all series of all functions once, at any price.
        """
        self._call(lambda: self._engine.set_visible(rows, full=full))

    def refresh(self) -> None:
        """Collect everything now."""
        self._call(self._engine.refresh)

    def reconnect(self) -> None:
        """Connect anew at once, with the credentials that are there now; what is known is kept."""
        self._call(self._engine.reconnect)

    def find(self, target: str, kinds: Collection[str]) -> Future[Key]:
        """Return the key of a name, ARN, UUID or URL."""
        return self._ask(self._engine.find(target, kinds))

    def related(self, function: Key, kind: str) -> Future[Related]:
        """Return the aliases of a function, or what of a kind invokes it, read now."""
        return self._ask(self._engine.related(function, kind))

    def executions(self, function: Key) -> Future[RunningExecutions]:
        """Return the durable executions of a function that run now, read now."""

        async def read() -> RunningExecutions:
            with urgent():
                return await (await self._engine.executions()).running(function)

        return self._ask(read())

    def history(self, function: Key, path: str) -> Future[ExecutionHistory]:
        """Return what a durable execution (`version/name/id`) of a function has done, read now."""

        async def read() -> ExecutionHistory:
            with urgent():
                return await (await self._engine.executions()).history(function, path)

        return self._ask(read())

    def who(self, key: Key) -> Future[tuple[TrailEvent, ...]]:
        """Return who changed this lately, newest first, as CloudTrail has it."""
        return self._ask(self._engine.who(key))

    def older_logs(self, functions: frozenset[Key], before: float) -> Future[Older]:
        """Return a page of their logs up to `before` (s since the epoch, inclusive)."""
        return self._ask(self._engine.questions.older(functions, before))

    def log_scan(self, functions: frozenset[Key], minutes: float) -> Future[Scan]:
        """Return what asking Logs Insights for their errors of the last `minutes` would scan and cost."""
        return self._ask(self._engine.questions.scan(functions, minutes))

    def log_errors(self, scan: Scan) -> Future[ErrorsFound]:
        """Ask Logs Insights, for money; cancelling the future stops the query."""
        return self._ask(self._engine.questions.errors(scan))

    def propose(self, mitigation: str, target: Key, params: Mapping[str, Any]) -> Future[Proposal]:
        """Read the target fresh and plan."""

        async def plan() -> Proposal:
            return await (await self._engine.proposals()).propose(mitigation, target, params)

        return self._ask(plan())

    def propose_undo(self, entry_id: str | None) -> Future[Proposal]:
        """Plan the undo of one entry, or of the newest that can be undone."""

        async def plan() -> Proposal:
            return await (await self._engine.proposals()).propose_undo(entry_id)

        return self._ask(plan())

    def execute(self, plan: Plan, confirmed_at: float) -> Future[Result]:
        """Carry a confirmed plan out (`confirmed_at` in s since the epoch)."""
        return self._ask(self._engine.execute(plan, confirmed_at))

    def recover(self) -> Future[tuple[Entry, ...]]:
        """Settle open intents of dead processes now."""
        return self._ask(self._engine.recover())

    def snapshot_once(self, wait_s: float) -> Future[Snapshot]:
        """Return a snapshot as soon as everything worth asking was asked, at most after `wait_s`."""
        return self._ask(self._engine.snapshot_once(wait_s))

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except (asyncio.CancelledError, CancelledError):
            pass  # `stop` ran out of patience
        except BaseException as error:  # nothing may die silently in a thread
            self._engine.announce(unexpected("the engine", error))
        finally:
            self._loop = None
            self._begun.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.ensure_future(self._engine.run())
        self._begun.set()
        await self._main

    def _call(self, function: Callable[[], object]) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(function)
            except RuntimeError:
                return  # the loop was closed in between; there is nobody left to tell

    def _ask(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        loop = self._loop
        if loop is not None:
            try:
                return asyncio.run_coroutine_threadsafe(work, loop)
            except RuntimeError:
                pass  # the loop was closed in between
        work.close()
        gone: Future[T] = Future()
        gone.set_exception(LambdatopError("lambdatop's engine has stopped; nothing was done."))
        return gone
