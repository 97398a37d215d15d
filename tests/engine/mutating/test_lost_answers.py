"""What recovery makes of answers that were lost, of targets that are gone, and of entries in a row."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.account import ORDERS
from fakes.entries import WORKER, entry
from fakes.mitigation_flow import MitigationFlow, mitigation_flow

from lambdatop.domain.errors import Missing
from lambdatop.domain.plans.plan import Plan, Refusal
from lambdatop.engine.mutating.executor import Process
from lambdatop.engine.mutating.recovery import ABANDONED_S, LATE_S


@pytest.fixture
def way(tmp_path: Path) -> MitigationFlow:
    return mitigation_flow(tmp_path / "j", behave="dropped", process=Process("bastion", os.getpid()))


async def test_a_lost_answer_that_shows_later_is_applied_and_can_be_undone(way: MitigationFlow) -> None:
    assert (await way.execute(await way.plan())).kind == "unknown"
    way.account.reserved = 0  # it arrived after all
    (found,) = await way.executor.recover()
    assert (found.outcome, found.detail) == ("applied", "applied (found)")
    assert await way.executor.recover() == ()
    way.mutator.behave = "applied"
    assert (await way.execute(await way.undo())).kind == "applied"
    assert way.account.reserved == 7


async def test_a_lost_answer_without_effect_is_not_applied_once_it_cannot_arrive(way: MitigationFlow) -> None:
    await way.execute(await way.plan())
    assert await way.executor.recover() == ()
    assert [e.outcome for e in await way.executor.unsettled()] == ["unknown"]
    way.clock.jump(LATE_S)
    assert [(e.outcome, e.detail) for e in await way.executor.recover()] == [
        ("not-sent", "not applied (found)")
    ]
    assert await way.executor.unsettled() == ()


async def test_what_was_judged_once_is_not_read_for_ever(way: MitigationFlow) -> None:
    await way.execute(await way.plan())
    way.account.reserved = 50
    (found,) = await way.executor.recover()
    assert found.detail.startswith("changed by somebody")
    await way.execute(await way.plan("purge_queue", ORDERS))
    reads = way.reader.reads
    assert await way.executor.recover() == ()
    assert way.reader.reads == reads


async def test_a_target_that_is_gone_is_an_answer(way: MitigationFlow) -> None:
    way.journal.intent(entry("e1", host="elsewhere", at=way.clock.now() - ABANDONED_S - 1))
    way.reader.failing = [Missing("lambda:GetFunctionConcurrency: it does not exist.")]
    (found,) = await way.executor.recover()
    assert found.outcome == "unknown"
    assert found.detail == "changed by somebody: function orders-worker does not exist any more"
    assert await way.executor.unsettled() == ()


async def test_the_state_after_a_later_change_says_nothing_of_an_earlier_one(way: MitigationFlow) -> None:
    old = way.clock.now() - ABANDONED_S - 1
    way.journal.intent(entry("e1", host="elsewhere", at=old))
    way.journal.intent(entry("e2", at=old))
    way.journal.outcome("e2", old, "applied", "", None)
    way.account.reserved = 0
    (found,) = await way.executor.recover()
    assert (found.id, found.outcome) == ("e1", "unknown")
    assert found.detail == "cannot be told: entry e2 acted on the same target since"


async def test_a_later_change_of_another_field_does_not_hide_the_outcome(way: MitigationFlow) -> None:
    old, live = way.clock.now() - ABANDONED_S - 1, "provisioned_concurrency:live"
    way.journal.intent(entry("e1", host="elsewhere", at=old))
    way.journal.intent(entry("e2", at=old, before={live: 10}, after={live: None}))
    way.journal.outcome("e2", old, "applied", "", None)
    way.account.reserved = 0
    (found,) = await way.executor.recover()
    assert (found.id, found.outcome, found.can_undo) == ("e1", "applied", True)


async def test_restoring_without_a_value_never_overwrites_somebody_elses(way: MitigationFlow) -> None:
    way.mutator.behave = "applied"
    await way.execute(await way.plan())
    assert (await way.plan("restore_concurrency")).after == {"reserved_concurrency": 7}
    way.account.reserved = 4
    refusal = await way.executor.proposals.propose("restore_concurrency", WORKER, {})
    assert isinstance(refusal, Refusal)
    explicit = await way.executor.proposals.propose("restore_concurrency", WORKER, {"reserved": 7})
    assert isinstance(explicit, Plan)
