"""Lines that become visible long after their time are shown once, at a bounded cost in requests."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import SCOPE
from fakes.wire_stub import WireStub

from lambdatop.aws.logs.collector import LogsSource
from lambdatop.aws.logs.tail_state import LAST_S
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import FunctionsListed
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

from ..conftest import MakeBench

NOW = 1_800_000_000
PACE_S = 5
F = Key(SCOPE, "function", "f")


class Shelf:
    """A log whose lines become visible so many seconds after their time."""

    def __init__(self, stub: WireStub, bench: MakeBench, backfill_s: float = 600.0) -> None:
        self.bench = bench(at=float(NOW))
        self.stub = stub
        self.lines: list[tuple[int, dict[str, Any]]] = []
        self.texts: list[str] = []
        self.gaps: list[str] = []
        self.backfill_s = backfill_s
        self.source = LogsSource(self.bench.api, SCOPE)
        stub.on("logs", "FilterLogEvents", self._filter)

    def write(self, at: int, late_s: int, text: str) -> None:
        event = {"eventId": text, "timestamp": at * 1000, "message": text, "logStreamName": "s"}
        self.lines.append((at + late_s, event))

    def _filter(self, params: dict[str, Any]) -> dict[str, Any]:
        start, end = params["startTime"], params.get("endTime", 1 << 60)
        assert start <= end, "AWS refuses a window that ends before it begins"
        now = self.bench.clock.now()
        found = [e for visible, e in self.lines if visible <= now and start <= e["timestamp"] <= end]
        return {"events": sorted(found, key=lambda e: e["timestamp"])}

    async def until(self, end: int) -> None:
        for now in range(NOW, end, PACE_S):
            self.bench.clock.at = float(now)
            facts = FunctionFacts(F, "arn", log_group="/aws/lambda/f")
            world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, now, (facts,)),))
            for event in await self.source.collect(View(now, world, frozenset({F}), self.backfill_s)):
                self.texts += [line.text for line in event.lines]  # type: ignore[attr-defined]
                self.gaps += [event.gap] if event.gap else []  # type: ignore[attr-defined]


@pytest.mark.parametrize("steady", [False, True], ids=["silent", "steady"])
@pytest.mark.parametrize("late_s", [59, 90, 143, 170])
async def test_a_late_line_is_shown_once(stub: WireStub, bench: MakeBench, late_s: int, steady: bool) -> None:
    shelf = Shelf(stub, bench)
    if steady:
        for second in range(NOW, NOW + 600):
            shelf.write(second, 1, f"steady {second}")
    for nth in range(5):
        shelf.write(NOW + 37 * nth, late_s, f"late {nth}")
    await shelf.until(NOW + 600)
    assert sorted(t for t in shelf.texts if t.startswith("late")) == [f"late {n}" for n in range(5)]
    assert len(shelf.texts) == len(set(shelf.texts)), "none is shown twice"
    assert shelf.gaps == []


async def test_the_last_look_costs_two_requests_a_minute(stub: WireStub, bench: MakeBench) -> None:
    shelf = Shelf(stub, bench)
    await shelf.until(NOW + 1200)
    last = [p for p in stub.calls("FilterLogEvents") if p.get("endTime", 1 << 60) < (NOW + 1200) * 1000]
    old = [p for p in last if p["endTime"] - p["startTime"] >= 30_000]
    assert 2 * 15 <= len(old) <= 2 * 20
    head = [p for p in stub.calls("FilterLogEvents") if "endTime" not in p]
    assert len(last) <= 0.6 * len(head)


@pytest.mark.parametrize("backfill_s", [10.0, 30.0, 100.0])
async def test_a_short_look_back_asks_for_no_window_that_ends_before_it_begins(
    stub: WireStub, bench: MakeBench, backfill_s: float
) -> None:
    shelf = Shelf(stub, bench, backfill_s)
    shelf.write(NOW + 5, 120, "late")
    await shelf.until(NOW + 600)
    assert shelf.texts == ["late"]
    assert stub.problems == []


async def test_what_is_remembered_is_bounded(stub: WireStub, bench: MakeBench) -> None:
    shelf = Shelf(stub, bench)
    for second in range(NOW, NOW + 1000):
        for n in range(5):
            shelf.write(second, 1, f"{second} {n}")
    await shelf.until(NOW + 1000)
    tail = shelf.source._tails[F]
    assert len(tail.seen) <= 5 * (LAST_S + 60)
    assert len(shelf.texts) == len(set(shelf.texts))
