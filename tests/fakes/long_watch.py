"""Hours of looking at a large account through the real source and the real engine, on a clock by hand."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fakes.clock import FakeClock
from fakes.entries import SCOPE
from fakes.metric_flood import LATE_S, Flood, Trouble
from fakes.sources import FakeBackend, FakeSource
from msgspec.structs import replace

from lambdatop.aws.metrics.collector import MetricsSource
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.cost.pricing import METRIC_USD
from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import Source, View
from lambdatop.domain.settings.settings import Paces, Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.events import Event, MetricsObserved, PollsPlanned
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.domain.state.world import World
from lambdatop.engine.engine import Engine
from lambdatop.engine.rate_limiter import TokenBuckets
from lambdatop.engine.spend_meter import SpendMeter
from lambdatop.storage.journal_file import JournalFile

STEP_S = 15.0
LATELY_S = 700.0
ROWS = 25


class Listed(FakeSource):
    """The list of functions."""

    def __init__(self, flood: Flood, clock: FakeClock) -> None:
        super().__init__("functions", clock)
        self._listed = flood.listed()

    async def collect(self, view: View) -> Sequence[Event]:
        return (replace(self._listed, at=self.clock.now()),)


class Nothing(FakeSource):
    """A source that has nothing to tell."""

    async def collect(self, view: View) -> Sequence[Event]:
        await asyncio.sleep(0)
        return ()


@dataclass
class Watch:
    """What happened: when each troubled function was looked at in detail, and what was planned."""

    flood: Flood
    meter: SpendMeter
    settings: Settings
    seen: dict[Key, list[float]] = field(default_factory=dict)
    plans: list[tuple[float, PollingStatus]] = field(default_factory=list)

    def record(self, events: Sequence[Event]) -> None:
        """Record events for the engine."""
        troubled = {self.flood.key(t.number) for t in self.flood.troubles}
        for event in events:
            if isinstance(event, PollsPlanned):
                self.plans.append((event.at, event.polling))
            elif isinstance(event, MetricsObserved) and not event.partial:
                for key in troubled & {d.series.key for d in event.data}:
                    self.seen.setdefault(key, []).append(event.at)

    @property
    def meter_usd(self) -> float:
        """What our own meter says."""
        return self.meter.observed(SCOPE).usd

    def rolling_usd(self) -> Iterator[float]:
        """Yield CloudWatch's charges within the 60 minutes before each request."""
        bills, first, within = self.flood.bills, 0, 0
        for at, units in bills:
            within += units
            while bills[first][0] <= at - 3600:
                within -= bills[first][1]
                first += 1
            yield within * METRIC_USD

    def found_s(self, trouble: Trouble) -> float:
        """Return the seconds from the first published minute to the first detail; infinite without detail."""
        published = trouble.start + 60 + LATE_S
        looks = self.seen.get(self.flood.key(trouble.number), ())
        return next((at - published for at in looks if at >= published), float("inf"))

    def stalest_s(self, trouble: Trouble) -> float:
        """Return the longest time without detail from the first detail until it ended."""
        looks = self.seen.get(self.flood.key(trouble.number), ())
        inside = [at for at in looks if trouble.start + 60 + LATE_S <= at < trouble.end]
        return max((b - a for a, b in pairwise(inside)), default=float("inf"))


class OnceAMinute:
    """Builds a snapshot of what had detail, once in a minute: a whole one of each second would take days."""

    def __init__(self) -> None:
        self._at = 0.0

    def __call__(self, world: World, *, previous: Snapshot, at: float, **rest: Any) -> Snapshot:
        if at - self._at < 60 and previous.seq:
            return replace(previous, at=at)
        self._at = at
        lately = {k for k, asked in world.metrics_at.items() if at - asked < LATELY_S}
        known = {k: f for k, f in world.functions.items() if k in lately}
        return build_snapshot(replace(world, functions=known), previous=previous, at=at, **rest)


async def watch(
    directory: Path, functions: int, active: int, hours: float, *troubles: tuple[int, float, float, float]
) -> Watch:
    """Watch for `hours`; each trouble is (function, from hour, to hour, errors a minute)."""
    random.seed(7)
    clock = FakeClock(now=1_800_000_000.0 // 86_400 * 86_400)
    settings = Settings(paces=Paces(functions=3600.0))
    meter = SpendMeter(clock, settings.limits.budget_usd_per_hour)
    planned = tuple(Trouble(n, clock.now() + a * 3600, clock.now() + b * 3600, e) for n, a, b, e in troubles)
    flood = Flood(clock, meter, SCOPE, functions, active, planned)
    api = Api(flood, TokenBuckets(clock, settings.limits), meter, clock)  # type: ignore[arg-type]
    sources: list[Source] = [Listed(flood, clock), *(Nothing(n, clock) for n in ("mappings", "queues"))]
    backend = FakeBackend(*sources, MetricsSource(api, SCOPE, settings))  # type: ignore[arg-type]
    seen = Watch(flood, meter, settings)
    journal = JournalFile(directory / "journal")
    engine = Engine(
        backend.connect,
        settings,
        clock,
        journal,
        "read-only",
        "0",
        meter,
        record=seen.record,
        build=OnceAMinute(),
    )
    with ExitStack() as slow:
        for name in (
            "engine.TICK_S",
            "engine.FRAME_S",
            "housekeeping.TICK_S",
            "housekeeping.STANDING_S",
            "housekeeping.RECOVERY_S",
        ):
            slow.enter_context(patch(f"lambdatop.engine.{name}", STEP_S))
        task = asyncio.ensure_future(engine.run())
        for _ in range(int(hours * 3600 / STEP_S)):
            await clock.advance(STEP_S)
            rows = engine.latest().functions[:ROWS]
            engine.set_visible(frozenset(r.key for r in rows) or frozenset(map(flood.key, range(ROWS))))
        engine.stop()
        await clock.until(task.done)
    return seen
