"""A login connects anew and keeps what is known; dying credentials and foreign endpoints change nothing."""

from __future__ import annotations

from pathlib import Path

from fakes.account import Account, FakeMutator, FakeReader
from fakes.clock import FakeClock, settle
from fakes.engine_bench import EngineBench
from fakes.entries import SCOPE, WORKER, entry
from msgspec.structs import replace

from lambdatop.domain.errors import CredentialsError
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import TargetIdentified
from lambdatop.engine.mutating.factory import executor_on
from lambdatop.storage.journal_file import JournalFile


class Way:
    """An executor on a backend that tells its end and its refusal."""

    def __init__(self, directory: Path, *, left_s: float | None = None, refused: str = "") -> None:
        self.clock = FakeClock(auto=True)
        self.account = Account()
        self.mutator = FakeMutator(self.account, "applied")
        self.journal = JournalFile(directory)
        self.ends = None if left_s is None else self.clock.now() + left_s

        async def close() -> None:
            return None

        self.backend = Backend(
            TargetIdentified(SCOPE, self.clock.now(), "arn:aws:iam::111122223333:user/kim"),
            (),
            FakeReader(self.account),
            self.mutator,
            close,
            expires_at=lambda: self.ends,
            changes_refused=refused,
        )
        self.executor = executor_on(
            self.backend, Settings(), self.clock, self.journal, "operator", lambda events: None
        )

    async def throttle(self) -> tuple[Plan, str, str]:
        plan = await self.executor.proposals.propose("throttle_to_zero", WORKER, {})
        assert isinstance(plan, Plan)
        result = await self.executor.execute(plan, self.clock.now())
        return plan, result.kind, result.message


async def test_nothing_is_begun_with_less_than_two_minutes_left(tmp_path: Path) -> None:
    way = Way(tmp_path / "a", left_s=119.0)
    _, kind, words = await way.throttle()
    assert kind == "not-sent"
    assert "less than 2 minutes" in words
    assert ":login" in words
    assert way.account.calls == []
    assert way.journal.read() == ()


async def test_two_minutes_are_enough_and_no_end_is_none(tmp_path: Path) -> None:
    for name, left_s in (("b", 180.0), ("c", None)):
        way = Way(tmp_path / name, left_s=left_s)
        assert (await way.throttle())[1] == "applied"


async def test_credentials_that_the_read_before_renews_are_good(tmp_path: Path) -> None:
    way = Way(tmp_path, left_s=60.0)
    reader = way.backend.reader

    class Renewing:
        def __getattr__(self, name: str) -> object:
            way.ends = way.clock.now() + 3600.0
            return getattr(reader, name)

    way.backend = replace(way.backend, reader=Renewing())
    way.executor = executor_on(
        way.backend, Settings(), way.clock, way.journal, "operator", lambda events: None
    )
    assert (await way.throttle())[1] == "applied"


async def test_a_foreign_endpoint_is_told_in_the_plan_and_gets_no_change(tmp_path: Path) -> None:
    way = Way(tmp_path, refused="Calls go to http://x; --allow-endpoint-changes allows changes.")
    plan, kind, words = await way.throttle()
    assert plan.warnings[0] == words == way.backend.changes_refused
    assert kind == "not-sent"
    assert way.account.calls == []
    assert way.journal.read() == ()


async def test_a_foreign_endpoint_does_not_say_what_became_of_changes_in_aws(tmp_path: Path) -> None:
    way = Way(tmp_path, refused="Calls go to http://x; --allow-endpoint-changes allows changes.")
    way.journal.intent(entry())
    way.account.reserved = 0
    assert await way.executor.recover() == ()
    assert [e.outcome for e in way.journal.read()] == ["open"]
    assert await way.executor.unsettled() == way.journal.read()


async def test_a_login_connects_at_once_while_the_connection_works(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(5)
        bench.engine.reconnect()
        await settle()
        assert (bench.backend.opened, bench.backend.closed) == (2, 1)
        assert [f.facts.name for f in bench.engine.latest().functions] == ["orders-worker"]
        await bench.clock.advance(300)
        assert bench.backend.opened == 2, "once is enough"


async def test_a_login_ends_the_pause_between_attempts_and_connects_once(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    expired = CredentialsError("The credentials have expired.")
    async with bench.running():
        await bench.clock.advance(200)
        bench.backend.always = expired
        for source in bench.sources.values():
            source.always = expired
        await bench.clock.advance(120)
        assert bench.states()["connection"] == "failed"
        bench.backend.always = None
        for source in bench.sources.values():
            source.always = None
        bench.engine.reconnect()
        await settle()
        assert bench.backend.opened == 2
        await bench.clock.advance(2)
        assert bench.states()["connection"] == "ok"
        await bench.clock.advance(300)
        assert bench.backend.opened == 2
