"""The undo of every mitigation x faults of the wire; a file of its own, so that two workers share.

Each undo meets every third fault, and three undos in a row meet all of them; `make faults` runs the whole.
"""

from __future__ import annotations

import pytest
from fakes.wire_world import WorldStub
from fakes.wire_world_cells import wire_row
from fakes.wire_world_flow import Lab
from fakes.wire_world_rows import Row, rows

from .conftest import Fresh

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]
FINAL = {"purge_queue", "stop_executions", "stop_durable"}
"""What nothing can take back."""


@pytest.mark.parametrize(
    ("number", "row"), enumerate(r for r in rows() if not r.honest), ids=lambda x: getattr(x, "name", "")
)
async def test_no_fault_of_the_wire_is_misjudged_when_undoing(
    number: int, row: Row, bench: Lab, elsewhere: WorldStub, fresh: Fresh
) -> None:
    part = slice(number % 3, None, 3)
    cells = [c async for c in wire_row(bench, row, f"{elsewhere.url}/x", fresh, undo=True, part=part)]
    assert [str(c) for c in cells if c.broken] == []
    assert len(cells) > 7 or row.mitigation in FINAL
