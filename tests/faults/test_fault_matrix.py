"""Every mitigation x faults of the wire: no lost intent, no wrong word, no second send.

Each mitigation meets every third fault, and three in a row meet all of them; `make faults` runs the whole.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.situations import untried
from fakes.wire_stub import Fault
from fakes.wire_world import ALIAS, FUNCTION, Trouble, WorldStub
from fakes.wire_world_cells import Cell, aftermath, scene, wire_cell, wire_row
from fakes.wire_world_changes import apply
from fakes.wire_world_faults import UNKNOWN, WireFault
from fakes.wire_world_flow import Lab
from fakes.wire_world_rows import ROWS, Row, rows
from msgspec.structs import replace

from lambdatop.domain.plans.plan import Call
from lambdatop.domain.ports.aws import Sent

from .conftest import Fresh

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]
THROTTLE = ROWS[0]


async def test_every_mitigation_of_this_version_is_tried() -> None:
    assert untried({r.mitigation for r in ROWS}, "ROWS of `tests/fakes/wire_world_rows.py`") == ""


@pytest.mark.parametrize(("number", "row"), enumerate(rows()), ids=lambda x: getattr(x, "name", ""))
async def test_no_fault_of_the_wire_is_misjudged(
    number: int, row: Row, bench: Lab, elsewhere: WorldStub, fresh: Fresh
) -> None:
    part = slice(number % 3, None, 3)
    cells = [c async for c in wire_row(bench, row, f"{elsewhere.url}/x", fresh, undo=False, part=part)]
    assert [str(c) for c in cells if c.broken] == []
    assert len(cells) > 7


async def test_an_alias_that_moves_between_the_last_look_and_the_call_is_not_overwritten(
    bench: Lab, fresh: Fresh
) -> None:
    row = next(r for r in ROWS if r.mitigation == "rollback_alias")
    set_ = await scene(bench, row, fresh(), undo=False)
    assert set_ is not None
    other = {"FunctionName": FUNCTION, "Name": ALIAS, "FunctionVersion": "1"}

    def too_late(number: int) -> Trouble:
        apply(bench.world.state, "lambda", "UpdateAlias", other)
        return Trouble()

    bench.world.trouble = too_late
    result = await set_.console.execute(set_.plan)
    assert (result.kind, [r.answer for r in bench.world.requests]) == (
        "refused",
        ["PreconditionFailedException"],
    )
    assert bench.world.state["aliases"][ALIAS]["FunctionVersion"] == "1"


class Twice:
    """A mutator that is sure of itself: it sends again whatever the answer was."""

    def __init__(self, bench: Lab) -> None:
        self.bench = bench

    async def signer(self, call: Call) -> str:
        return ""

    async def send(self, call: Call, digest: str) -> Sent:
        mutator = self.bench.backends["plain"].mutator
        assert mutator is not None
        await mutator.send(call, digest)
        return await mutator.send(call, digest)


class Liar(Twice):
    """A mutator that says it did not do what it did."""

    async def send(self, call: Call, digest: str) -> Sent:
        mutator = self.bench.backends["plain"].mutator
        assert mutator is not None
        await mutator.send(call, digest)
        return Sent("refused", "no")


class Boaster(Twice):
    """A mutator that says it did what it did not; the state read back gives it away."""

    async def send(self, call: Call, digest: str) -> Sent:
        return Sent("applied")


async def _with(hand: Twice, trouble: Trouble, fresh: Fresh) -> list[str]:
    """Return the faults of the matrix for a throttle that is executed by this hand."""
    lab = hand.bench
    lab.backends["hand"] = replace(lab.backends["plain"], mutator=hand)
    try:
        fault = WireFault("sabotage", lambda world: lambda number: trouble, UNKNOWN, UNKNOWN, "hand")
        cell = await wire_cell(lab, THROTTLE, fault, fresh(), undo=False)
    finally:
        del lab.backends["hand"]
    assert cell is not None
    return cell.broken


async def test_the_matrix_sees_a_second_send(bench: Lab, fresh: Fresh) -> None:
    broken = await _with(Twice(bench), Trouble(True, Fault("Oops", status=500)), fresh)
    assert "sent again after ['Oops']" in broken


async def test_the_matrix_sees_a_wrong_word(bench: Lab, fresh: Fresh) -> None:
    broken = await _with(Liar(bench), Trouble(True), fresh)
    assert any("although applied is True" in why for why in broken)


async def test_a_success_that_is_none_is_never_called_applied(bench: Lab, fresh: Fresh) -> None:
    broken = await _with(Boaster(bench), Trouble(), fresh)
    assert not any("although applied is" in why for why in broken)


async def test_the_matrix_sees_a_lost_intent(bench: Lab, fresh: Fresh, tmp_path: Path) -> None:
    set_ = await scene(bench, THROTTLE, fresh(), undo=False)
    assert set_ is not None
    bench.world.witness.file = tmp_path / "elsewhere.jsonl"
    await set_.console.execute(set_.plan)
    cell = Cell("throttle_to_zero", "no intent", False)
    await aftermath(bench, cell, set_, set_.console.file.parent, undo=False)
    assert "a request without an intent on disk" in cell.broken
