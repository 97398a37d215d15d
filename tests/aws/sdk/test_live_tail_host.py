"""Where StartLiveTail is sent: AWS wants a prefix before its host, a custom endpoint must not have one."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import Counter, HandClock, Tokens, towards

from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.clients import Clients
from lambdatop.aws.sdk.session import open_session
from lambdatop.aws.sdk.walls.guard import Guard, GuardRefusal

pytestmark = pytest.mark.sdk

ARN = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/f"


class NotSent(BaseException):
    """Raised in place of sending."""


async def _host(url: str | None) -> str:
    connection = towards(url or "", endpoint_url=url)
    session = open_session(connection, Guard(read_only=True), Counter())
    seen: list[str] = []

    def stop(request: Any, **_: Any) -> None:
        seen.append(request.url)
        raise NotSent

    session.register("before-send.cloudwatch-logs", stop)
    clients = Clients(session, connection, "eu-central-1", attempts=1)
    api = Api(clients, Tokens(), Counter(), HandClock(5.0))
    with pytest.raises(NotSent):
        async with api.stream("logs", "StartLiveTail", "responseStream", logGroupIdentifiers=[ARN]):
            pass
    await clients.close()
    return seen[0]


async def test_the_prefix_is_there_for_aws(clean: pytest.MonkeyPatch) -> None:
    assert await _host(None) == "https://stream-logs.eu-central-1.amazonaws.com/"


async def test_no_prefix_for_an_endpoint_that_was_given(clean: pytest.MonkeyPatch) -> None:
    assert await _host("http://localhost:4566") == "http://localhost:4566/"


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"])
async def test_no_prefix_for_an_endpoint_from_a_variable(clean: pytest.MonkeyPatch, variable: str) -> None:
    clean.setenv(variable, "http://localhost:4566")
    assert await _host(None) == "http://localhost:4566/"


async def test_an_operation_that_is_no_read_finds_no_way_out(clean: pytest.MonkeyPatch) -> None:
    connection = towards("http://localhost:1")
    session = open_session(connection, Guard(read_only=False), Counter())
    clients = Clients(session, connection, "eu-central-1", attempts=1)
    api = Api(clients, Tokens(), Counter(), HandClock(5.0))
    with pytest.raises(GuardRefusal):
        async with api.stream("logs", "DeleteLogGroup", "x", logGroupName="/aws/lambda/f"):
            pass
    await clients.close()
