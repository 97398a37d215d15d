"""An engine over sources in memory, on a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fakes.clock import FakeClock
from fakes.entries import WORKER
from fakes.sources import FakeBackend, FakeSource

from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.settings.settings import Settings
from lambdatop.engine.engine import Engine
from lambdatop.engine.spend_meter import SpendMeter
from lambdatop.storage.journal_file import JournalFile

NAMES = ("functions", "concurrency", "account", "mappings", "queues", "metrics", "alarms", "logs")


class EngineBench:
    """An engine over sources in memory, on a clock moved by hand."""

    def __init__(
        self, directory: Path, *, names: Sequence[str] = NAMES, takes_s: float = 0.0, **options: Any
    ) -> None:
        self.clock = FakeClock()
        self.sources = {name: FakeSource(name, self.clock, takes_s=takes_s) for name in names}
        self.backend = FakeBackend(*self.sources.values())
        self.journal = JournalFile(directory / "j")
        self.meter = SpendMeter(self.clock, 0.5)
        self.loaded = 0
        self.engine = Engine(
            self.backend.connect,
            Settings(),
            self.clock,
            self.journal,
            options.pop("mode", "operator"),
            "0.1.0",
            self.meter,
            on_loaded=options.pop("on_loaded", self._count),
            **options,
        )

    def _count(self) -> None:
        self.loaded += 1

    def states(self) -> dict[str, str]:
        return {s.name: s.state for s in self.engine.latest().sources}

    def error(self, name: str) -> str:
        return next(s.error for s in self.engine.latest().sources if s.name == name)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[EngineBench]:
        task = asyncio.ensure_future(self.engine.run())
        try:
            yield self
            assert not task.done(), "the engine never dies"
        finally:
            self.engine.stop()
            await self.clock.until(task.done)
            await task
            leftover = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            assert leftover == [], "nothing runs on"

    async def plan(self) -> Plan:
        plan = await (await self.engine.proposals()).propose("throttle_to_zero", WORKER, {})
        assert isinstance(plan, Plan)
        return plan

    async def executing(self) -> asyncio.Task[Any]:
        """Start a mutation that waits in the middle of its call until `release`."""
        assert self.backend.mutator is not None
        self.backend.mutator.gate = asyncio.Event()
        task = asyncio.ensure_future(self.engine.execute(await self.plan(), self.clock.now()))
        await self.backend.mutator.reached.wait()
        return task

    def release(self) -> None:
        assert self.backend.mutator is not None
        assert self.backend.mutator.gate is not None
        self.backend.mutator.gate.set()
