"""Answers that trickle or never end are given up, and what was sent meanwhile is not known."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes import trickle
from fakes.aws_doubles import Bench, Counter, HandClock, Tokens, towards
from fakes.trickle import Trickle

from lambdatop.aws import connect as connecting
from lambdatop.aws.mutation import mutator as mutating
from lambdatop.aws.mutation.mutator import AwsMutator
from lambdatop.aws.sdk import api
from lambdatop.aws.sdk.clients import Clients
from lambdatop.aws.sdk.walls import transport
from lambdatop.aws.sdk.wire._private import ANSWER_BYTES
from lambdatop.domain.errors import Unreachable
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.settings.settings import Settings

pytestmark = [pytest.mark.wire, pytest.mark.sdk]
SOON_S = 1.0
THROTTLE = Call(
    "lambda", "PutFunctionConcurrency", {"FunctionName": "mail", "ReservedConcurrentExecutions": 0}
)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the bounds; a read's own timeout stays far longer than each pause."""
    monkeypatch.setattr(trickle, "DRIP_S", 0.02)
    monkeypatch.setattr(transport, "ANSWER_S", SOON_S)
    monkeypatch.setattr(api, "READ_S", 3 * SOON_S)
    monkeypatch.setattr(mutating, "SEND_S", SOON_S)


@asynccontextmanager
async def bench_on(
    mode: str, *, read_only: bool = True, attempts: int = 1
) -> AsyncIterator[tuple[Trickle, Bench]]:
    async with Trickle(mode) as server:
        bench = Bench(server.url, read_only=read_only, attempts=attempts)
        try:
            yield server, bench
        finally:
            await bench.close()


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("mode", ["body", "head"])
async def test_a_read_that_trickles_is_given_up_once(mode: str) -> None:
    async with bench_on(mode, attempts=3) as (server, bench):
        with pytest.raises(Unreachable, match="came too slowly"):
            await bench.api.read("lambda", "ListFunctions")
        assert len(server.asked) == 1, "what trickles once trickles again"
        await server.hung_up.wait()


@pytest.mark.usefixtures("soon")
async def test_all_attempts_of_a_read_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "READ_S", 0.5)
    async with bench_on("body") as (_, bench):
        with pytest.raises(Unreachable, match=r"lambda:ListFunctions: no complete answer within 0.5 s"):
            await bench.api.read("lambda", "ListFunctions")


@pytest.mark.usefixtures("soon")
async def test_a_change_whose_answer_trickles_is_unknown() -> None:
    async with bench_on("change", read_only=False) as (server, bench):
        mutator = AwsMutator(
            Clients(bench.session, bench.connection, "eu-central-1", attempts=1), bench.guard, bench.signer
        )
        sent = await mutator.send(THROTTLE, THROTTLE.digest())
        await mutator._clients.close()
        assert sent.outcome == "unknown"
        assert server.reserved == 0, "it was carried out"
        assert server.asked == ["PutFunctionConcurrency"], "and sent once"


@pytest.mark.usefixtures("soon")
async def test_connecting_is_bounded_whoever_trickles() -> None:
    async with Trickle("identity") as server:
        with pytest.raises(Unreachable, match="too slowly"):
            await connecting.connect(
                towards(server.url, isolated=True, secret_key="not-a-secret"),
                settings=Settings(region="eu-central-1"),
                limiter=Tokens(),
                meter=Counter(),
                clock=HandClock(),
            )


async def test_credentials_that_never_come_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(connecting, "resolve", never)
    monkeypatch.setattr(transport, "CREDENTIALS_S", 0.05)
    with pytest.raises(Unreachable, match=r"getting credentials: no complete answer within 0.05 s"):
        await connecting.connect(
            towards("http://127.0.0.1:1", isolated=True, secret_key="not-a-secret"),
            settings=Settings(region="eu-central-1"),
            limiter=Tokens(),
            meter=Counter(),
            clock=HandClock(),
        )


@pytest.mark.parametrize("mode", trickle.ENDLESS)
async def test_an_endless_body_is_read_to_the_bound_and_no_further(mode: str) -> None:
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with bench_on(mode, attempts=3) as (server, bench):
        with pytest.raises(Unreachable, match="more than any answer of AWS"):
            await bench.api.read("lambda", "ListFunctions")
        await server.hung_up.wait()
        assert len(server.asked) == 1, "it is not asked for again"
        assert server.poured <= 2 * ANSWER_BYTES
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    assert grown_kb < 8 * ANSWER_BYTES // 1024


@pytest.mark.parametrize("mode", ["endless", "declared"])
async def test_a_change_with_an_endless_answer_is_unknown(mode: str) -> None:
    async with bench_on(mode, read_only=False) as (server, bench):
        mutator = AwsMutator(
            Clients(bench.session, bench.connection, "eu-central-1", attempts=1), bench.guard, bench.signer
        )
        sent = await mutator.send(THROTTLE, THROTTLE.digest())
        await mutator._clients.close()
        assert sent.outcome == "unknown"
        assert server.asked == ["PutFunctionConcurrency"]


def test_the_bounds_fit_into_each_other() -> None:
    assert transport.SEND_S < transport.ANSWER_S < transport.READ_S < 60
