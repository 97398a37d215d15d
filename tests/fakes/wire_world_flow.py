"""The real mitigation flow over real HTTP: connections to a `WorldStub`, and consoles with a journal each."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from aiobotocore.config import AioConfig
from fakes.aws_doubles import REGION, Counter, Tokens, towards
from fakes.clock import FakeClock
from fakes.wire_world import WireWorld, WorldStub, key
from fakes.wire_world_rows import Row
from msgspec.structs import replace

from lambdatop.aws import connect as connecting
from lambdatop.aws.sdk import clients as sdk
from lambdatop.domain.mitigations.registry import kind_of
from lambdatop.domain.plans.plan import Plan, Proposal
from lambdatop.domain.ports.aws import Backend, Mutator
from lambdatop.domain.ports.console import Result
from lambdatop.domain.settings.settings import Settings
from lambdatop.engine.mutating.executor import Executor
from lambdatop.storage.journal_file import NAME, JournalFile

ACTOR = "arn:aws:sts::123456789012:assumed-role/ops/ann"
LATER_S = 180.0
"""Long after a lost request can still arrive."""


@contextmanager
def timeouts(**seconds: float) -> Iterator[None]:
    """Let clients that are made meanwhile wait only so long (`connect_timeout`, `read_timeout`)."""
    if not seconds:
        yield
        return
    with patch.object(sdk, "AioConfig", lambda **given: AioConfig(**(given | seconds))):
        yield


async def open_backend(url: str, clock: FakeClock, **seconds: float) -> Backend:
    """Return a connection in operator mode, made the way the command line makes it."""
    with timeouts(**seconds):
        backend = await connecting.connect(
            towards(url, isolated=True, secret_key="not-a-secret"),
            settings=Settings(region=REGION),
            limiter=Tokens(),
            meter=Counter(),
            clock=clock,
        )
        if seconds and backend.mutator is not None:
            await _make_clients(backend.mutator, seconds)
    return backend


async def _make_clients(mutator: Any, seconds: Mapping[str, float]) -> None:
    """Make clients, including one for each question who signs.

    They are made on first use, under these timeouts.
    """
    asking = mutator._credentials._ask.__self__._clients
    for clients in (mutator._clients, asking):
        usual = clients._config
        clients._config = lambda *about, usual=usual: usual(*about) | seconds
    for service in ("lambda", "sqs", "events", "scheduler", "pipes", "stepfunctions"):
        await mutator._clients.get(service)


class Console:
    """One console: an executor on a journal file, a connection to read with, and a mutator."""

    def __init__(
        self, directory: Path, backend: Backend, clock: FakeClock, mutator: Mutator | None = None
    ) -> None:
        self.backend = backend
        self.clock = clock
        self.file = directory / NAME
        self.journal = JournalFile(directory)
        self.executor = Executor(
            clock,
            self.journal,
            backend.reader,
            mutator or backend.mutator,
            ACTOR,
            "operator",
            lambda events: None,
            scope=backend.identified.scope,
        )

    async def propose(self, row: Row) -> Proposal:
        """Return a proposal for a row."""
        target = key(kind_of(row.mitigation), row.target)
        return await self.executor.proposals.propose(row.mitigation, target, row.params)

    async def plan(self, row: Row) -> Plan:
        """Return a plan for a row; fails on a refusal."""
        proposal = await self.propose(row)
        assert isinstance(proposal, Plan), proposal
        return proposal

    async def undo(self, entry_id: str | None = None) -> Plan:
        """Return an undo plan; fails on a refusal."""
        proposal = await self.executor.proposals.propose_undo(entry_id)
        assert isinstance(proposal, Plan), proposal
        return proposal

    async def execute(self, plan: Plan) -> Result:
        """Execute a plan that is confirmed now."""
        return await self.executor.execute(plan, self.clock.now())


def again(plan: Plan) -> Plan:
    """Return the same plan as if it had been made anew."""
    return replace(plan, id=str(uuid4()), steps=tuple(map(again, plan.steps)))


class Lab:
    """A world, its stub, and connections that fail in ways that an answer cannot.

    `dead` refuses every connection, `silent` never accepts one, `hasty` waits 0.2 s for answers.
    """

    def __init__(self, world: WireWorld, stub: WorldStub, clock: FakeClock) -> None:
        self.world, self.stub, self.clock = world, stub, clock
        self.backends: dict[str, Backend] = {}
        self.plans: dict[str, Plan] = {}

    def console(self, directory: Path, via: str = "plain", later_s: float = 0.0) -> Console:
        """Return a console that reads through the good connection and changes through `via`."""
        clock = self.clock
        if later_s:
            clock = FakeClock(auto=True, now=clock.now() + later_s)
        return Console(directory, self.backends["plain"], clock, self.backends[via].mutator)


@asynccontextmanager
async def lab() -> AsyncIterator[Lab]:
    """Yield a world with all its connections.

    A request that AWS would not have understood fails at the end.
    """
    clock, world = FakeClock(auto=True), WireWorld()
    async with WorldStub(world) as stub:
        made = Lab(world, stub, clock)
        made.backends["plain"] = await open_backend(stub.url, clock)
        made.backends["hasty"] = await open_backend(stub.url, clock, read_timeout=0.2)
        made.backends["dead"] = await _severed(clock)
        silent = await _severed(clock, connect_timeout=0.1)
        made.backends["silent"] = silent
        try:
            with _full(silent.identified.endpoint):
                yield made
        finally:
            for backend in made.backends.values():
                await backend.close()
        assert [p for p in stub.problems if "iam:" not in p] == []
        assert stub.strangers == []


async def _severed(clock: FakeClock, **seconds: float) -> Backend:
    """Return a connection to an account that is gone: nobody listens at its port."""
    async with WorldStub(WireWorld()) as gone:
        return await open_backend(gone.url, clock, **seconds)


@contextmanager
def _full(url: str) -> Iterator[None]:
    """Listen at the port of `url` with a full queue: the kernel drops further connections."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for caller in waiting:
                caller.setblocking(False)
                caller.connect_ex((host, int(port)))
            yield
        finally:
            for caller in waiting:
                caller.close()
