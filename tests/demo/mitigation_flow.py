"""The real mitigation flow (reader, mutator, executor, journal) on the emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.clients import Aws

from lambdatop.aws.connect import connect
from lambdatop.aws.sdk.connection import Connection
from lambdatop.domain.mitigations.registry import kind_of
from lambdatop.domain.plans.plan import Plan, Proposal
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.ports.console import Result
from lambdatop.domain.settings.settings import Limits, Settings
from lambdatop.engine.clock import SystemClock
from lambdatop.engine.mutating.executor import Executor
from lambdatop.engine.rate_limiter import TokenBuckets
from lambdatop.engine.spend_meter import SpendMeter
from lambdatop.storage.journal_file import JournalFile


@dataclass
class MitigationFlow:
    """Reader, journal and executor on the emulator."""

    backend: Backend
    executor: Executor
    clock: SystemClock
    journal: JournalFile

    async def propose(self, mitigation: str, target: str, **params: Any) -> Proposal:
        key = await self.backend.reader.find(target, (kind_of(mitigation),))
        return await self.executor.proposals.propose(mitigation, key, params)

    async def carry_out(self, mitigation: str, target: str, **params: Any) -> Result:
        return await self.execute(await self.propose(mitigation, target, **params))

    async def undo(self) -> Result:
        return await self.execute(await self.executor.proposals.propose_undo(None))

    async def execute(self, proposal: Proposal) -> Result:
        assert isinstance(proposal, Plan), proposal
        return await self.executor.execute(proposal, self.clock.now())


@asynccontextmanager
async def open_flow(aws: Aws, directory: Path) -> AsyncIterator[MitigationFlow]:
    """Yield a mitigation flow whose journal lies in `directory`."""
    demo, clock = aws.demo, SystemClock()
    limits = Limits(control_plane_per_s=50.0)
    connection = Connection(
        region=demo.region,
        endpoint_url=demo.endpoint_url,
        access_key=demo.access_key,
        secret_key=demo.secret_key,
        session_token=demo.session_token,
        isolated=True,
    )
    backend = await connect(
        connection,
        settings=Settings(limits=limits),
        limiter=TokenBuckets(clock, limits),
        meter=SpendMeter(clock, 0.0),
        clock=clock,
    )
    journal = JournalFile(directory)
    executor = Executor(
        clock,
        journal,
        backend.reader,
        backend.mutator,
        "tester",
        "operator",
        lambda events: None,
        scope=backend.identified.scope,
    )
    try:
        yield MitigationFlow(backend, executor, clock, journal)
    finally:
        await backend.close()
