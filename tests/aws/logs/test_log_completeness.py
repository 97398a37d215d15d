"""Nothing lost, nothing doubled: a flood of numbered lines, read by both ways while the ways break."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from fakes.live_tail_stub import LiveTailStub
from fakes.log_flood import NOW, Reader, Store, flood, some_faults

from lambdatop.aws.logs import collector

pytestmark = [pytest.mark.wire, pytest.mark.sdk]

LINES, PER_S = 20_000, 100.0
SETTLE_S = 120


@pytest.fixture
async def stub() -> AsyncIterator[LiveTailStub]:
    async with LiveTailStub() as running:
        yield running
    assert running.problems == []


async def test_twenty_thousand_lines_by_both_ways_none_lost_none_doubled(stub: LiveTailStub) -> None:
    written = flood(LINES, PER_S)
    store = Store(written, some_faults)
    reader = Reader(stub, store)
    end_s = int(LINES / PER_S) + SETTLE_S
    for second in range(end_s):
        now = NOW + second
        await reader.second(now)
        if second == 60:
            stub.sessions[-1].expire()
            await reader.session_over()
        if second == 110:
            stub.sessions[-1].drop()
            await reader.session_over()
        if second % 5 == 0:
            await reader.round(now, live=25 <= second < 160)
            if second in (25, 60, 120):
                await reader.session_open()
    await reader.bench.close()
    tally = reader.tally(written)
    assert (tally.lost, tally.doubled) == (0, 0)
    assert tally.ways == {"poll", "live tail"}
    assert store.failed > 5
    assert len(stub.sessions) == 3


async def test_a_flood_that_may_not_be_read_so_fast_says_how_much_is_missing(
    stub: LiveTailStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "PAGES", 2)
    monkeypatch.setattr(collector, "SWEEP_PAGES", 1)
    monkeypatch.setattr(collector, "PAGE_EVENTS", 100)
    written = flood(30_000, PER_S, seed=2)
    reader = Reader(stub, Store(written, lambda n: None))
    for second in range(0, 300, 5):
        await reader.second(NOW + second)
        await reader.round(NOW + second, live=False)
    await reader.bench.close()
    told = sum(int(n.replace(",", "")) for n in re.findall(r"about ([\d,]+) lines", " ".join(reader.gaps)))
    tally = reader.tally(w for w in written if w[1]["timestamp"] / 1000 <= reader.newest)
    assert tally.doubled == 0
    assert tally.lost > 1000
    assert 0.7 * tally.lost < told < 1.5 * tally.lost
