from __future__ import annotations

from pathlib import Path

import pytest
from fakes.account import MAPPING, ORDERS
from fakes.entries import SCOPE, WORKER, entry
from fakes.mitigation_flow import MitigationFlow, mitigation_flow

from lambdatop.domain.errors import TargetNotFound, Unreachable, UsageError
from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.plan import Plan, Refusal


@pytest.fixture
def way(tmp_path: Path) -> MitigationFlow:
    return mitigation_flow(tmp_path / "j")


async def test_planning_changes_nothing_and_writes_nothing(way: MitigationFlow, tmp_path: Path) -> None:
    one, two = await way.plan(), await way.plan()
    assert one.id != two.id
    assert way.mutator.sent == []
    assert not (tmp_path / "j").exists()


async def test_a_mitigation_of_another_kind_of_target_is_refused(way: MitigationFlow) -> None:
    with pytest.raises(UsageError, match="acts on a queue"):
        await way.executor.proposals.propose("purge_queue", WORKER, {})
    with pytest.raises(UsageError, match="Did you mean purge_queue"):
        await way.executor.proposals.propose("purge_que", ORDERS, {})


async def test_a_target_elsewhere_is_refused(way: MitigationFlow) -> None:
    with pytest.raises(UsageError, match="999999999999"):
        await way.executor.proposals.propose(
            "throttle_to_zero", WORKER._replace(scope=Scope("999999999999", SCOPE.region)), {}
        )


@pytest.mark.parametrize("former", [None, 1, 7])
async def test_restore_takes_the_former_value_from_the_journal(
    way: MitigationFlow, former: int | None
) -> None:
    way.journal.intent(entry("e1", before={"reserved_concurrency": former}))
    way.journal.outcome("e1", 1.0, "applied", "", None)
    way.account.reserved = 0
    plan = await way.plan("restore_concurrency")
    assert plan.after == {"reserved_concurrency": former}


async def test_an_explicit_value_wins_over_the_journal(way: MitigationFlow) -> None:
    way.journal.intent(entry("e1"))
    way.journal.outcome("e1", 1.0, "applied", "", None)
    assert (await way.plan("restore_concurrency", reserved=3)).after == {"reserved_concurrency": 3}


async def test_there_is_nothing_to_undo_at_first(way: MitigationFlow) -> None:
    with pytest.raises(TargetNotFound, match="nothing to undo"):
        await way.executor.proposals.propose_undo(None)


async def test_undo_walks_back_and_does_not_flip(way: MitigationFlow) -> None:
    for value in (5, 6):
        assert (await way.execute(await way.plan("restore_concurrency", reserved=value))).kind == "applied"
    for expected in (5, 7):
        assert (await way.execute(await way.undo())).kind == "applied"
        assert way.account.reserved == expected
    with pytest.raises(TargetNotFound):
        await way.executor.proposals.propose_undo(None)


async def test_a_redo_is_the_undo_of_an_undo_and_can_itself_be_undone(way: MitigationFlow) -> None:
    await way.execute(await way.plan())
    undo = await way.undo()
    await way.execute(undo)
    assert way.account.reserved == 7
    redo = await way.undo(undo.id)
    assert (await way.execute(redo)).kind == "applied"
    assert way.account.reserved == 0
    again = await way.undo()
    assert again.undoes == redo.id
    assert (await way.execute(again)).kind == "applied"
    assert way.account.reserved == 7


async def test_undo_skips_what_cannot_be_undone_and_other_accounts(way: MitigationFlow) -> None:
    await way.execute(await way.plan())
    await way.execute(await way.plan("purge_queue", ORDERS))
    elsewhere = WORKER._replace(scope=Scope("999999999999", SCOPE.region))
    way.journal.intent(entry("foreign", target=elsewhere))
    way.journal.outcome("foreign", 1.0, "applied", "", None)
    undo = await way.undo()
    assert (undo.target.key, undo.after) == (WORKER, {"reserved_concurrency": 7})
    with pytest.raises(UsageError, match="999999999999"):
        await way.executor.proposals.propose_undo("foreign")


async def test_an_undo_of_what_somebody_has_changed_is_refused_with_all_three(way: MitigationFlow) -> None:
    await way.execute(await way.plan())
    way.account.reserved = 50
    refusal = await way.executor.proposals.propose_undo(None)
    assert isinstance(refusal, Refusal)
    assert all(number in refusal.reason for number in ("0", "50", "7"))


async def test_an_id_may_be_shortened_as_long_as_it_is_clear(way: MitigationFlow) -> None:
    for name in ("abc1", "abd2"):
        way.journal.intent(entry(name))
        way.journal.outcome(name, 1.0, "applied", "", None)
    way.account.reserved = 0
    assert (await way.undo("abd")).undoes == "abd2"
    below = await way.executor.proposals.propose_undo("abc")
    assert isinstance(below, Refusal)
    assert "lambdatop undo abd2" in below.hint, "what stands on top comes off first"
    with pytest.raises(TargetNotFound) as several:
        await way.executor.proposals.propose_undo("ab")
    assert several.value.candidates == ("abc1", "abd2")
    with pytest.raises(TargetNotFound, match="no entry"):
        await way.executor.proposals.propose_undo("x")


@pytest.mark.parametrize("outcome", ["refused", "not-sent", "unknown"])
async def test_what_is_not_known_to_be_applied_is_refused_without_a_read(
    way: MitigationFlow, outcome: str
) -> None:
    way.journal.intent(entry("e1"))
    way.journal.outcome("e1", 1.0, outcome, "", None)  # type: ignore[arg-type]
    assert isinstance(await way.executor.proposals.propose_undo("e1"), Refusal)
    assert way.reader.reads == 0


async def test_an_unreadable_target_is_a_refusal_that_says_so(way: MitigationFlow) -> None:
    await way.execute(await way.plan("disable_trigger", MAPPING))
    way.reader.failing = [Unreachable("No connection.")]
    refusal = await way.executor.proposals.propose_undo(None)
    assert isinstance(refusal, Refusal)
    assert "No connection" in refusal.reason


async def test_a_trigger_comes_back_enabled(way: MitigationFlow) -> None:
    await way.execute(await way.plan("disable_trigger", MAPPING))
    assert way.account.trigger == "Disabled"
    undo = await way.executor.proposals.propose_undo(None)
    assert isinstance(undo, Plan)
    assert (await way.execute(undo)).kind == "applied"
    assert way.account.trigger == "Enabled"
