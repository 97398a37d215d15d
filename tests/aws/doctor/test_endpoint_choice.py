"""Which hosts would be called: FIPS, dual-stack, VPC endpoints, proxies; and what may be changed there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from fakes.aws_doubles import IDENTITY, REGION, Counter, HandClock, Tokens, towards
from fakes.wire_stub import WireStub

from lambdatop.aws.connect import connect
from lambdatop.aws.doctor.endpoints import places
from lambdatop.aws.doctor.probe import _ahead_s, probe
from lambdatop.aws.sdk.connection import Connection
from lambdatop.domain.diagnosis import Check
from lambdatop.domain.settings.settings import Settings

pytestmark = pytest.mark.sdk

VPCE = "https://vpce-0a1b-2c3d.lambda.eu-central-1.vpce.amazonaws.com"


async def urls() -> tuple[dict[str, str], dict[str, Check]]:
    found = await places(Connection(region=REGION, read_only=True), REGION, Counter())
    return dict(found.urls), {check.name: check for check in found.checks}


async def test_awss_own(clean: pytest.MonkeyPatch) -> None:
    found, checks = await urls()
    assert found["lambda"] == "https://lambda.eu-central-1.amazonaws.com"
    assert found["cloudwatch"] == "https://monitoring.eu-central-1.amazonaws.com"
    assert "custom" not in checks


@pytest.mark.parametrize(
    ("variable", "host", "words"),
    [
        ("AWS_USE_FIPS_ENDPOINT", "lambda-fips.eu-central-1.amazonaws.com", "FIPS on, dual-stack off"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "lambda.eu-central-1.api.aws", "FIPS off, dual-stack on"),
    ],
)
async def test_variants(clean: pytest.MonkeyPatch, variable: str, host: str, words: str) -> None:
    clean.setenv(variable, "true")
    found, checks = await urls()
    assert found["lambda"] == f"https://{host}"
    assert checks["variants"].detail == words


async def test_an_endpoint_of_a_vpc_is_awss_and_another_one_is_not(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("AWS_ENDPOINT_URL_LAMBDA", VPCE)
    found, checks = await urls()
    assert found["lambda"] == VPCE
    assert found["sqs"] == "https://sqs.eu-central-1.amazonaws.com"
    assert checks["custom"].state == "ok"
    clean.setenv("AWS_ENDPOINT_URL_LAMBDA", "https://lambda.example:8443")
    assert (await urls())[1]["custom"].state == "warn"
    clean.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://lambda.example")
    found, checks = await urls()
    assert checks["lambda"].state == "fail"
    assert "plain http" in checks["lambda"].detail
    assert "lambda" not in found


async def test_a_proxys_password_is_not_shown(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("HTTPS_PROXY", "http://ann:hunter2@proxy:3128")
    assert (await urls())[1]["proxy"].detail == "HTTPS_PROXY=http://proxy:3128"


async def test_what_may_be_changed_through_which_endpoint(stub: WireStub, clean: pytest.MonkeyPatch) -> None:
    stub.on("sts", "GetCallerIdentity", IDENTITY)

    async def refusal(connection: Connection, settings: Settings) -> str:
        backend = await connect(
            connection, settings=settings, limiter=Tokens(), meter=Counter(), clock=HandClock(5.0)
        )
        await backend.close()
        return backend.changes_refused

    plain, allowed = Settings(), Settings(allow_endpoint_changes=True)
    there = towards(stub.url)
    assert "--allow-endpoint-changes" in await refusal(there, plain)
    assert await refusal(there, allowed) == ""
    assert await refusal(replace(there, isolated=True), plain) == "", "the demo's own"
    clean.setenv("AWS_ENDPOINT_URL_STS", stub.url)
    assert stub.url in await refusal(replace(there, endpoint_url=None), plain)


class Proxy:
    """Takes CONNECT and plain requests; `asked` is what came."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head)
        status = b"407 Proxy Authentication Required" if head.startswith("CONNECT") else b"200 OK"
        date = b"Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
        writer.write(b"HTTP/1.1 " + status + b"\r\n" + date + b"\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def proxy() -> AsyncIterator[tuple[Proxy, str]]:
    taken = Proxy()
    server = await asyncio.start_server(taken.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield taken, f"http://ann:pw@127.0.0.1:{port}"
    server.close()
    await server.wait_closed()


async def test_the_probe_goes_through_the_proxy_and_tells_its_refusal(proxy: tuple[Proxy, str]) -> None:
    taken, url = proxy
    tls = ssl.create_default_context()
    found = await probe("https://lambda.example", url, tls, 5.0)
    assert "407" in found.problem
    assert taken.asked[0].startswith("CONNECT lambda.example:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic YW5uOnB3" in taken.asked[0]
    found = await probe("http://lambda.example", url, tls, 5.0)
    assert (found.problem, taken.asked[1].startswith("HEAD http://lambda.example HTTP/1.1")) == ("", True)
    assert found.ahead_s is not None


async def test_a_silent_endpoint_costs_no_more_than_its_time() -> None:
    reached: list[asyncio.Event] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.Event()
        reached.append(gone)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wait_s = 0.05
    while not reached:  # on a busy machine the time can be over before the address was looked up
        wait_s *= 2
        found = await probe(f"http://127.0.0.1:{port}", "", ssl.create_default_context(), wait_s)
        assert found.problem == f"no answer within {wait_s:g} s"
    await asyncio.gather(*(gone.wait() for gone in reached))
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "date", ["soon", f"Mon, 01 Jan {9**20} 00:00:00 GMT", f"Mon, 01 Jan 2024 00:00:00 +{9**20}", "9" * 9000]
)
def test_a_date_that_no_calendar_holds_tells_no_time(date: str) -> None:
    assert _ahead_s(f"HTTP/1.1 200 OK\r\nDate: {date}\r\n".encode(), 0.0, 0.0) is None


async def test_the_probe_tells_the_time_there(stub: WireStub) -> None:
    found: Any = await probe(stub.url, "", ssl.create_default_context(), 5.0)
    stub.strangers.clear()  # it signs nothing, which the stub finds strange
    assert found.problem == ""
    assert abs(found.ahead_s) < 5
