"""One mutation to its end: what is written, what is said, and what is sent again, word by word."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.account import ORDERS, FakeMutator, FakeReader
from fakes.entries import AT, SCOPE, entry
from fakes.mitigation_flow import MitigationFlow, mitigation_flow
from msgspec.structs import replace

from lambdatop.domain.errors import Denied, LambdatopError
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.mitigations.drain import drain
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.lease import Held, Leased, not_known, taken
from lambdatop.domain.plans.plan import Call, Plan
from lambdatop.domain.ports.aws import Sent
from lambdatop.domain.ports.console import Result
from lambdatop.engine.mutating import commit as module
from lambdatop.engine.mutating.commit import Committer
from lambdatop.storage.errors import JournalError
from lambdatop.storage.journal_file import JournalFile

SLOW_DOWN = "TooManyRequestsException: slow down"


class Journal(JournalFile):
    """Fails where it is told to; `told` is every record's kind and words."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.failing: dict[str, Exception] = {}
        self.told: list[tuple[Any, ...]] = []

    def _append(self, record: Any) -> None:
        kind = record["record"]
        if kind in self.failing:
            raise self.failing[kind]
        self.told.append((kind, record.get("number"), record.get("outcome"), record.get("detail")))
        super()._append(record)


class Account(FakeMutator):
    """`busy` attempts are throttled; `signers` are who signs the next ones."""

    busy = 0
    signers: tuple[str | Exception, ...] = ()

    async def signer(self, call: Call) -> str:
        who, *rest = self.signers or ("",)
        self.signers = tuple(rest)
        if isinstance(who, Exception):
            raise who
        return who

    async def send(self, call: Call, digest: str) -> Sent:
        if len(self.sent) < self.busy:
            self.on_send()
            self.sent.append((call, digest))
            return Sent("refused", SLOW_DOWN, busy=True)
        return await super().send(call, digest)


class Bench:
    """A committer over one account."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.journal = Journal(directory)
        self.way: MitigationFlow = mitigation_flow(directory, journal=self.journal)
        self.mutator = Account(self.way.account)
        self.interrupted = False
        self.committer = Committer(
            self.way.clock, self.journal, self.way.reader, interrupted=lambda: self.interrupted, **options
        )

    async def commit(self, **changes: Any) -> Result:
        plan = await self.way.plan()
        changes = {"after": plan.after, "call": plan.call} | changes
        return await self.committer.commit(self.mutator, plan, entry(plan.id, **changes))

    @property
    def entry(self) -> Entry:
        (found,) = self.journal.read()
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "j")


async def test_the_result_says_what_was_done_and_holds_the_entry_as_it_is_on_disk(bench: Bench) -> None:
    result = await bench.commit()
    assert result.message == "Done: Throttle orders-worker to zero."
    assert result.entry == bench.entry
    assert (result.kind, result.now, result.want) == (
        "applied",
        {"reserved_concurrency": 0},
        {"reserved_concurrency": 0},
    )
    assert bench.entry.outcome_at == bench.way.clock.now()
    assert bench.journal.told == [("intent", None, None, None), ("outcome", None, "applied", "")]
    assert bench.way.clock.slept == []


FAILURES = pytest.mark.parametrize(
    ("error", "words"),
    [
        (JournalError("The disk is full."), "The disk is full."),
        (
            RuntimeError("torn"),
            "the journal met an unexpected error (RuntimeError); --debug logs the details.",
        ),
    ],
)


@FAILURES
async def test_without_an_intent_nothing_is_sent_and_why_is_said(
    bench: Bench, error: Exception, words: str
) -> None:
    bench.journal.failing = {"intent": error}
    assert await bench.commit() == Result("not-sent", f"{words} Nothing was sent.")
    assert bench.mutator.sent == []


@FAILURES
async def test_an_outcome_that_cannot_be_written_leaves_the_entry_open(
    bench: Bench, error: Exception, words: str
) -> None:
    bench.journal.failing = {"outcome": error}
    result = await bench.commit()
    assert result.message == (
        f"Done: Throttle orders-worker to zero. Its outcome could not be written ({words}); the entry stays "
        "open until it can be."
    )
    assert (result.kind, result.now) == ("applied", {"reserved_concurrency": 0})
    assert result.entry is not None
    assert (result.entry.outcome, bench.entry.outcome) == ("open", "open")


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (Denied("You lack sqs:X."), "You lack sqs:X."),
        (
            ConnectionResetError("gone"),
            "the call met an unexpected error (ConnectionResetError); --debug logs the details.",
        ),
    ],
)
async def test_a_call_that_raises_may_have_left(bench: Bench, error: Exception, detail: str) -> None:
    def fail() -> None:
        raise error

    bench.mutator.on_send = fail
    result = await bench.commit()
    assert (result.kind, bench.entry.outcome, bench.entry.detail) == ("unknown", "unknown", detail)
    assert bench.entry.seen == {"reserved_concurrency": 7}, "it was looked at"


@pytest.mark.parametrize("behave", ["refused", "not-sent"])
async def test_what_changed_nothing_is_not_read_back(bench: Bench, behave: str) -> None:
    bench.mutator.behave = behave
    reads = bench.way.reader.reads
    assert (await bench.commit()).kind == behave
    assert (bench.way.reader.reads - reads, bench.entry.seen) == (0, None)


async def test_attempts_are_written_with_their_number_their_reason_and_who_signs(bench: Bench) -> None:
    bench.mutator.busy = 2
    bench.mutator.signers = (entry().actor, "arn:aws:iam::1:user/ann")
    result = await bench.commit()
    assert result.message == "Done: Throttle orders-worker to zero."
    assert bench.journal.told[1:] == [
        ("attempt", 2, None, SLOW_DOWN),
        ("attempt", 3, None, f"{SLOW_DOWN}; signed by arn:aws:iam::1:user/ann"),
        ("outcome", None, "applied", ""),
    ]
    assert bench.way.clock.slept == [1.0, 2.0]
    assert len({digest for _, digest in bench.mutator.sent}) == 1


async def test_what_stays_busy_after_three_attempts_is_refused_in_its_own_words(bench: Bench) -> None:
    bench.mutator.busy = 9
    result = await bench.commit()
    assert (result.kind, len(bench.mutator.sent), bench.entry.detail) == ("refused", 3, SLOW_DOWN)
    assert [told[3] for told in bench.journal.told[1:]] == [SLOW_DOWN] * 3, "nobody in particular signs"


def _interrupt(bench: Bench) -> None:
    bench.mutator.on_send = lambda: setattr(bench, "interrupted", True)


def _change(bench: Bench) -> None:
    bench.mutator.on_send = lambda: setattr(bench.way.account, "reserved", 50)


def _lose_the_disk(bench: Bench) -> None:
    bench.journal.failing = {"attempt": JournalError("The disk is full.")}


def _lose_the_identity(bench: Bench) -> None:
    bench.mutator.signers = (Denied("Somebody else signs."),)


@pytest.mark.parametrize(
    ("hinder", "why"),
    [
        (_interrupt, "it was interrupted"),
        (
            _change,
            "orders-worker was changed since the plan was made; nothing was sent. You saw reserved "
            "concurrency 7, it is now reserved concurrency 50, you want reserved concurrency 0 (throttled to "
            "zero).",
        ),
        (_lose_the_disk, "The disk is full."),
        (_lose_the_identity, "Somebody else signs."),
    ],
)
async def test_why_it_is_not_sent_again_is_said_and_written(
    bench: Bench, hinder: Callable[[Bench], None], why: str
) -> None:
    bench.mutator.busy = 1
    hinder(bench)
    result = await bench.commit()
    assert (result.kind, len(bench.mutator.sent)) == ("refused", 1)
    assert bench.entry.detail == f"{SLOW_DOWN}; not sent again: {why}"
    assert result.message == f"AWS refused: {bench.entry.detail} Nothing was changed."
    assert bench.way.clock.slept == [1.0]


async def test_a_target_that_cannot_be_read_before_another_attempt_is_left_alone(bench: Bench) -> None:
    bench.mutator.busy = 1
    bench.way.reader.failing = [Denied("You lack lambda:X.")]
    await bench.commit()
    assert bench.entry.detail == (
        f"{SLOW_DOWN}; not sent again: The target could not be read before the call; nothing was sent. "
        "You lack lambda:X."
    )


async def test_a_purge_is_sent_again_without_a_look(bench: Bench) -> None:
    bench.mutator.busy = 1
    plan = await bench.way.plan("purge_queue", ORDERS)
    result = await bench.committer.commit(bench.mutator, plan, entry(plan.id, call=plan.call, after={}))
    assert (result.kind, bench.way.reader.reads) == ("applied", 0)


# -- given up ---------------------------------------------------------------------------------------


async def _given_up(bench: Bench, reached: asyncio.Event) -> Entry:
    """Cancel the commit at that moment; the entry then, with nothing left behind on the loop."""
    task = asyncio.ensure_future(bench.commit())
    await reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return bench.entry


@pytest.mark.parametrize("busy", [0, 1])
async def test_a_call_on_its_way_that_is_given_up_is_unknown_at_each_attempt(
    tmp_path: Path, busy: int
) -> None:
    bench = Bench(tmp_path / "j", lease=Table(taken(Held("ann", AT, 1)), answers=False))
    bench.mutator.busy, bench.mutator.gate = busy, asyncio.Event()
    found = await _given_up(bench, bench.mutator.reached)
    assert (found.outcome, found.detail) == ("unknown", "cancelled while the call was on its way")


async def test_a_busy_call_that_is_given_up_while_it_waits_was_refused(bench: Bench) -> None:
    bench.mutator.busy = 1

    polling = asyncio.Event()

    class Stopped(FakeReader):
        async def state(self, *_: Any) -> Any:
            polling.set()
            await asyncio.Event().wait()

    bench.committer = Committer(bench.way.clock, bench.journal, Stopped(bench.way.account))
    found = await _given_up(bench, polling)
    assert (found.outcome, found.detail) == ("refused", SLOW_DOWN)


@pytest.mark.parametrize("error", [None, JournalError("The disk is full.")])
async def test_given_up_while_the_intent_is_written_nothing_is_sent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    """The write goes on to its end; that it failed is nobody's news any more."""
    writing, may_end, complaints = asyncio.Event(), asyncio.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    write = asyncio.to_thread

    async def slow(function: Any, *args: Any) -> Any:
        if args and isinstance(args[0], Entry):
            writing.set()
            await may_end.wait()
        return await write(function, *args)

    bench.journal.failing = {"intent": error} if error else {}
    monkeypatch.setattr(asyncio, "to_thread", slow)
    task = asyncio.ensure_future(bench.commit())
    await writing.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    await asyncio.gather(task, return_exceptions=True)
    del task
    await asyncio.sleep(0)
    gc.collect()
    assert (bench.mutator.sent, complaints) == ([], [])
    if error is None:
        assert (bench.entry.outcome, bench.entry.detail) == ("not-sent", "cancelled before it was sent")


# -- steps that are not begun, leases, drains ---------------------------------------------------------


async def test_a_step_that_is_not_begun_is_written_with_why(bench: Bench) -> None:
    await bench.committer.not_sent(entry("p.2"), "not begun: lambdatop was closing")
    assert (bench.entry.outcome, bench.entry.detail) == ("not-sent", "not begun: lambdatop was closing")


@pytest.mark.parametrize("error", [JournalError("The disk is full."), RuntimeError("torn")])
async def test_a_step_that_is_not_begun_and_cannot_be_written_stops_nothing(
    bench: Bench, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    bench.journal.failing = {"intent": error}
    await bench.committer.not_sent(entry("p.2"), "not begun: lambdatop was closing")
    assert bench.journal.read() == ()
    foreseen = isinstance(error, LambdatopError)
    assert [record.getMessage() for record in caplog.records] == (
        [] if foreseen else ["unexpected error in the journal"]
    )


class Table:
    """A lease that answers with what it is given, or never."""

    def __init__(self, leased: Leased, *, answers: bool = True) -> None:
        self.leased = leased
        self.answers = answers
        self.asked: list[tuple[Key, str, float]] = []

    async def take(self, target: Key, owner: str, now: float) -> Leased:
        self.asked.append((target, owner, now))
        if not self.answers:
            await asyncio.Event().wait()
        return self.leased


@pytest.mark.parametrize(
    ("actor", "owner"),
    [
        ("arn:aws:sts::1:assumed-role/oncall/kim", "kim@bastion"),
        ("arn:aws:iam::1:root", "arn:aws:iam::1:root@bastion"),
    ],
)
async def test_the_lease_is_taken_for_who_acts_and_where(tmp_path: Path, actor: str, owner: str) -> None:
    table = Table(not_known("the table does not exist"))
    bench = Bench(tmp_path / "j", lease=table)
    result = await bench.commit(actor=actor)
    assert table.asked == [(entry().target, owner, bench.way.clock.now())]
    assert result.message == "Done: Throttle orders-worker to zero. Lease: the table does not exist."
    table.leased = taken(Held(owner, AT, 1))
    bench.way.account.reserved = 7
    assert (await bench.commit(actor=actor)).message == "Done: Throttle orders-worker to zero."


class Shelf:
    """A place for drained messages: both the store and its only file."""

    path = "/drained"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.opened: list[tuple[Scope, str]] = []
        self.closed = 0

    def open(self, scope: Scope, queue: str) -> Shelf:
        if self.error is not None:
            raise self.error
        self.opened.append((scope, queue))
        return self

    def keep(self, messages: Any) -> int:
        return len(messages)

    def close(self) -> None:
        self.closed += 1


async def _drained(bench: Bench) -> tuple[Result, Plan]:
    plan = replace(await bench.way.plan("purge_queue", ORDERS), call=drain("https://q", "orders"))
    made = entry("d", call=plan.call, target=ORDERS, before={}, after={}, undo=None)
    return await bench.committer.commit(bench.mutator, plan, made), plan


async def test_a_drain_fills_the_file_of_its_queue_and_closes_it(tmp_path: Path) -> None:
    shelf = Shelf()
    bench = Bench(tmp_path / "j", spills=shelf)
    result, plan = await _drained(bench)
    assert (result.kind, bench.entry.detail) == ("applied", "drained 12 messages to /drained")
    assert bench.mutator.sent == [(plan.call, plan.call.digest())]
    assert (shelf.opened, shelf.closed) == ([(SCOPE, "orders")], 1)


@pytest.mark.parametrize(
    ("shelf", "why"),
    [
        (None, "there is no place on this machine to keep messages"),
        (Shelf(JournalError("The disk is full.")), "The disk is full."),
    ],
)
async def test_without_a_file_nothing_is_drained(tmp_path: Path, shelf: Shelf | None, why: str) -> None:
    bench = Bench(tmp_path / "j", spills=shelf)
    result, _ = await _drained(bench)
    assert (result.kind, bench.entry.outcome, bench.entry.detail) == ("not-sent", "not-sent", why)
    assert (bench.mutator.sent, bench.way.account.messages) == ([], 12)


def test_a_busy_service_is_asked_three_times_within_some_seconds() -> None:
    assert module.BUSY_PAUSES_S == (1.0, 2.0)
