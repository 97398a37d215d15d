"""The mitigation flow from outside: each reason that is said, each field that is written and told."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from fakes.account import MAPPING, ORDERS
from fakes.clock import settle
from fakes.entries import SCOPE, WORKER, entry
from fakes.mitigation_flow import MitigationFlow, mitigation_flow
from msgspec.structs import replace

from lambdatop.domain.errors import Denied
from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Plan, Refusal
from lambdatop.domain.ports.console import Result
from lambdatop.domain.state.events import Control, ControlObserved, JournalRead
from lambdatop.engine.mutating.executor import LAST_SECONDS_S, Executor, Process
from lambdatop.engine.mutating.in_progress import LONGEST_S
from lambdatop.storage.errors import JournalError
from lambdatop.storage.journal_file import JournalFile


@pytest.fixture
def way(tmp_path: Path) -> MitigationFlow:
    return mitigation_flow(tmp_path / "j")


ROLE = "arn:aws:sts::111122223333:assumed-role/oncall/"


def made(way: MitigationFlow, **options: Any) -> Executor:
    """Return an executor over the same account."""
    actor, mode = options.pop("actor", f"{ROLE}kim"), options.pop("mode", "operator")
    options.setdefault("scope", SCOPE)
    options.setdefault("process", Process("bastion", 4242))
    return Executor(
        way.clock, way.journal, way.reader, way.mutator, actor, mode, way.events.extend, **options
    )


async def carry_out(way: MitigationFlow, executor: Executor, **changes: Any) -> Result:
    return await executor.execute(replace(await way.plan(), **changes), way.clock.now())


async def test_an_entry_holds_who_where_when_and_what(way: MitigationFlow) -> None:
    plan = await way.plan()
    extra: dict[str, Any] = {
        "deadline": 5.0,
        "deadline_latest": 6.0,
        "undoes": "x",
        "depth": 1,
        "confirm": "PROD",
    }
    plan = replace(plan, **extra)
    executor = made(way)
    await executor.execute(plan, way.clock.now(), ("orders", WORKER.id))
    (found,) = way.journal.read()
    assert found == Entry(
        id=plan.id,
        at=way.clock.now(),
        mitigation="throttle_to_zero",
        target=WORKER,
        arn=plan.target.arn,
        actor=f"{ROLE}kim",
        host="bastion",
        pid=4242,
        call=plan.call,
        before={"reserved_concurrency": 7},
        after={"reserved_concurrency": 0},
        undo=plan.undo,
        undoes="x",
        plan_digest=plan.digest(),
        outcome="applied",
        outcome_at=way.clock.now(),
        seen={"reserved_concurrency": 0},
        deadline=5.0,
        label=WORKER.id,
        deadline_latest=6.0,
        called=("orders", "PROD"),
        depth=1,
        uptime=way.clock.uptime(),
    )


async def test_a_key_that_was_pressed_is_no_name_and_this_process_writes(way: MitigationFlow) -> None:
    await carry_out(way, made(way, process=None), confirm="key")
    (found,) = way.journal.read()
    assert (found.called, found.host, found.pid) == ((), socket.gethostname(), os.getpid())


async def test_who_signs_is_written_down_and_who_must_not_sign_sends_nothing(
    way: MitigationFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def signer(call: object) -> str:
        return f"{ROLE}other"

    async def refused(call: object) -> str:
        raise Denied("Somebody else signs.")

    async def slow(call: object) -> str:
        way.clock.jump(61)
        return ""

    executor = made(way)
    monkeypatch.setattr(way.mutator, "signer", refused)
    assert await carry_out(way, executor) == Result("not-sent", "Nothing was sent. Somebody else signs.")
    monkeypatch.setattr(way.mutator, "signer", slow)
    assert (await carry_out(way, executor)).kind == "expired"
    assert way.journal.read() == ()
    monkeypatch.setattr(way.mutator, "signer", signer)
    await carry_out(way, executor)
    assert way.journal.read()[0].actor == f"{ROLE}other"


async def test_each_reason_why_a_plan_is_void_is_said(way: MitigationFlow) -> None:
    async def says(executor: Executor, age_s: float = 0.0, **changes: Any) -> tuple[str, str]:
        plan = replace(await way.plan(), **changes)
        reads = way.reader.reads
        result = await executor.execute(plan, way.clock.now() - age_s)
        assert result.kind == "applied" or executor is last or way.reader.reads == reads, "void before a look"
        return result.kind, result.message

    executor, last = made(way), made(way)
    assert await says(made(way, mode="read-only")) == (
        "read-only",
        "Read-only mode: nothing was sent, and nothing here could send it.",
    )
    assert await says(made(way, changes_refused="No.")) == ("not-sent", "No.")
    there = Scope("999999999999", SCOPE.region)
    assert await says(made(way, scope=there)) == (
        "not-sent",
        f"The plan is for {SCOPE}, the connection is to {there}; nothing was sent.",
    )
    assert await says(made(way, allow_destructive=False), tier="T3") == (
        "not-sent",
        "throttle_to_zero cannot be undone, and allow_destructive is false; nothing was sent.",
    )
    assert await says(executor, 61) == ("expired", "The confirmation is older than 60 s; nothing was sent.")
    assert await says(executor, -6) == (
        "expired",
        "The clock was set back, so the age of the confirmation is not known; nothing was sent.",
    )
    assert (await says(executor, -5, id="once"))[0] == "applied"
    way.account.reserved = 7
    assert await says(executor, id="once") == (
        "not-sent",
        "This plan was carried out already; nothing more was sent.",
    )
    executor.interrupt()
    interrupted = "not-sent", "It was interrupted before anything was sent."
    assert await says(executor) == interrupted
    way.reader.on_read = last.interrupt
    assert await says(last) == interrupted
    assert len(way.account.calls) == 1


@pytest.mark.parametrize("passed_s", [61, 0])
async def test_who_signs_is_not_asked_for_what_a_look_has_made_void(
    way: MitigationFlow, monkeypatch: pytest.MonkeyPatch, passed_s: float
) -> None:
    """Too long a look, and a look after which the credentials are about to end."""
    asked: list[object] = []

    async def signer(call: object) -> str:
        asked.append(call)
        return ""

    plan, ends = await way.plan(), way.clock.now() + (LAST_SECONDS_S - 1 if not passed_s else 3600)
    monkeypatch.setattr(way.mutator, "signer", signer)
    way.reader.on_read = lambda: way.clock.jump(passed_s)
    result = await made(way, expires_at=lambda: ends).execute(plan, way.clock.now())
    assert (result.kind, asked) == ("expired" if passed_s else "not-sent", [])


async def test_no_way_leads_around_read_only_mode(way: MitigationFlow) -> None:
    plan = await way.plan()
    assert (await made(way, mode="read-only").step(plan, plan)).kind == "read-only"
    assert (way.mutator.sent, way.journal.read()) == ([], ())


async def test_a_plan_in_steps_is_void_for_the_same_reasons_and_carried_out_once(way: MitigationFlow) -> None:
    plan, executor = await way.plan(), made(way)
    whole = replace(plan, id="w", steps=(replace(plan, id="w.1"),), title="All")
    assert (await executor.execute(whole, way.clock.now() - 61)).kind == "expired"
    assert (await executor.execute(whole, way.clock.now(), ("prod",))).kind == "applied"
    once = Result("not-sent", "This plan was carried out already; nothing more was sent.")
    assert await executor.execute(whole, way.clock.now()) == once
    (found,) = way.journal.read()
    assert (found.id, found.whole, found.steps, found.called) == ("w.1", "All", 1, ("prod",))


async def test_credentials_must_last_two_minutes(
    way: MitigationFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = [way.clock.now() + 120.0]
    executor = made(way, expires_at=lambda: ends[0])
    assert (await carry_out(way, executor)).kind == "applied"
    way.account.reserved = 7
    words = (
        "The credentials end in less than 2 minutes; nothing was sent. Log in again (`:login` in the "
        "console), then confirm it anew."
    )
    ends[0] -= 0.5
    assert await carry_out(way, executor) == Result("not-sent", words)

    async def ending(call: object) -> str:
        ends[0] = way.clock.now() + 1
        return ""

    ends[0] += 9
    monkeypatch.setattr(way.mutator, "signer", ending)
    assert await carry_out(way, executor) == Result("not-sent", words)
    assert len(way.account.calls) == 1


async def test_what_recovery_found_is_told_at_once(way: MitigationFlow) -> None:
    executor = made(way)
    assert await executor.recover() == ()
    assert way.events == []
    way.journal.intent(entry(uptime=way.clock.uptime()))
    way.account.reserved = 0
    assert await made(way, changes_refused="No.").recover() == (), "who answers there knows nothing of AWS"
    (found,) = await executor.recover()
    assert [(type(event), event.scope, event.at) for event in way.events] == [
        (JournalRead, SCOPE, way.clock.now())
    ]
    assert way.journal.read() == (found,)


async def test_a_journal_that_cannot_be_read_back_keeps_nothing_from_the_screen(tmp_path: Path) -> None:
    class Unreadable(JournalFile):
        def read(self) -> tuple[Entry, ...]:
            raise JournalError("It is damaged.")

    way = mitigation_flow(tmp_path / "j", journal=Unreadable(tmp_path / "j"))
    plan = await way.plan()
    assert (await way.execute(plan)).kind == "applied"
    assert [type(event) for event in way.events] == [ControlObserved]


async def test_what_could_not_be_read_back_is_not_told_as_if_it_were(way: MitigationFlow) -> None:
    await way.execute(await way.plan("purge_queue", ORDERS))
    assert [type(event) for event in way.events] == [JournalRead]


def _standing(way: MitigationFlow, *made_entries: Entry) -> None:
    for one in made_entries:
        way.journal.intent(replace(one, at=way.clock.now()))
        way.journal.outcome(one.id, way.clock.now(), "applied", "", None)


async def test_what_stands_is_looked_at_and_told(way: MitigationFlow) -> None:
    executor = made(way)
    _standing(way, entry(), entry("m", target=MAPPING, before={"state": "Enabled"}, after={"state": "Off"}))
    await executor.settle_standing()
    told = {e.controls: (e.scope, e.at) for e in way.events if isinstance(e, ControlObserved)}
    assert told == dict.fromkeys(
        [(Control(WORKER, "reserved_concurrency", 7),), (Control(MAPPING, "state", "Enabled"),)],
        (SCOPE, way.clock.now()),
    )
    way.events.clear()
    way.reader.failing = [Denied("No."), Denied("No.")]
    await executor.settle_standing()
    assert way.events == []


async def test_the_newest_twenty_that_stand_are_looked_at(way: MitigationFlow) -> None:
    _standing(way, *(entry(f"e{i}", target=WORKER._replace(id=f"f{i}")) for i in range(25)))
    await made(way).settle_standing()
    told = [e.controls[0].key.id for e in way.events if isinstance(e, ControlObserved)]
    assert sorted(told) == sorted(f"f{i}" for i in range(5, 25))


async def test_while_a_change_is_under_way_what_stands_is_not_told(way: MitigationFlow) -> None:
    executor = made(way)
    _standing(way, entry("m", target=MAPPING, before={"state": "Enabled"}, after={"state": "Off"}))
    way.mutator.gate = asyncio.Event()
    changing = asyncio.ensure_future(carry_out(way, executor))
    await way.mutator.reached.wait()
    await executor.settle_standing()
    assert [e for e in way.events if isinstance(e, ControlObserved)] == []
    assert [e.outcome for e in await executor.unsettled()] == ["open"]
    assert await executor.recover() == (), "the one that is at work on it is this process"
    way.journal.intent(entry("old", target=ORDERS, after={}))
    (found,) = await executor.recover()
    assert found.id == "old", "of this process, and it is not at work on it any more"
    way.mutator.gate.set()
    await changing


async def test_a_connection_is_quiet_when_its_last_change_has_ended(way: MitigationFlow) -> None:
    executor = made(way)
    await executor.quiet()
    gate = way.mutator.gate = asyncio.Event()
    slow = asyncio.ensure_future(carry_out(way, executor))
    await way.mutator.reached.wait()
    quiet = asyncio.ensure_future(executor.quiet())
    way.mutator.gate = None
    plan = await way.plan("purge_queue", ORDERS)
    assert (await executor.execute(plan, way.clock.now())).kind == "applied"
    await settle()
    assert not quiet.done(), "another one is still on its way"
    gate.set()
    await asyncio.gather(slow, quiet)
    again = asyncio.ensure_future(executor.quiet())
    await settle()
    assert again.done()


async def test_what_was_confirmed_for_one_connection_is_sent_by_the_next_of_the_same_kind(
    way: MitigationFlow,
) -> None:
    first = made(way, actor=f"{ROLE}botocore-session-1")
    other = mitigation_flow(way.journal.path.parent, way.account)  # type: ignore[attr-defined]
    first.hand_over(made(other, actor=f"{ROLE}botocore-session-22"))
    assert (await carry_out(way, first)).kind == "applied"
    assert (len(way.mutator.sent), len(other.mutator.sent)) == (0, 1)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"scope": Scope("9" * 12, "x")}, f"lambdatop was connected to {'9' * 12}/x instead of {SCOPE}"),
        ({"actor": f"{ROLE}ann"}, f"lambdatop was connected as {ROLE}ann instead of {ROLE}kim"),
        ({"mode": "read-only"}, "the new connection may not change anything"),
        ({"changes_refused": "No."}, "the new connection may not change anything"),
    ],
)
async def test_another_connection_does_not_send_what_was_confirmed_for_this_one(
    way: MitigationFlow, options: dict[str, Any], why: str
) -> None:
    first = made(way)
    first.hand_over(made(way, **options))
    assert await carry_out(way, first) == Result("not-sent", f"Nothing was sent: {why}.")
    assert way.mutator.sent == []


async def test_a_refused_connection_says_so_before_other_warnings(way: MitigationFlow) -> None:
    executor = made(way, changes_refused="Calls go elsewhere.")
    plain, warned = await way.plan(), await executor.proposals.propose("throttle_to_zero", WORKER, {})
    assert isinstance(warned, Plan)
    assert warned.warnings == ("Calls go elsewhere.", *plain.warnings)
    assert isinstance(await executor.proposals.propose("restore_concurrency", WORKER, {}), Refusal)


async def test_the_names_of_what_an_undo_takes_back_confirm_it(way: MitigationFlow) -> None:
    plan = await way.plan()
    assert await way.executor.proposals.names_of(plan) == ()
    await way.executor.execute(plan, way.clock.now(), ("prod",))
    assert await way.executor.proposals.names_of(await way.undo()) == (WORKER.id, plan.target.arn, "prod")


async def test_plans_that_ended_halfway_are_told_of_this_account(way: MitigationFlow) -> None:
    there = WORKER._replace(scope=Scope("9" * 12, "x"))
    for one in (entry("p.1", whole="Here", steps=2), entry("q.1", whole="There", steps=2, target=there)):
        _standing(way, replace(one, uptime=way.clock.uptime()))
    way.clock.jump(LONGEST_S)
    own: dict[str, Any] = {"host": socket.gethostname(), "pid": os.getpid(), "target": MAPPING}
    _standing(way, entry("o.1", whole="Own", steps=2, **own))
    executor = made(way)
    assert [found.title for found in await executor.halfway()] == ["Here", "Own"]
    way.mutator.gate = asyncio.Event()
    changing = asyncio.ensure_future(carry_out(way, executor))
    await way.mutator.reached.wait()
    assert [found.title for found in await executor.halfway()] == ["Here"]
    way.mutator.gate.set()
    await changing
