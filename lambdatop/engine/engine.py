"""Run the engine: keep a connection, run the collectors, fold, publish, and own every mutation."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.errors import CredentialsError, LambdatopError, SourceError
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.aws import Backend, Connect, DurableExecutions, EventSink, Related
from lambdatop.domain.ports.console import Result
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.ports.storage import JournalStore, SpillStore
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import LOGS, METRICS
from lambdatop.domain.state.events import Event
from lambdatop.domain.state.snapshot import Mode, Snapshot
from lambdatop.engine import housekeeping
from lambdatop.engine.clock import SetBack, wait_at_most
from lambdatop.engine.collecting import reconnect as link
from lambdatop.engine.collecting.collector import Setting, without_promise
from lambdatop.engine.collecting.collectors import UNHURRIED, SourceCollectors
from lambdatop.engine.collecting.focus import Attention
from lambdatop.engine.collecting.mailbox import Feed
from lambdatop.engine.collecting.one_shot import OneShot
from lambdatop.engine.collecting.publisher import Build, FoldAll, Publisher
from lambdatop.engine.collecting.work import Work
from lambdatop.engine.log_questions import LogQuestions
from lambdatop.engine.mutating.executor import Executor
from lambdatop.engine.mutating.factory import executor_on, noticed
from lambdatop.engine.mutating.proposals import Proposals
from lambdatop.engine.spend_meter import SpendMeter
from lambdatop.engine.unexpected import unexpected

TICK_S, FRAME_S, FIRST_FRAME_S = 1.0, 0.25, 0.02
REST_OF_FRAMES, REST_OF_TICKS = 3, 60
"""How many times as long as building a snapshot takes nothing is built, after news and without any."""


class Engine:
    """Everything behind one `Backend`. Lives on one event loop; `thread.py` gives it its own.

    `collect` False connects and can plan and execute, but asks for nothing else (`mitigate`, `undo`).
    `record` sees every event right before it is folded; it must not raise.
    """

    def __init__(
        self,
        connect: Connect,
        settings: Settings,
        clock: Clock,
        journal: JournalStore,
        mode: Mode,
        version: str,
        meter: SpendMeter,
        *,
        collect: bool = True,
        record: EventSink | None = None,
        fold_all: FoldAll | None = None,
        build: Build | None = None,
        spills: SpillStore | None = None,
        on_loaded: Callable[[], None] = gc.freeze,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._journal = journal
        self._mode = mode
        self._meter = meter
        self._collect = collect
        self._spills = spills
        self._on_loaded = on_loaded
        self._feed = Feed(record)
        self._publisher = Publisher(clock, settings, mode, version, fold_all, build)
        self.questions = LogQuestions(self._open, lambda: self._publisher.world, clock)
        self._link = link.Link(connect, clock, self._adopt, self._connection_reported)
        self._scope = Scope("", settings.region or "")
        self._report = housekeeping.reporter(clock, self._where, self._feed.post)
        self._attention = Attention(clock, self._publisher, live_in_incidents=settings.logs.live_in_incidents)
        self._backend: Backend | None = None
        self._executor: Executor | None = None
        self._open_backends: list[Backend] = []
        self._work = Work()
        self._collectors = SourceCollectors(settings)
        self._set_back = SetBack(clock)
        self._from_the_future = False
        self._refused: LambdatopError | None = None
        self._answered = asyncio.Event()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # What the console may ask. All of it is called on the engine's loop, except `latest`.

    def latest(self) -> Snapshot:
        """Return the newest snapshot.

        Safe from any one thread; the caller must not use earlier ones after another call.
        """
        return self._publisher.take_latest()

    def watch(self, keys: frozenset[Key], live: bool | None = None) -> None:
        """Set the functions whose log tails are wanted; `live` None: by Live Tail in an incident.

        What invokes them is looked for at once, unless that was done a moment ago.
        """
        names = (LOGS.name,) if self._attention.watch(keys, live) else ()
        for name in (*names, *self._attention.to_look_up()):
            self._collectors.wake(name)

    def set_visible(self, rows: frozenset[Key], *, full: bool = False) -> None:
        """Set the functions whose rows are shown; `full`: all series of all functions once, at any price."""
        if self._attention.set_visible(rows, full=full):
            self._collectors.wake(METRICS.name)

    def refresh(self) -> None:
        """Collect everything now; connect now, if there is no connection."""
        self._link.hurry()
        self._collectors.refresh()

    def reconnect(self) -> None:
        """Connect anew at once: somebody logged in."""
        self._link.renew()

    async def find(self, target: str, kinds: Collection[str]) -> Key:
        """Return the key of a name, ARN, UUID or URL; raise TargetNotFound."""
        return await (await self._open()).reader.find(target, kinds)

    async def related(self, function: Key, kind: str) -> Related:
        """Return the aliases of a function, or what of a kind invokes it, read now."""
        return await (await self._open()).reader.related(function, kind)

    async def executions(self) -> DurableExecutions:
        """Return what reads durable executions on the present connection; raise LambdatopError."""
        found = (await self._open()).executions
        if found is None:
            raise LambdatopError("This connection cannot read durable executions.")
        return found

    async def who(self, key: Key) -> tuple[TrailEvent, ...]:
        """Return who changed this lately, newest first, as CloudTrail has it; raise LambdatopError."""
        return await (await self._open()).reader.who(key)

    async def proposals(self) -> Proposals:
        """Return what makes the plans of the present connection; raises LambdatopError."""
        return (await self._connected()).proposals

    async def execute(self, plan: Plan, confirmed_at: float) -> Result:
        """Carry a confirmed plan out; cancelling the caller does not cancel it."""
        executor = await self._connected()
        if self._stopping.is_set():
            return Result("not-sent", "lambdatop is closing; nothing was sent.")
        return await executor.execute(plan, confirmed_at)

    async def recover(self) -> tuple[Entry, ...]:
        """Settle open intents of dead processes now; the entries that were settled."""
        return await (await self._connected()).recover()

    async def snapshot_once(self, wait_s: float) -> Snapshot:
        """Return a snapshot once everything worth asking was asked, at most after `wait_s`.

        Its gaps list the rest.

        Raises:
            LambdatopError: the first attempt to connect failed.
        """
        deadline = self._clock.monotonic() + wait_s
        if not await wait_at_most(self._clock, self._answered, wait_s):
            raise SourceError(f"There was no connection within {wait_s:g} s; a longer wait may help.")
        if self._executor is None and self._refused is not None:
            raise self._refused
        asking = OneShot(self._clock, self._collectors, self._attention.view, self._publisher.publish)
        await asking.ask_on(deadline)
        if self._backend is not None and (odd := self._backend.oddities()):
            self._report(housekeeping.ANSWERS, "stale", odd)
        self._publisher.fold(self._feed.take_now())
        made = self._publisher.publish()
        sources = tuple(replace(s, error=without_promise(s.error)) for s in made.sources)
        return replace(made, gaps=asking.gaps(made.gaps), sources=sources)

    def connecting(self, sentence: str) -> None:
        """Publish what opening the connection waits for; from the engine's own loop."""
        self._report(link.NAME, "starting", sentence)

    def announce(self, sentence: str) -> None:
        """Put the engine's failure into the snapshot.

        Safe once its loop has ended.
        """
        self._publisher.announce(sentence)

    @property
    def busy(self) -> bool:
        """Whether a change is under way. Safe from any thread."""
        return self._work.busy

    def stop(self) -> None:
        """End `run`: mutations under way are finished first."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until `stop`. Cancelling it ends the engine without waiting for mutations."""
        try:
            self._report(link.NAME, "starting")
            for part in self._parts():
                self._spawn(part)
            await self._stopping.wait()
            await self._work.drain()
        finally:
            await self._end()

    def _parts(self) -> tuple[Coroutine[Any, Any, None], ...]:
        clock, post, scope = self._clock, self._feed.post, self._where
        return (
            self._fold(),
            self._frames(),
            self._link.run(),
            housekeeping.watch_journal(clock, self._journal, scope, post, self._report),
            housekeeping.watch_spend(clock, self._meter, scope, post),
        )

    # The loops. Each of them survives every error but cancellation.

    async def _fold(self) -> None:
        while True:
            events = await self._feed.take()
            self._publisher.fold(events)
            # Only what is folded counts as known: dependent sources look at the World.
            if self._collectors.note(events):
                self._on_loaded()
            self._changed.set()

    async def _frames(self) -> None:
        cost_s = 0.0
        while True:
            # What comes with time alone is looked for more seldom where looking is dear.
            await wait_at_most(self._clock, self._changed, max(TICK_S, cost_s * REST_OF_TICKS))
            self._changed.clear()
            self._notice_set_back()
            begun = self._clock.monotonic()
            self._publisher.publish()
            cost_s = self._clock.monotonic() - begun
            pause_s = FRAME_S if self._publisher.latest.functions else FIRST_FRAME_S
            await self._clock.sleep(max(pause_s, cost_s * REST_OF_FRAMES))

    def _notice_set_back(self) -> None:
        """Read everything anew once the clock was set back.

        What comes from then on would count as late beside what is known, for as long as it was set back.
        """
        back_s = self._set_back.seconds()
        if back_s:
            self._from_the_future = True
            self._publisher.forget_reports()
            sentence = f"The clock was set back by {back_s:,.0f} s: everything is read anew."
            self._report(link.NAME, "starting", sentence)
            self._link.renew()

    # The connection.

    async def _adopt(self, backend: Backend) -> None:
        """Take a connection into use at once; the former one is closed when no change is on its way there."""
        identified = noticed(self._backend, backend.identified)
        self._open_backends.append(backend)
        await self._collectors.stop()
        scope = backend.identified.scope
        if self._from_the_future:
            self._publisher.fold(self._feed.take_now())  # of the former time, too
        if self._from_the_future or (scope != self._scope and self._publisher.world.targets):
            self._publisher.forget()
        self._from_the_future = False
        former, left = self._backend, self._executor
        self._scope, self._backend = scope, backend
        self._executor = executor = self._executor_on(backend)
        if former is not None and left is not None:
            left.hand_over(executor)
            self._spawn(self._leave(former, left))
        sources = backend.sources if self._collect else ()
        self._feed.post((identified,))
        for source in sources:
            if source.name not in UNHURRIED:
                self._report(source.name, "starting")
        attention = self._attention
        setting = Setting(
            scope, self._clock, attention.view, attention.noting(self._feed.post), self._source_failed
        )
        self._collectors.start(sources, setting, self._spawn)
        self._collectors.tasks.add(
            self._spawn(housekeeping.settle_intents(self._clock, executor, self._report))
        )
        if self._collect:
            odd = housekeeping.watch_oddities(self._clock, backend.oddities, self._report)
            for chore in (odd, housekeeping.watch_standing(self._clock, executor)):
                self._collectors.tasks.add(self._spawn(chore))
        self._refused = None
        self._answered.set()

    def _executor_on(self, backend: Backend) -> Executor:
        scope = backend.identified.scope

        def sink(events: Sequence[Event]) -> None:
            if scope == self._scope:  # a change on a former connection is none of another account's news
                self._feed.post(events)

        return executor_on(
            backend,
            self._settings,
            self._clock,
            self._journal,
            self._mode,
            sink,
            spills=self._spills,
            latest=lambda: self._publisher.latest,
            work=self._work,
        )

    async def _leave(self, backend: Backend, executor: Executor) -> None:
        """Close a former connection, after the changes that are on their way there."""
        await executor.quiet()
        await self._close(backend)

    async def _close(self, backend: Backend) -> None:
        self._open_backends.remove(backend)
        try:
            await backend.close()
        except Exception as error:  # sockets that do not close must not stop a new connection
            unexpected("closing the connection", error)

    async def _connected(self) -> Executor:
        """Return the executor; wait for the first answer of the connection attempt and no longer."""
        await self._answered.wait()
        if self._executor is None:
            raise self._refused or LambdatopError("There is no connection now; try again in a moment.")
        return self._executor

    async def _open(self) -> Backend:
        await self._connected()
        if self._backend is None:
            raise LambdatopError("The connection was closed; nothing was looked up.")
        return self._backend

    def _connection_reported(self, error: LambdatopError | None, next_in_s: float) -> None:
        if error is None:
            self._report(link.NAME)
            return
        if self._executor is None:
            self._refused = error
            self._answered.set()
        self._report(link.NAME, "failed", str(error), next_in_s)

    def _source_failed(self, error: BaseException) -> None:
        if isinstance(error, CredentialsError):
            self._link.lost()

    def _where(self) -> Scope:
        return self._scope

    # Housekeeping.

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._publisher.announce(unexpected("the engine", error), lasting=True)

    async def _end(self) -> None:
        self._stopping.set()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._work.abandon()  # nothing is left unless `run` itself was cancelled
        self._backend = self._executor = None
        await self._collectors.stop()
        for backend in tuple(self._open_backends):
            await self._close(backend)
