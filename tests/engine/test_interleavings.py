"""Random interleavings of two consoles and an outside actor: nobody's change is overwritten unseen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fakes.account import Account
from fakes.entries import WORKER
from fakes.mitigation_flow import MitigationFlow, mitigation_flow
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdatop.domain.plans.plan import Plan

VALUES = st.sampled_from([None, 0, 1, 7, 50])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("outside"), VALUES),
        st.tuples(st.just("plan"), st.integers(0, 1), VALUES),
        st.tuples(st.just("undo"), st.integers(0, 1)),
        st.tuples(st.just("execute"), st.integers(0, 1)),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, start=VALUES)
def test_nobodys_change_is_overwritten_unseen(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]], start: int | None
) -> None:
    asyncio.run(_play(tmp_path_factory.mktemp("interleave"), steps, start))


async def _play(directory: Path, steps: list[tuple[object, ...]], start: int | None) -> None:
    account = Account()
    account.reserved = start
    consoles = [mitigation_flow(directory / "j", account) for _ in range(2)]
    planned: list[Plan | None] = [None, None]
    for step in steps:
        if step[0] == "outside":
            account.reserved = step[1]  # type: ignore[assignment]
            continue
        who = int(step[1])  # type: ignore[call-overload]
        if step[0] == "execute":
            plan, planned[who] = planned[who], None
            if plan is not None:
                await _execute(consoles[who], account, plan)
        else:
            planned[who] = await _propose(consoles[who], step)


async def _propose(way: MitigationFlow, step: tuple[object, ...]) -> Plan | None:
    if step[0] == "undo":
        if not any(e.can_undo and e.undoes is None for e in way.journal.read()):
            return None
        proposal = await way.executor.proposals.propose_undo(None)
    else:
        wanted = "none" if step[2] is None else step[2]
        proposal = await way.executor.proposals.propose("restore_concurrency", WORKER, {"reserved": wanted})
    return proposal if isinstance(proposal, Plan) else None


async def _execute(way: MitigationFlow, account: Account, plan: Plan) -> None:
    shown, there, calls = plan.before["reserved_concurrency"], account.reserved, len(account.calls)
    result = await way.execute(plan)
    if there != shown:
        assert result.kind == "drift"
        assert (account.reserved, len(account.calls)) == (there, calls), "the other's change stands"
        return
    assert result.kind == "applied"
    assert account.reserved == plan.after["reserved_concurrency"]
    assert len(account.calls) == calls + 1
    entry = next(e for e in way.journal.read() if e.id == plan.id)
    assert entry.before == {"reserved_concurrency": there}
    if plan.undoes is not None:
        undone = next(e for e in way.journal.read() if e.id == plan.undoes)
        assert undone.outcome == "undone"
        assert account.reserved == undone.before["reserved_concurrency"]
        assert type(account.reserved) is type(undone.before["reserved_concurrency"])
