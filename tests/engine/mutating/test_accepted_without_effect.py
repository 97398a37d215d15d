"""AWS answers with success and the target still shows what was there: neither applied nor forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.account import MAPPING, Account
from fakes.mitigation_flow import MitigationFlow, mitigation_flow
from msgspec.structs import replace

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.plan import Plan, Refusal
from lambdatop.domain.ports.aws import Sent
from lambdatop.engine.mutating.read_back import ReadBack
from lambdatop.engine.mutating.recovery import LATE_S
from lambdatop.engine.mutating.verdict import judge


@pytest.fixture
def way(tmp_path: Path) -> MitigationFlow:
    """Return a mitigation flow whose calls AWS accepts without effect."""
    made = mitigation_flow(tmp_path / "j")
    made.mutator.account = Account()
    return made


ONES = [
    ("throttle_to_zero", Key(MAPPING.scope, "function", "orders-worker"), {}),
    ("restore_concurrency", Key(MAPPING.scope, "function", "orders-worker"), {"reserved": 3}),
    ("disable_trigger", MAPPING, {}),
]


@pytest.mark.parametrize(("name", "target", "params"), ONES)
async def test_it_is_unknown_after_a_bounded_time_and_can_be_undone(
    way: MitigationFlow, name: str, target: Key, params: dict[str, object]
) -> None:
    result = await way.execute(await way.plan(name, target, **params))
    assert result.kind == "unknown"
    assert "still shows" in result.message
    assert sum(way.clock.slept) < 10
    (entry,) = way.journal.read()
    assert (entry.outcome, entry.accepted, entry.can_undo) == ("unknown", True, True)
    undo = await way.undo()
    assert (undo.undoes, undo.call, undo.after) == (entry.id, entry.undo, entry.before)
    assert any("as before" in words for words in undo.warnings)
    assert (await way.execute(undo)).kind == "applied"
    assert [c.operation for c, _ in way.mutator.sent[1:]] == [entry.undo.operation if entry.undo else ""]
    assert [e.outcome for e in way.journal.read()] == ["undone", "applied"]


async def test_an_effect_that_comes_late_is_found_and_undone_exactly(way: MitigationFlow) -> None:
    await way.execute(await way.plan())
    way.account.reserved = 0
    assert [(e.outcome, e.detail) for e in await way.executor.recover()] == [("applied", "applied (found)")]
    assert (await way.undo()).before == {"reserved_concurrency": 0}


async def test_an_effect_that_comes_before_the_undo_is_undone_without_a_word_of_doubt(
    way: MitigationFlow,
) -> None:
    await way.execute(await way.plan())
    way.account.reserved = 0
    undo = await way.undo()
    assert (undo.before, undo.after) == ({"reserved_concurrency": 0}, {"reserved_concurrency": 7})
    assert not any("as before" in words for words in undo.warnings)


async def test_after_two_minutes_it_is_judged_once_and_never_called_unsent(way: MitigationFlow) -> None:
    await way.execute(await way.plan())
    assert await way.executor.recover() == ()
    way.clock.jump(LATE_S)
    (found,) = await way.executor.recover()
    assert (found.outcome, found.accepted) == ("unknown", True)
    assert "not applied (found)" in found.detail
    reads = way.reader.reads
    assert await way.executor.recover() == ()
    assert way.reader.reads == reads
    assert isinstance(await way.executor.proposals.propose_undo(None), Plan)


async def test_somebody_elses_value_since_is_told_with_all_three(way: MitigationFlow) -> None:
    await way.execute(await way.plan())
    way.account.reserved = 50
    await way.executor.recover()
    refusal = await way.executor.proposals.propose_undo(None)
    assert isinstance(refusal, Refusal)
    assert all(number in refusal.reason for number in ("0", "50", "7"))
    assert refusal.alternatives


async def test_one_field_of_two_that_did_not_take_is_not_applied(way: MitigationFlow) -> None:
    wanted = replace(
        await way.plan(),
        before={"reserved_concurrency": 7, "state": "Enabled"},
        after={"reserved_concurrency": 0, "state": "Disabled"},
    )
    seen = {"reserved_concurrency": 0, "state": "Enabled"}
    assert judge(wanted, Sent("applied"), ReadBack(seen)).outcome == "unknown"
    assert judge(wanted, Sent("applied"), ReadBack(seen, changing=True)).outcome == "applied"
