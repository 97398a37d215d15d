"""The lease that never decides, and the second attempt at what AWS was too busy for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fakes.account import FakeMutator
from fakes.entries import SCOPE
from fakes.mitigation_flow import MitigationFlow, mitigation_flow

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.lease import Held, Leased, held_by_other, not_known, taken
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.ports.aws import Sent
from lambdatop.engine.mutating.executor import Executor

KIM = Held("kim@other", 1_800_000_190.0, 7)


class Table:
    """A lease that answers with what it is given; with `gate` only after the call has gone out."""

    def __init__(self, leased: Leased, gate: asyncio.Event | None = None) -> None:
        self.leased = leased
        self.gate = gate
        self.asked: list[tuple[Key, str]] = []

    async def take(self, target: Key, owner: str, now: float) -> Leased:
        self.asked.append((target, owner))
        if self.gate is not None:
            await self.gate.wait()
        return self.leased


def executor(way: MitigationFlow, table: Table) -> Executor:
    return Executor(
        way.clock, way.journal, way.reader, way.mutator, "arn:aws:sts::1:assumed-role/ops/ann", "operator",
        way.events.extend, scope=SCOPE, lease=table,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("leased", "says"),
    [
        (taken(KIM), None),
        (held_by_other(KIM), "Lease: held by kim@other until"),
        (not_known("the table does not exist"), "Lease: the table does not exist."),
    ],
)
async def test_a_lease_adds_words_and_stops_nothing(tmp_path: Path, leased: Leased, says: str | None) -> None:
    way = mitigation_flow(tmp_path / "j")
    table = Table(leased)
    result = await executor(way, table).execute(await way.plan(), way.clock.now())
    assert (result.kind, way.account.reserved) == ("applied", 0)
    assert ("Lease" in result.message) is (says is not None)
    assert says is None or says in result.message
    ((target, owner),) = table.asked
    assert (target.id, owner.split("@")[0]) == ("orders-worker", "ann")


async def test_the_call_does_not_wait_for_the_lease(tmp_path: Path) -> None:
    way, gate = mitigation_flow(tmp_path / "j"), asyncio.Event()
    way.mutator.on_send = gate.set
    result = await executor(way, Table(held_by_other(KIM), gate)).execute(await way.plan(), way.clock.now())
    assert result.kind == "applied"


async def test_a_lease_is_asked_for_behind_an_intent_only(tmp_path: Path) -> None:
    way = mitigation_flow(tmp_path / "j")
    plan = await way.plan()
    way.account.reserved = 3
    table = Table(taken(KIM))
    assert (await executor(way, table).execute(plan, way.clock.now())).kind == "drift"
    assert table.asked == []


class Busy(FakeMutator):
    """AWS throttles the first `times` attempts."""

    times = 1

    async def send(self, call: Call, digest: str) -> Sent:
        if len(self.sent) < self.times:
            self.sent.append((call, digest))
            return Sent("refused", "TooManyRequestsException: slow down", busy=True)
        return await super().send(call, digest)


def busy(tmp_path: Path, times: int) -> tuple[MitigationFlow, Executor]:
    way = mitigation_flow(tmp_path / "j")
    mutator = Busy(way.account)
    mutator.times = times
    way.mutator = mutator
    made = Executor(
        way.clock, way.journal, way.reader, mutator, "ann", "operator", way.events.extend, scope=SCOPE
    )
    return way, made


async def test_a_throttled_call_goes_out_again_and_each_attempt_is_written_down(tmp_path: Path) -> None:
    way, made = busy(tmp_path, 2)
    result = await made.execute(await way.plan(), way.clock.now())
    assert (result.kind, len(way.mutator.sent)) == ("applied", 3)
    records = (tmp_path / "j" / "journal.jsonl").read_text()
    assert records.count('"record":"attempt"') + records.count('"record": "attempt"') == 2
    assert [e.outcome for e in way.journal.read()] == ["applied"]


async def test_what_stays_busy_is_refused(tmp_path: Path) -> None:
    way, made = busy(tmp_path, 9)
    result = await made.execute(await way.plan(), way.clock.now())
    assert (result.kind, len(way.mutator.sent), way.account.reserved) == ("refused", 3, 7)
    assert "TooManyRequests" in result.message


async def test_between_two_attempts_somebody_else_may_have_acted(tmp_path: Path) -> None:
    way, made = busy(tmp_path, 1)
    plan = await way.plan()
    reads = way.reader.reads

    def act() -> None:
        if way.reader.reads > reads + 1:
            way.account.reserved = 50

    way.reader.on_read = act
    result = await made.execute(plan, way.clock.now())
    assert (result.kind, len(way.mutator.sent), way.account.reserved) == ("refused", 1, 50)
    assert "not sent again" in result.message
