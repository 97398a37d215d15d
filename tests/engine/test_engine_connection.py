from __future__ import annotations

from pathlib import Path

import pytest
from fakes.clock import settle
from fakes.engine_bench import EngineBench
from fakes.entries import SCOPE, WORKER

from lambdatop.domain.errors import CredentialsError, Unreachable
from lambdatop.domain.keys import Scope


async def test_old_data_stays_when_a_source_begins_to_fail(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(5)
        bench.sources["functions"].always = Unreachable("No connection.")
        bench.engine.refresh()
        await bench.clock.advance(5)
        assert bench.states()["functions"] == "failed"
        assert [f.facts.name for f in bench.engine.latest().functions] == ["orders-worker"]


async def test_connecting_backs_off_says_why_and_goes_on(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.backend.errors = [Unreachable("No connection to http://x.") for _ in range(4)]
    async with bench.running():
        await bench.clock.advance(0.5)
        assert bench.states() == {"connection": "failed", "journal": "ok"}
        assert bench.error("connection") == "No connection to http://x."
        with pytest.raises(Unreachable):
            await (await bench.engine.proposals()).propose("throttle_to_zero", WORKER, {})
        took = await bench.clock.until(lambda: bench.states().get("connection") == "ok")
        assert 14 <= took <= 15.5, "1 + 2 + 4 + 8 s"


async def test_refresh_ends_the_pause_of_a_connection_attempt(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.backend.errors = [Unreachable("No.") for _ in range(6)]
    async with bench.running():
        await bench.clock.advance(20)
        attempts = bench.backend.attempts
        bench.engine.refresh()
        await settle()
        assert bench.backend.attempts == attempts + 1


async def test_an_unforeseen_error_while_connecting_does_not_end_the_engine(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.backend.errors = [RuntimeError("boom")]
    async with bench.running():
        await bench.clock.advance(0.5)
        assert "RuntimeError" in bench.error("connection")
        await bench.clock.until(lambda: bench.states().get("connection") == "ok")


async def test_expired_credentials_are_said_and_the_connection_made_anew(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(200)
        expired = CredentialsError("The credentials expired; log in again.")
        for source in bench.sources.values():
            source.always = expired
        bench.backend.always = expired
        await bench.clock.advance(60)
        assert bench.states()["functions"] == "ok", "its turn has not come yet"
        assert bench.error("queues") == "The credentials expired; log in again."
        assert bench.states()["connection"] == "failed"
        assert (bench.backend.opened, bench.backend.closed) == (1, 0)
        for source in bench.sources.values():
            source.always = None
        bench.backend.always = None
        await bench.clock.until(lambda: set(bench.states().values()) == {"ok"}, 120)
        assert (bench.backend.opened, bench.backend.closed) == (2, 1)
        assert [f.facts.name for f in bench.engine.latest().functions] == ["orders-worker"]


async def test_credentials_that_never_work_do_not_list_the_account_every_second(tmp_path: Path) -> None:
    bench = EngineBench(tmp_path)
    bench.sources["alarms"].always = CredentialsError("The security token is invalid.")
    async with bench.running():
        await bench.clock.advance(600)
        assert len(bench.sources["functions"].asked) < 25


async def test_another_account_after_a_reconnect_starts_with_an_empty_world(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(5)
        other = Scope("999999999999", SCOPE.region)
        bench.backend.scope = other
        for source in bench.sources.values():
            source.scope = other
        bench.sources["alarms"].errors = [CredentialsError("Expired.")]
        bench.engine.refresh()
        await bench.clock.until(lambda: bench.backend.opened == 2)
        await bench.clock.advance(3)
        snapshot = bench.engine.latest()
        assert [t.scope for t in snapshot.targets] == [other]
        assert {f.key.scope for f in snapshot.functions} == {other}
