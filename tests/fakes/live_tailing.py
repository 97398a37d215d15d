"""A log source that tails live from the stub, on a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fakes.aws_doubles import SCOPE, Bench
from fakes.live_tail_stub import LiveTailStub
from fakes.time_limit import PATIENCE_S

from lambdatop.aws.logs.collector import LogsSource
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import FunctionsListed, LogsObserved
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

NOW = 1_800_000_000.0
STREAM = "2027/01/15/[$LATEST]0123456789abcdef0123456789abcdef"
F = Key(SCOPE, "function", "f")


def event(id_: str, at: float, message: str = "", stream: str = STREAM) -> dict[str, Any]:
    text = message or f"line {id_}"
    return {"eventId": id_, "timestamp": int(at * 1000), "message": text, "logStreamName": stream}


class Tailing:
    """One source on a hand-set clock; `held` is what FilterLogEvents has."""

    def __init__(self, stub: LiveTailStub) -> None:
        self.stub = stub
        self.bench = Bench(stub.url, at=NOW)
        self.woken = asyncio.Event()
        self.source = LogsSource(self.bench.api, SCOPE, woken=self.woken.set)
        self.groups = {"f": "/aws/lambda/f"}
        self.held: list[dict[str, Any]] = []
        self.told: list[LogsObserved] = []
        stub.on("logs", "FilterLogEvents", self._filter)

    def _filter(self, params: dict[str, Any]) -> dict[str, Any]:
        start, end = params["startTime"], params.get("endTime", 1e15)
        return {"events": [e for e in self.held if start <= e["timestamp"] <= end]}

    async def at(self, now: float, *live: str) -> LogsObserved:
        """Run one round; return the first function's event."""
        self.bench.clock.at = now
        functions = tuple(
            FunctionFacts(Key(SCOPE, "function", n), f"arn:aws:lambda:x:y:function:{n}", log_group=group)
            for n, group in self.groups.items()
        )
        world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, now, functions),))
        wanted = frozenset(Key(SCOPE, "function", n) for n in (live or ("f",)))
        self.woken.clear()
        events = await self.source.collect(View(now, world, frozenset({F}), live=wanted))
        self.told += [e for e in events if isinstance(e, LogsObserved)]
        return next(e for e in self.told[-len(events) :] if e.function == F)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what the source has heard fulfils a condition."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.woken.clear()
                await self.woken.wait()

    async def begun(self) -> None:
        await self.until(lambda: self.source.live.session("/aws/lambda/f") is not None)

    async def over(self) -> None:
        await self.until(lambda: self.source.live.session("/aws/lambda/f") is None)
        held = self.source.live._session
        if held is not None and held.task is not None:
            await asyncio.wait([held.task])

    @property
    def texts(self) -> list[str]:
        return [line.text for e in self.told for line in e.lines]

    @property
    def filtered(self) -> int:
        return len(self.stub.calls("FilterLogEvents"))
