"""There, back, and there again: an undo can be undone by its id, field by field."""

from __future__ import annotations

import pytest
from fakes.wire_world_cells import scene
from fakes.wire_world_flow import Lab
from fakes.wire_world_rows import Row, rows

from lambdatop.domain.plans.plan import Plan

from .conftest import Fresh

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]
ONE_WAY = (
    "purge_queue",
    "redrive_dlq",
    "quarantine_queue (aside)",
    "stop_executions",
    "stop_durable (one execution)",
)
"""What is gone stays gone, and a cancelled move of messages is started as a new one."""


def _tried() -> list[object]:
    found: list[object] = []
    for row in rows():
        if not row.honest and row.name not in ONE_WAY:
            found.append(pytest.param(row, id=row.name))
    return found


@pytest.mark.parametrize("row", _tried())
async def test_an_undo_can_be_undone(row: Row, bench: Lab, fresh: Fresh) -> None:
    directory = fresh()
    set_ = await scene(bench, row, directory, undo=True)
    assert set_ is not None
    console = bench.console(directory)
    undone = await console.execute(set_.plan)
    assert undone.kind == "applied"
    proposal = await console.executor.proposals.propose_undo(set_.plan.id)
    assert isinstance(proposal, Plan), proposal
    assert (await console.execute(proposal)).kind == "applied"
    assert bench.world.settings() == set_.before
    assert all(r.intent for r in bench.world.requests)
