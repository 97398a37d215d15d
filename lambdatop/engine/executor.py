"""Carries confirmed plans out: fresh read, intent on disk, one call, read back, outcome on disk.

A call that is on its way is never cancelled: it runs in a task of its own, which the caller only
watches. In read-only mode there is no mutator, and nothing here could make one.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lambdatop.domain.aftermath import standing
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.events import Control, ControlObserved, Event, JournalRead
from lambdatop.domain.journal import Entry
from lambdatop.domain.plan import CLOCK_SLACK_S, CONFIRMATION_LIFE_S, Plan, Proposal, State
from lambdatop.domain.ports import (
    Clock,
    EventSink,
    JournalStore,
    Lease,
    Mutator,
    Reader,
    Result,
    SpillStore,
)
from lambdatop.domain.scope import Key, Scope
from lambdatop.domain.snapshot import Mode
from lambdatop.domain.values import dataclass
from lambdatop.engine import recovery
from lambdatop.engine.budget import mutating, urgent
from lambdatop.engine.commit import Committer, drift
from lambdatop.engine.proposals import NOWHERE_SPECIAL, Place, Planning, Proposals
from lambdatop.engine.settle import look
from lambdatop.engine.steps import Course

LAST_SECONDS_S = 120.0
"""A call, its read back and a recovery take so long at most; no change is begun with less left."""
STANDING_READ = 20
"""Standing mutations that are looked at in a round, the newest: each target costs a call."""


@dataclass(frozen=True, slots=True)
class Process:
    """Who writes into the journal: this machine and this process."""

    host: str
    pid: int


def this_process() -> Process:
    """The running process."""
    return Process(socket.gethostname(), os.getpid())


class Executor:
    """The one corridor for every change. One mutation per target at a time; the next one waits.

    `scope` is where reader and mutator are connected to: plans and journal entries of other accounts
    or regions are not touched. `sink` receives what the screen should know at once.
    """

    def __init__(
        self,
        clock: Clock,
        journal: JournalStore,
        reader: Reader,
        mutator: Mutator | None,
        actor: str,
        mode: Mode,
        sink: EventSink,
        *,
        scope: Scope,
        allow_destructive: bool = True,
        planning: Planning | None = None,
        process: Process | None = None,
        place: Place = NOWHERE_SPECIAL,
        spills: SpillStore | None = None,
        lease: Lease | None = None,
        expires_at: Callable[[], float | None] = lambda: None,
        changes_refused: str = "",
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._reader = reader
        self._mutator = mutator if mode == "operator" else None
        self._actor = actor
        self._sink = sink
        self._scope = scope
        self._allow_destructive = allow_destructive
        self._process = process or this_process()
        self._ages = recovery.Ages(clock, self._process.host)
        self._proposals = Proposals(clock, journal, reader, scope, planning, place)
        self._committer = Committer(clock, journal, reader, spills, lease)
        self._expires_at = expires_at
        self._changes_refused = changes_refused
        self._closing = asyncio.Event()
        self._locks: defaultdict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._running: set[asyncio.Task[Result]] = set()
        self._spent: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether a mutation is under way."""
        return bool(self._running)

    async def propose(self, name: str, target: Key, params: Mapping[str, Any]) -> Proposal:
        """Read the target fresh and plan; raises LambdatopError with a sentence."""
        with urgent():
            return self._warned(await self._proposals.propose(name, target, params))

    async def propose_undo(self, wanted: str | None) -> Proposal:
        """Plan the undo of one entry (its id, a unique beginning, a target's name), or of the newest."""
        with urgent():
            return self._warned(await self._proposals.propose_undo(wanted))

    async def names_of(self, plan: Plan) -> tuple[str, ...]:
        """Names that confirm an undo: the target's own, and those that the change was made with."""
        if plan.undoes is None:
            return ()
        return await self._proposals.names_of(plan.undoes)

    def _warned(self, proposal: Proposal) -> Proposal:
        """A plan that may be looked at but not carried out says so before somebody confirms it."""
        if not self._changes_refused or not isinstance(proposal, Plan):
            return proposal
        return replace(proposal, warnings=(self._changes_refused, *proposal.warnings))

    async def execute(self, plan: Plan, confirmed_at: float, called: tuple[str, ...] = ()) -> Result:
        """Carry a plan out that was confirmed at `confirmed_at` (s since the epoch).

        `called` is how the user called the target and what was typed to confirm; the undo takes the same.
        Cancelling the caller does not cancel the execution.
        """
        mutator = self._mutator
        if mutator is None:
            return Result("read-only", "Read-only mode: nothing was sent, and nothing here could send it.")
        typed = () if plan.confirm == "key" else (plan.confirm,)
        task = asyncio.ensure_future(self._carry_out(mutator, plan, confirmed_at, (*called, *typed)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait until no mutation is under way; of plans in steps, what is not begun is not sent any more."""
        self.stop_waiting()
        while self._running:
            await asyncio.wait(self._running)

    def stop_waiting(self) -> None:
        """Plans in steps wait no longer for what a step was to bring about, and send nothing further."""
        self._closing.set()

    async def abandon(self) -> None:
        """Stop waiting for mutations: what was sent is written down as unknown."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def recover(self) -> tuple[Entry, ...]:
        """Settle intents of dead processes and lost answers: read AWS's state, write the outcome.

        Returns the settled entries. In read-only mode there are none: the journal is not written to. Raises
        LambdatopError when the journal cannot be read or written.
        """
        if self._mutator is None:
            return ()
        found = await recovery.recover(
            self._clock, self._journal, self._reader, self._scope, self._ages, self._mine
        )
        if found:
            await self._tell(())
        return found

    async def look_at_standing(self) -> None:
        """Read what our standing mutations have set and tell it: somebody may have changed it since.

        Raises LambdatopError when the journal cannot be read.
        """
        entries = await asyncio.to_thread(self._journal.read)
        fields: dict[Key, dict[str, None]] = {}
        for entry in standing(entries, self._scope, self._clock.now())[:STANDING_READ]:
            fields.setdefault(entry.target, {}).update(dict.fromkeys(entry.after))
        for target, wanted in fields.items():
            at = self._clock.now()
            found = await look(self._reader, target, wanted)
            if found.state is not None and not self.busy:
                controls = tuple(Control(target, field, value) for field, value in found.state.items())
                self._sink((ControlObserved(self._scope, at, controls),))

    async def unsettled(self) -> tuple[Entry, ...]:
        """Entries of this account and region whose end is still to be found out."""
        return tuple(recovery.unsettled(await asyncio.to_thread(self._journal.read), self._scope))

    def _mine(self, entry: Entry) -> bool:
        """Whether somebody is still at work on an open entry."""
        process = self._process
        if (entry.host, entry.pid) == (process.host, process.pid):
            return entry.id in self._spent and self.busy
        return recovery.may_be_alive(entry, process.host, self._ages.at_least_s(entry))

    async def _carry_out(
        self, mutator: Mutator, plan: Plan, confirmed_at: float, called: tuple[str, ...]
    ) -> Result:
        if not plan.steps:
            return await self._one(mutator, plan, confirmed_at, called)
        refused = self._void(plan, confirmed_at)
        if refused:
            return refused
        self._spent.add(plan.id)

        async def step(part: Plan) -> Result:
            # The whole was confirmed in time; a later step has its own look at what is there instead.
            return await self._one(mutator, part, self._clock.now(), called)

        return await Course(self._clock, self._reader, self._closing, step).run(plan)

    async def _one(
        self, mutator: Mutator, plan: Plan, confirmed_at: float, called: tuple[str, ...]
    ) -> Result:
        async with self._locks[plan.target.key]:
            with mutating():
                began = self._clock.monotonic()
                refused = self._void(plan, confirmed_at) or await drift(self._reader, plan)
                # The read may have taken long; the confirmation is for now, not for then.
                waited_s = self._clock.monotonic() - began
                refused = refused or self._void(plan, confirmed_at, waited_s) or self._dying()
                if refused:
                    return refused
                try:
                    actor = await mutator.signer(plan.call)
                except LambdatopError as error:
                    return Result("not-sent", f"Nothing was sent. {error}")
                # Asking may have taken long, too.
                waited_s = self._clock.monotonic() - began
                refused = self._void(plan, confirmed_at, waited_s) or self._dying()
                if refused:
                    return refused
                self._spent.add(plan.id)
                result = await self._committer.commit(mutator, plan, self._entry(plan, actor, called))
                if result.entry is not None:
                    await self._tell(self._controls(plan.target.key, result.now))
                return result

    def _dying(self) -> Result | None:
        """Credentials that end too soon: asked after a read, which renews them where that is possible."""
        expires_at = self._expires_at()
        if expires_at is None or expires_at - self._clock.now() >= LAST_SECONDS_S:
            return None
        words = f"The credentials end in less than {LAST_SECONDS_S / 60:.0f} minutes; nothing was sent."
        return Result("not-sent", f"{words} Log in again (`:login` in the console), then confirm it anew.")

    def _void(self, plan: Plan, confirmed_at: float, waited_s: float = 0.0) -> Result | None:
        """Why the plan is not sent; `waited_s` since the check began, by a clock that nobody can set."""
        if self._changes_refused:
            return Result("not-sent", self._changes_refused)
        if plan.scope != self._scope:
            words = f"The plan is for {plan.scope}, the connection is to {self._scope}; nothing was sent."
            return Result("not-sent", words)
        if plan.tier == "T3" and not self._allow_destructive:
            words = f"{plan.mitigation} cannot be undone, and allow_destructive is false; nothing was sent."
            return Result("not-sent", words)
        if plan.id in self._spent:
            return Result("not-sent", "This plan was carried out already; nothing more was sent.")
        age = self._clock.now() - confirmed_at
        if age < -CLOCK_SLACK_S:
            words = "The clock was set back, so the age of the confirmation is not known; nothing was sent."
            return Result("expired", words)
        if max(age, waited_s) > CONFIRMATION_LIFE_S:
            words = f"The confirmation is older than {CONFIRMATION_LIFE_S:.0f} s; nothing was sent."
            return Result("expired", words)
        return None

    def _entry(self, plan: Plan, actor: str, called: tuple[str, ...]) -> Entry:
        own = (plan.target.key.id, plan.target.arn, plan.target.name)
        return Entry(
            id=plan.id,
            at=self._clock.now(),
            mitigation=plan.mitigation,
            target=plan.target.key,
            arn=plan.target.arn,
            actor=actor or self._actor,
            host=self._process.host,
            pid=self._process.pid,
            call=plan.call,
            before=plan.before,
            after=plan.after,
            undo=plan.undo,
            undoes=plan.undoes,
            plan_digest=plan.digest(),
            deadline=plan.deadline,
            deadline_latest=plan.deadline_latest,
            label=plan.target.name,
            called=tuple(name for name in dict.fromkeys(called) if name not in own),
            depth=plan.depth,
            uptime=self._clock.uptime(),
        )

    def _controls(self, target: Key, seen: State | None) -> tuple[Event, ...]:
        controls = tuple(Control(target, field, value) for field, value in (seen or {}).items())
        return (ControlObserved(self._scope, self._clock.now(), controls),) if controls else ()

    async def _tell(self, events: tuple[Event, ...]) -> None:
        try:
            entries = await asyncio.to_thread(self._journal.read)
        except LambdatopError:
            self._sink(events)  # the engine's own look at the journal reports what is wrong with it
            return
        self._sink((*events, JournalRead(self._scope, self._clock.now(), entries)))
