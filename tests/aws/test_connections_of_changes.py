"""A change goes out on a connection of its own: one that was kept may have been closed at the other end.

A request on such a connection looks like one that may have been carried out, and nobody could tell.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from fakes.aws_doubles import IDENTITY, Counter, HandClock, Tokens, towards
from fakes.wire_stub import WireStub

from lambdatop.aws.connect import connect
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.settings.settings import Settings

pytestmark = pytest.mark.sdk

ZERO = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 0})


class CallersStub(WireStub):
    """Knows which connection each request came on, by the caller's port."""

    def __init__(self) -> None:
        super().__init__()
        self.callers: list[int] = []

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        if request.method == "PUT":  # the question whose keys sign it goes before, on one of its own
            self.callers.append(request.transport.get_extra_info("peername")[1])
        return await super()._handle(request)


@pytest.fixture
async def callers() -> AsyncIterator[CallersStub]:
    stub = CallersStub()
    async with stub:
        yield stub
    assert stub.problems == stub.strangers == []


async def test_each_change_has_a_connection_of_its_own_and_reads_share_one(callers: CallersStub) -> None:
    callers.on("sts", "GetCallerIdentity", IDENTITY)
    callers.on("lambda", "PutFunctionConcurrency", {"ReservedConcurrentExecutions": 0})
    callers.on("lambda", "GetFunctionConcurrency", {"ReservedConcurrentExecutions": 0})
    backend = await connect(
        towards(callers.url),
        settings=Settings(allow_endpoint_changes=True),
        limiter=Tokens(),
        meter=Counter(),
        clock=HandClock(5.0),
    )
    try:
        assert backend.mutator is not None
        callers.callers.clear()
        for _ in range(3):
            assert (await backend.mutator.send(ZERO, ZERO.digest())).outcome == "applied"
        assert len(set(callers.callers)) == 3
    finally:
        await backend.close()
