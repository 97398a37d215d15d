"""kill -9 at five points and SIGHUP during the call: processes of their own, the server outlives them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.wire_world import Request
from fakes.wire_world_cells import Cell, check_words, scene
from fakes.wire_world_flow import LATER_S, Lab
from fakes.wire_world_kills import KILLED, POINTS, Nursery, hangup_cell, kill_cell, signal_client
from fakes.wire_world_rows import ROWS, Row, rows

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]
REPRESENTATIVE = ("throttle_to_zero", "disable_trigger", "stop_async_retries")
"""A plain call, a slow one, and one with a nested document; `make faults` kills them all."""
CHOSEN = [next(r for r in rows() if r.mitigation == name) for name in REPRESENTATIVE]
IN_STEPS = [
    r for r in rows() if r.params.get("triggers") or "skip" in r.variant or "second execution" in r.variant
]
SIGKILL = 9


@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.name)
async def test_kill_9_and_hangup(row: Row, bench: Lab, warm: Nursery, tmp_path: Path) -> None:
    cells: list[Cell | None] = []
    for undo in (False, True):
        for number, point in enumerate(POINTS):
            cells.append(await kill_cell(bench, warm, row, point, tmp_path / f"{undo}{number}", undo=undo))
        cells.append(await hangup_cell(bench, warm, row, tmp_path / f"{undo}hup", undo=undo))
    assert [str(c) for c in cells if c is None or c.broken] == []
    words = ["", "open", "open", "open", "applied", "applied"]
    assert [c.word for c in cells if c is not None] == 2 * words


@pytest.mark.parametrize("row", IN_STEPS, ids=lambda row: row.name)
async def test_a_hangup_ends_a_plan_in_steps_after_the_step_that_is_on_its_way(
    row: Row, bench: Lab, warm: Nursery, tmp_path: Path
) -> None:
    cell = await hangup_cell(bench, warm, row, tmp_path / "hup", undo=False)
    assert cell is not None
    assert cell.broken == []
    assert cell.word == "not-sent"


async def test_a_request_that_outlives_its_process_is_not_called_unsent(
    bench: Lab, warm: Nursery, tmp_path: Path
) -> None:
    """The request is in the network when its process is killed, and arrives after the next console came."""
    set_ = await scene(bench, ROWS[0], tmp_path / "j", undo=False)
    assert set_ is not None
    bench.world.trouble = lambda number: bench.world.late()

    def kill(request: Request) -> None:
        signal_client(request, SIGKILL)

    bench.world.on_request = kill
    status = await warm.run(
        do="die", row=ROWS[0].name, undo=None, point="in request", directory=str(tmp_path / "j")
    )
    assert status == KILLED
    await bench.console(tmp_path / "j", later_s=1.0).executor.recover()
    await bench.world.release()
    cell = Cell("throttle_to_zero", "late", False)
    await bench.console(tmp_path / "j", later_s=LATER_S).executor.recover()
    check_words(cell, set_.console.journal.read(), bench.world.requests, final=False)
    assert cell.broken == []
