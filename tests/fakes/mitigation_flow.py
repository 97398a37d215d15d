"""Executor, journal file, account and clock, put together as the engine does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fakes.account import Account, FakeMutator, FakeReader
from fakes.clock import FakeClock
from fakes.entries import SCOPE, WORKER

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.console import Result
from lambdatop.domain.ports.storage import JournalStore
from lambdatop.domain.state.events import Event
from lambdatop.domain.state.snapshot import Mode
from lambdatop.engine.mutating.executor import Executor, Process
from lambdatop.storage.journal_file import JournalFile


@dataclass
class MitigationFlow:
    """Everything a mutation passes through."""

    account: Account
    journal: JournalStore
    reader: FakeReader
    mutator: FakeMutator
    executor: Executor
    clock: FakeClock
    events: list[Event] = field(default_factory=list)

    async def plan(self, name: str = "throttle_to_zero", target: Key = WORKER, **params: object) -> Plan:
        """Return a plan; fail on a refusal."""
        proposal = await self.executor.proposals.propose(name, target, params)
        assert isinstance(proposal, Plan), proposal
        return proposal

    async def undo(self, entry_id: str | None = None) -> Plan:
        """Return an undo plan; fail on a refusal."""
        proposal = await self.executor.proposals.propose_undo(entry_id)
        assert isinstance(proposal, Plan), proposal
        return proposal

    async def execute(self, plan: Plan, age_s: float = 0.0) -> Result:
        """Execute a plan that was confirmed `age_s` ago."""
        return await self.executor.execute(plan, self.clock.now() - age_s)


def mitigation_flow(
    directory: Path,
    account: Account | None = None,
    *,
    behave: str = "applied",
    mode: Mode = "operator",
    journal: JournalStore | None = None,
    process: Process | None = None,
    clock: FakeClock | None = None,
) -> MitigationFlow:
    """Return a mitigation flow with a real journal in `directory`."""
    account = account or Account()
    reader, mutator = FakeReader(account), FakeMutator(account, behave)
    journal = journal or JournalFile(directory)
    clock = clock or FakeClock(auto=True)
    events: list[Event] = []
    executor = Executor(
        clock,
        journal,
        reader,
        None if mode == "read-only" else mutator,
        "arn:aws:iam::111122223333:user/kim",
        mode,
        events.extend,
        scope=SCOPE,
        process=process,
    )
    return MitigationFlow(account, journal, reader, mutator, executor, clock, events)
