"""A plan of the running engine says what it saves; one without collectors says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fakes.engine_bench import EngineBench
from fakes.entries import WORKER
from msgspec.structs import replace

from lambdatop.domain.cost.burn import Burn
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.plans.plan import Saving
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.snapshot import FunctionRow, Snapshot

BURN = Burn(duration=0.25, requests=0.25, wasted=0.15)


def burning(*args: Any, **kwargs: Any) -> Snapshot:
    """Return a Snapshot in which the worker burns."""
    row = FunctionRow(FunctionFacts(WORKER, "arn"), burn=BURN)
    return replace(build_snapshot(*args, **kwargs), functions=(row,))


async def test_the_plan_of_a_running_engine_says_what_it_saves(tmp_path: Path) -> None:
    async with EngineBench(tmp_path, build=burning).running() as bench:
        await bench.clock.advance(2)
        assert (await bench.plan()).saves == Saving(0.5, 0.15, f"burn of {WORKER.id} now")


async def test_an_engine_that_knows_of_no_burn_leaves_it_out(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        assert (await bench.plan()).saves is None
