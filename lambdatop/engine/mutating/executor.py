"""Carry out confirmed plans: fresh read, intent on disk, one call, read back, outcome on disk.

A call that is on its way is never cancelled: it runs in a task of its own, which the caller only
watches. In read-only mode there is no mutator, and nothing here could make one.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Callable

from msgspec import Struct

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.command import NOWHERE_SPECIAL, Place
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import CLOCK_SLACK_S, CONFIRMATION_LIFE_S, Plan, State
from lambdatop.domain.plans.unfinished import NOT_BEGUN, Halfway
from lambdatop.domain.ports.aws import EventSink, Lease, Mutator, Reader
from lambdatop.domain.ports.console import Result
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.ports.storage import JournalStore, SpillStore
from lambdatop.domain.state.aftermath import standing
from lambdatop.domain.state.events import Control, ControlObserved, Event, JournalRead
from lambdatop.domain.state.snapshot import Mode, Snapshot
from lambdatop.engine.collecting.work import Work
from lambdatop.engine.mutating import recovery
from lambdatop.engine.mutating.commit import Committer, drift
from lambdatop.engine.mutating.composite import Course
from lambdatop.engine.mutating.in_progress import ended_halfway
from lambdatop.engine.mutating.one_by_one import OneByOne
from lambdatop.engine.mutating.proposals import Proposals
from lambdatop.engine.mutating.read_back import read_fields
from lambdatop.engine.rate_limiter import mutating

READ_ONLY = Result("read-only", "Read-only mode: nothing was sent, and nothing here could send it.")
LAST_SECONDS_S = 120.0
"""A call, its read back and a recovery take so long at most; no change is begun with less left."""
_OWN_SESSION = re.compile(r"/botocore-session-\d+$")
"""The name that botocore gives a role session where the profile gives none: a new one each time."""
STANDING_READ = 20
"""Standing mutations that are looked at in a round, the newest: each target costs a call."""


class Process(Struct, frozen=True):
    """Who writes into the journal: this machine and this process."""

    host: str
    pid: int


def _holder(arn: str) -> str:
    """Return whose credentials these are: the SDK makes a role's own session name anew with each login."""
    return _OWN_SESSION.sub("", arn)


def this_process() -> Process:
    """Return the running process."""
    return Process(socket.gethostname(), os.getpid())


class Executor:
    """The one path of every change. One mutation per target at a time; the next one waits.

    `scope` is where reader and mutator are connected to: plans and journal entries of other accounts
    or regions are not touched. `sink` receives what the screen should know at once. `work` is shared with the
    executors of later connections. `proposals` makes the plans.
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
        process: Process | None = None,
        place: Place = NOWHERE_SPECIAL,
        spills: SpillStore | None = None,
        lease: Lease | None = None,
        expires_at: Callable[[], float | None] = lambda: None,
        changes_refused: str = "",
        latest: Callable[[], Snapshot | None] = lambda: None,
        work: Work | None = None,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self.reader = reader
        self._mutator = mutator if mode == "operator" else None
        self._actor = actor
        self._sink = sink
        self._scope = scope
        self._allow_destructive = allow_destructive
        self._process = process or this_process()
        self._ages = recovery.Ages(clock, self._process.host)
        self.proposals = Proposals(clock, journal, reader, scope, place, changes_refused, latest)
        self._work = work or Work()
        self._committer = Committer(clock, journal, reader, spills, lease, self._work.interrupted.is_set)
        self._expires_at = expires_at
        self._changes_refused = changes_refused
        self._follower: Executor | None = None
        self._calls = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def busy(self) -> bool:
        """Whether a mutation is under way, on whichever connection."""
        return self._work.busy

    async def execute(self, plan: Plan, confirmed_at: float, called: tuple[str, ...] = ()) -> Result:
        """Carry a plan out that was confirmed at `confirmed_at` (s since the epoch).

        `called` is how the user called the target and what was typed to confirm; the undo takes the same.
        Cancelling the caller does not cancel the execution.
        """
        if self._mutator is None:
            return READ_ONLY
        typed = () if plan.confirm == "key" else (plan.confirm,)
        self._work.called[plan.id] = (*called, *typed)
        return await asyncio.shield(self._work.start(self._carry_out(plan, confirmed_at)))

    def hand_over(self, follower: Executor) -> None:
        """Let another connection go on with what waits here; a call on its way ends on this one."""
        self._follower = follower

    async def quiet(self) -> None:
        """Wait until no change uses this connection any more: then it may be closed."""
        await self._quiet.wait()

    async def drain(self) -> None:
        """Wait until no mutation is under way; of plans in steps, what is not begun is not sent any more."""
        await self._work.drain()

    def interrupt(self) -> None:
        """Send nothing that is not on its way already; what is, goes on to its end."""
        self._work.interrupt()

    async def abandon(self) -> None:
        """Stop waiting for mutations: what was sent is written down as unknown."""
        await self._work.abandon()

    async def recover(self) -> tuple[Entry, ...]:
        """Settle intents of dead processes and lost answers: read AWS's state, write the outcome.

        Returns the settled entries. In read-only mode there are none: the journal is not written to; nor
        where nothing may be changed, because whoever answers there would say what became of changes in AWS.
        Raises LambdatopError when the journal cannot be read or written.
        """
        if self._mutator is None or self._changes_refused:
            return ()
        found = await recovery.recover(
            self._clock, self._journal, self.reader, self._scope, self._ages, self._mine
        )
        if found:
            await self._publish(())
        return found

    async def settle_standing(self) -> None:
        """Read what our standing mutations have set and tell it: somebody may have changed it since.

        Raises LambdatopError when the journal cannot be read.
        """
        entries = await asyncio.to_thread(self._journal.read)
        fields: dict[Key, dict[str, None]] = {}
        for entry in standing(entries, self._scope, self._clock.now())[:STANDING_READ]:
            fields.setdefault(entry.target, {}).update(dict.fromkeys(entry.after))
        for target, wanted in fields.items():
            at = self._clock.now()
            found = await read_fields(self.reader, target, wanted)
            if found.state is not None and not self.busy:
                controls = tuple(Control(target, field, value) for field, value in found.state.items())
                self._sink((ControlObserved(self._scope, at, controls),))

    async def unsettled(self) -> tuple[Entry, ...]:
        """Return the entries of this account and region whose outcome is still to be determined."""
        return tuple(recovery.unsettled(await asyncio.to_thread(self._journal.read), self._scope))

    async def halfway(self) -> tuple[Halfway, ...]:
        """Return plans in steps of this account and region that ended halfway and of which something stands.

        Raises LambdatopError when the journal cannot be read.
        """
        entries = await asyncio.to_thread(self._journal.read)
        here = tuple(e for e in entries if e.target.scope == self._scope)
        return ended_halfway(here, self._clock, own_works=self.busy)

    def _mine(self, entry: Entry) -> bool:
        """Return whether somebody is still at work on an open entry."""
        process = self._process
        if (entry.host, entry.pid) == (process.host, process.pid):
            return entry.id in self._work.spent and self.busy
        return recovery.may_be_alive(entry, process.host, self._ages.at_least_s(entry))

    async def _carry_out(self, plan: Plan, confirmed_at: float) -> Result:
        if not plan.steps:
            return await self._one(plan, confirmed_at)
        refused = self._void(plan, confirmed_at)
        if refused:
            return refused
        self._work.spent.add(plan.id)
        if plan.pace_s:
            return await OneByOne(self._clock, self._work.closing, self._ground, self._not_sent).run(plan)
        return await Course(self._clock, self._work.closing, self._ground, self._not_begun).run(plan)

    def _ground(self) -> Executor | str:
        """Return the executor of the present connection, or why it may not go on with what waits here."""
        here = self
        while here._follower is not None:
            if other := here._unlike(here._follower):
                return other
            here = here._follower
        return here

    def _unlike(self, follower: Executor) -> str:
        """Return how the next connection differs from the one that the plan was confirmed for, or ""."""
        if follower._scope != self._scope:
            return f"lambdatop was connected to {follower._scope} instead of {self._scope}"
        if _holder(follower._actor) != _holder(self._actor):
            return f"lambdatop was connected as {follower._actor} instead of {self._actor}"
        if follower._mutator is None or follower._changes_refused:
            return "the new connection may not change anything"
        return ""

    async def step(self, whole: Plan, part: Plan) -> Result:
        """Carry out one step of a plan that was confirmed in time; it has its own look at what is there."""
        return await self._one(part, self._clock.now(), whole)

    async def _not_begun(self, whole: Plan, part: Plan, why: str) -> None:
        await self._not_sent(whole, part, f"{NOT_BEGUN}: {why}")

    async def _not_sent(self, whole: Plan, part: Plan, detail: str) -> None:
        await self._committer.not_sent(self._entry(part, whole, self._actor), detail)

    async def _one(self, plan: Plan, confirmed_at: float, whole: Plan | None = None) -> Result:
        here = self._ground()
        if isinstance(here, str):
            return Result("not-sent", f"Nothing was sent: {here}.")
        if here is not self:
            return await here._one(plan, confirmed_at, whole)
        self._calls += 1
        self._quiet.clear()
        try:
            async with self._work.locks[plan.target.key]:
                return await self._locked(plan, confirmed_at, whole)
        finally:
            self._calls -= 1
            if not self._calls:
                self._quiet.set()

    async def _locked(self, plan: Plan, confirmed_at: float, whole: Plan | None) -> Result:
        if self._mutator is None:
            return READ_ONLY
        with mutating():
            began = self._clock.monotonic()
            refused = self._void(plan, confirmed_at)
            refused = refused or await self._work.unless_interrupted(drift(self.reader, plan))
            # The read may have taken long; the confirmation is for now, not for then.
            refused = refused or self._void(plan, confirmed_at, self._clock.monotonic() - began)
            refused = refused or self._dying()
            if refused:
                return refused
            try:
                actor = await self._work.unless_interrupted(self._mutator.signer(plan.call))
            except LambdatopError as error:
                return Result("not-sent", f"Nothing was sent. {error}")
            # Asking may have taken long, too.
            refused = self._void(plan, confirmed_at, self._clock.monotonic() - began) or self._dying()
            if refused:
                return refused
            self._work.spent.add(plan.id)
            entry = self._entry(plan, whole, actor or self._actor)
            result = await self._committer.commit(self._mutator, plan, entry)
            if result.entry is not None:
                await self._publish(self._controls(plan.target.key, result.now))
            return result

    def _dying(self) -> Result | None:
        """Return result for credentials that end too soon; a read before it renews them where possible."""
        expires_at = self._expires_at()
        if expires_at is None or expires_at - self._clock.now() >= LAST_SECONDS_S:
            return None
        words = f"The credentials end in less than {LAST_SECONDS_S / 60:.0f} minutes; nothing was sent."
        return Result("not-sent", f"{words} Log in again (`:login` in the console), then confirm it anew.")

    def _void(self, plan: Plan, confirmed_at: float, waited_s: float = 0.0) -> Result | None:
        """Return why the plan is not sent.

        `waited_s` since the check began, by a clock that nobody can set.
        """
        if self._work.interrupted.is_set():
            return Result("not-sent", "It was interrupted before anything was sent.")
        if self._changes_refused:
            return Result("not-sent", self._changes_refused)
        if plan.scope != self._scope:
            words = f"The plan is for {plan.scope}, the connection is to {self._scope}; nothing was sent."
            return Result("not-sent", words)
        if plan.tier == "T3" and not self._allow_destructive:
            words = f"{plan.mitigation} cannot be undone, and allow_destructive is false; nothing was sent."
            return Result("not-sent", words)
        if plan.id in self._work.spent:
            return Result("not-sent", "This plan was carried out already; nothing more was sent.")
        age = self._clock.now() - confirmed_at
        if age < -CLOCK_SLACK_S:
            words = "The clock was set back, so the age of the confirmation is not known; nothing was sent."
            return Result("expired", words)
        if max(age, waited_s) > CONFIRMATION_LIFE_S:
            words = f"The confirmation is older than {CONFIRMATION_LIFE_S:.0f} s; nothing was sent."
            return Result("expired", words)
        return None

    def _entry(self, plan: Plan, whole: Plan | None, actor: str) -> Entry:
        own = (plan.target.key.id, plan.target.arn, plan.target.name)
        called = self._work.called.get((whole or plan).id, ())
        return Entry(
            id=plan.id,
            at=self._clock.now(),
            mitigation=plan.mitigation,
            target=plan.target.key,
            arn=plan.target.arn,
            actor=actor,
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
            whole=whole.title if whole else "",
            steps=len(whole.steps) if whole else 0,
        )

    def _controls(self, target: Key, seen: State | None) -> tuple[Event, ...]:
        controls = tuple(Control(target, field, value) for field, value in (seen or {}).items())
        return (ControlObserved(self._scope, self._clock.now(), controls),) if controls else ()

    async def _publish(self, events: tuple[Event, ...]) -> None:
        try:
            entries = await asyncio.to_thread(self._journal.read)
        except LambdatopError:
            self._sink(events)  # the engine's own look at the journal reports what is wrong with it
            return
        self._sink((*events, JournalRead(self._scope, self._clock.now(), entries)))
