from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.account import MAPPING, ORDERS
from fakes.entries import SCOPE, WORKER
from fakes.mitigation_flow import MitigationFlow, mitigation_flow
from msgspec.structs import replace

from lambdatop.domain.errors import Denied
from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.journal import Entry, Outcome
from lambdatop.domain.plans.plan import State
from lambdatop.domain.state.events import Control, ControlObserved, JournalRead
from lambdatop.engine.mutating.recovery import LATE_S
from lambdatop.storage.errors import JournalError
from lambdatop.storage.journal_file import JournalFile


@pytest.fixture
def way(tmp_path: Path) -> MitigationFlow:
    return mitigation_flow(tmp_path / "j")


class Failing:
    """A journal that fails where it is told to."""

    def __init__(self, inner: JournalFile, *, intent: bool = False, outcome: bool = False) -> None:
        self.inner = inner
        self.fail_intent = intent
        self.fail_outcome = outcome

    def read(self) -> tuple[Entry, ...]:
        return self.inner.read()

    def older(self) -> Iterator[tuple[Entry, ...]]:
        return self.inner.older()

    def gap(self) -> str:
        return self.inner.gap()

    def intent(self, entry: Entry) -> None:
        if self.fail_intent:
            raise JournalError("The disk is full.")
        self.inner.intent(entry)

    def attempt(self, entry_id: str, at: float, number: int, detail: str) -> None:
        self.inner.attempt(entry_id, at, number, detail)

    def outcome(self, entry_id: str, at: float, outcome: Outcome, detail: str, seen: State | None) -> None:
        if self.fail_outcome:
            raise JournalError("The disk is full.")
        self.inner.outcome(entry_id, at, outcome, detail, seen)


async def test_the_way_of_a_change(way: MitigationFlow) -> None:
    plan = await way.plan()
    on_disk_when_sent: list[Entry] = []
    way.mutator.on_send = lambda: on_disk_when_sent.extend(way.journal.read())
    result = await way.execute(plan)
    assert result.kind == "applied"
    assert way.account.reserved == 0
    assert [e.outcome for e in on_disk_when_sent] == ["open"]
    ((call, digest),) = way.mutator.sent
    assert (call, digest) == (plan.call, plan.call.digest())
    (entry,) = way.journal.read()
    assert (entry.id, entry.outcome, entry.before, entry.after, entry.seen) == (
        plan.id,
        "applied",
        {"reserved_concurrency": 7},
        {"reserved_concurrency": 0},
        {"reserved_concurrency": 0},
    )
    assert entry.plan_digest == plan.digest()
    control, journal = way.events
    assert isinstance(control, ControlObserved)
    assert control.controls == (Control(WORKER, "reserved_concurrency", 0),)
    assert isinstance(journal, JournalRead)
    assert journal.entries == (entry,)


@pytest.mark.parametrize("former", [None, 0, 1, 7])
async def test_undo_restores_exactly_absent_zero_or_n(tmp_path: Path, former: int | None) -> None:
    way = mitigation_flow(tmp_path / "j")
    way.account.reserved = former
    first = await way.plan("restore_concurrency", reserved=3)
    assert (await way.execute(first)).kind == "applied"
    assert way.account.reserved == 3
    undone = await way.execute(await way.undo())
    assert undone.kind == "applied"
    assert way.account.reserved == former
    assert type(way.account.reserved) is type(former)
    assert [e.outcome for e in way.journal.read()] == ["undone", "applied"]


# What the mutator does x what becomes of it: (behave, result, journal, applied in the account).
MATRIX = [
    ("applied", "applied", "applied", True),
    ("refused", "refused", "refused", False),
    ("not-sent", "not-sent", "not-sent", False),
    ("lost", "applied", "applied", True),
    ("dropped", "unknown", "unknown", False),
    ("raises", "applied", "applied", True),
    ("raises-before", "unknown", "unknown", False),
]


@pytest.mark.parametrize(("behave", "kind", "outcome", "applied"), MATRIX)
async def test_every_end_of_a_call(
    tmp_path: Path, behave: str, kind: str, outcome: str, applied: bool
) -> None:
    way = mitigation_flow(tmp_path / "j", behave=behave)
    result = await way.execute(await way.plan())
    (entry,) = way.journal.read()
    assert (result.kind, entry.outcome) == (kind, outcome)
    assert way.account.reserved == (0 if applied else 7)
    assert len(way.mutator.sent) == 1, "exactly once, whatever came back"
    assert result.entry == replace(entry, outcome_at=result.entry.outcome_at if result.entry else None)
    assert result.message


@pytest.mark.parametrize("behave", [row[0] for row in MATRIX])
async def test_without_an_intent_on_disk_nothing_is_sent(tmp_path: Path, behave: str) -> None:
    journal = Failing(JournalFile(tmp_path / "j"), intent=True)
    way = mitigation_flow(tmp_path / "j", behave=behave, journal=journal)
    result = await way.execute(await way.plan())
    assert (result.kind, way.mutator.sent, way.account.reserved) == ("not-sent", [], 7)
    assert "disk is full" in result.message
    assert "Nothing was sent" in result.message
    assert way.journal.read() == ()


@pytest.mark.parametrize(("behave", "kind", "outcome", "applied"), MATRIX)
async def test_an_outcome_that_cannot_be_written_is_said_and_recovered(
    tmp_path: Path, behave: str, kind: str, outcome: str, applied: bool
) -> None:
    journal = Failing(JournalFile(tmp_path / "j"), outcome=True)
    way = mitigation_flow(tmp_path / "j", behave=behave, journal=journal)
    result = await way.execute(await way.plan())
    assert result.kind == kind
    assert "could not be written" in result.message
    assert [e.outcome for e in way.journal.read()] == ["open"]
    journal.fail_outcome = False
    way.clock.jump(LATE_S)
    (settled,) = await way.executor.recover()
    assert settled.outcome == ("applied" if applied else "not-sent")
    assert [e.outcome for e in way.journal.read()] == [settled.outcome]


@pytest.mark.parametrize("behave", [row[0] for row in MATRIX])
@pytest.mark.parametrize("now", [None, 0, 9])
async def test_drift_stops_before_the_journal(tmp_path: Path, behave: str, now: int | None) -> None:
    way = mitigation_flow(tmp_path / "j", behave=behave)
    plan = await way.plan()
    way.account.reserved = now
    result = await way.execute(plan)
    assert result.kind == "drift"
    assert (result.saw, result.now, result.want) == (
        {"reserved_concurrency": 7},
        {"reserved_concurrency": now},
        {"reserved_concurrency": 0},
    )
    assert (way.mutator.sent, way.journal.read(), way.account.reserved) == ([], (), now)


async def test_a_target_that_cannot_be_read_is_not_changed(way: MitigationFlow) -> None:
    plan = await way.plan()
    way.reader.failing = [Denied("You lack lambda:GetFunctionConcurrency.")]
    result = await way.execute(plan)
    assert (result.kind, way.mutator.sent, way.journal.read()) == ("not-sent", [], ())
    assert "You lack lambda:GetFunctionConcurrency" in result.message


async def test_a_success_that_cannot_be_read_back_is_still_a_success(way: MitigationFlow) -> None:
    plan = await way.plan()
    way.reader.failing = [None, *[Denied("No.") for _ in range(20)]]
    result = await way.execute(plan)
    (entry,) = way.journal.read()
    assert (result.kind, entry.outcome, entry.seen) == ("applied", "applied", None)
    assert "could not be read back" in entry.detail


async def test_eventual_consistency_is_waited_for(way: MitigationFlow) -> None:
    plan = await way.plan()
    old = {"reserved_concurrency": 7}
    way.reader.shown = [old, old, old]
    result = await way.execute(plan)
    assert (result.kind, result.now) == ("applied", {"reserved_concurrency": 0})
    assert way.reader.reads == 4
    assert sum(way.clock.slept) < 1


async def test_a_slow_trigger_is_accepted_while_it_changes(way: MitigationFlow) -> None:
    plan = await way.plan("disable_trigger", MAPPING)
    way.reader.shown = [{"state": "Enabled"}, *({"state": "Disabling"} for _ in range(20))]
    result = await way.execute(plan)
    (entry,) = way.journal.read()
    assert (result.kind, entry.outcome, entry.seen) == ("applied", "applied", {"state": "Disabling"})
    assert "still" in entry.detail
    assert sum(way.clock.slept) < 30


async def test_somebody_else_right_after_is_told(way: MitigationFlow) -> None:
    plan = await way.plan()
    way.reader.shown = [dict(plan.before), *({"reserved_concurrency": 50} for _ in range(20))]
    result = await way.execute(plan)
    assert result.kind == "applied"
    assert result.now == {"reserved_concurrency": 50}
    assert "somebody else" in result.message


@pytest.mark.parametrize(
    ("age_s", "kind"), [(0.0, "applied"), (60.0, "applied"), (60.1, "expired"), (-6.0, "expired")]
)
async def test_a_confirmation_lives_for_a_minute(way: MitigationFlow, age_s: float, kind: str) -> None:
    result = await way.execute(await way.plan(), age_s)
    assert result.kind == kind
    assert len(way.mutator.sent) == (kind == "applied")


async def test_a_confirmation_that_expires_during_the_read_is_void(way: MitigationFlow) -> None:
    plan = await way.plan()
    way.reader.on_read = lambda: way.clock.jump(61)
    result = await way.execute(plan)
    assert (result.kind, way.mutator.sent, way.journal.read()) == ("expired", [], ())


async def test_a_plan_is_carried_out_once(way: MitigationFlow) -> None:
    plan = await way.plan("purge_queue", ORDERS)
    first, second = await asyncio.gather(way.execute(plan), way.execute(plan))
    assert {first.kind, second.kind} == {"applied", "not-sent"}
    assert way.account.calls == ["PurgeQueue"]


async def test_a_purge_compares_nothing_and_cannot_be_undone(way: MitigationFlow) -> None:
    result = await way.execute(await way.plan("purge_queue", ORDERS))
    assert (result.kind, way.account.messages, way.reader.reads) == ("applied", 0, 0)
    assert [e.can_undo for e in way.journal.read()] == [False]


async def test_read_only_touches_nothing(tmp_path: Path) -> None:
    operator = mitigation_flow(tmp_path / "j")
    plan = await operator.plan()
    way = mitigation_flow(tmp_path / "j", operator.account, mode="read-only")
    result = await way.execute(plan)
    assert result.kind == "read-only"
    assert (way.reader.reads, operator.account.calls) == (0, [])
    assert not (tmp_path / "j").exists()


async def test_read_only_drops_a_mutator_that_it_is_given(way: MitigationFlow, tmp_path: Path) -> None:
    from lambdatop.engine.mutating.executor import Executor

    plan = await way.plan()
    executor = Executor(
        way.clock, way.journal, way.reader, way.mutator, "kim", "read-only", lambda e: None, scope=SCOPE
    )
    assert (await executor.execute(plan, way.clock.now())).kind == "read-only"
    assert way.mutator.sent == []


async def test_without_allow_destructive_nothing_irreversible_is_sent(way: MitigationFlow) -> None:
    from lambdatop.engine.mutating.executor import Executor

    executor = Executor(
        way.clock,
        way.journal,
        way.reader,
        way.mutator,
        "kim",
        "operator",
        lambda e: None,
        scope=SCOPE,
        allow_destructive=False,
    )
    purge = await executor.execute(await way.plan("purge_queue", ORDERS), way.clock.now())
    assert (purge.kind, way.mutator.sent, way.journal.read()) == ("not-sent", [], ())
    throttle = await executor.execute(await way.plan(), way.clock.now())
    assert throttle.kind == "applied"


async def test_read_only_settles_nothing_because_it_writes_nothing(tmp_path: Path) -> None:
    operator = mitigation_flow(tmp_path / "j")
    await operator.execute(await operator.plan())
    (done,) = operator.journal.read()
    operator.journal.intent(replace(done, id="left-open", host="elsewhere", at=0.0, outcome="open"))
    written = (tmp_path / "j" / "journal.jsonl").read_bytes()
    auditor = mitigation_flow(tmp_path / "j", operator.account, mode="read-only")
    assert await auditor.executor.recover() == ()
    assert (tmp_path / "j" / "journal.jsonl").read_bytes() == written
    assert [e.id for e in await operator.executor.recover()] == ["left-open"]


async def test_a_plan_for_another_account_is_not_sent(way: MitigationFlow) -> None:
    plan = await way.plan()
    foreign = WORKER._replace(scope=Scope("999999999999", SCOPE.region))
    result = await way.execute(replace(plan, target=replace(plan.target, key=foreign)))
    assert (result.kind, way.mutator.sent) == ("not-sent", [])
