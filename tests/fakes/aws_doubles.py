"""Limiter, meter and clock that a test can look into, and a Backend on a wire stub."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiobotocore.credentials import AioCredentials

from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.clients import Clients
from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.identity import CheckedCredentials
from lambdatop.aws.sdk.session import open_session
from lambdatop.aws.sdk.walls.guard import Guard
from lambdatop.aws.sdk.wire._private import replace_credentials
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.journal import Uptime
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.world import EMPTY_WORLD, World

ACCOUNT, REGION = "123456789012", "eu-central-1"
SCOPE = Scope(ACCOUNT, REGION)
IDENTITY = {"Account": ACCOUNT, "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/ann", "UserId": "x"}


class Tokens:
    """Counts what was asked for; never makes anybody wait."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.slowed: list[str] = []

    async def take(self, api: str) -> None:
        self.taken.append(api)

    def throttled(self, api: str) -> None:
        self.slowed.append(api)


class Counter:
    """A meter."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self.usd = 0.0

    def count(self, service: str, operation: str, usd: float) -> None:
        name = f"{service}.{operation}"
        self.calls[name] = self.calls.get(name, 0) + 1
        self.usd += usd


class HandClock:
    """A clock that a test sets; without a time it shows the real one."""

    def __init__(self, at: float | None = None) -> None:
        self.at = at

    def now(self) -> float:
        return time.time() if self.at is None else self.at

    def monotonic(self) -> float:
        return time.monotonic()

    def uptime(self) -> Uptime:
        return Uptime()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    def give_way(self) -> None:
        pass


class Bench:
    """The reading door and everything around it, on any endpoint, which may be silent for `silence_s`."""

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = True,
        attempts: int = 1,
        at: float | None = None,
        session_token: str | None = None,
        silence_s: float = 20.0,
    ) -> None:
        self.connection = Connection(
            region=REGION,
            endpoint_url=url,
            access_key=ACCOUNT,
            secret_key="not-a-secret",
            session_token=session_token,
            isolated=True,
            read_only=read_only,
        )
        self.guard = Guard(read_only=read_only)
        self.limiter, self.meter, self.clock = Tokens(), Counter(), HandClock(at)
        self.session = open_session(self.connection, self.guard, self.meter)
        self.signer = CheckedCredentials(AioCredentials(ACCOUNT, "not-a-secret", session_token), self._caller)
        replace_credentials(self.session, self.signer)
        self.clients = Clients(
            self.session, self.connection, REGION, attempts=attempts, read_timeout_s=silence_s
        )
        self.api = Api(self.clients, self.limiter, self.meter, self.clock)

    async def close(self) -> None:
        await self.clients.close()

    async def _caller(self, keys: Any) -> dict[str, str]:
        """Return the caller's identity, without a request."""
        return IDENTITY

    async def client(self, service: str) -> Any:
        return await self.clients.get(service)

    def view(self, world: World = EMPTY_WORLD, *watched: Key) -> View:
        return View(self.clock.now(), world, frozenset(watched))


def towards(url: str, **changes: Any) -> Connection:
    """Return a connection with explicit keys."""
    fields: dict[str, Any] = {"region": REGION, "endpoint_url": url}
    return Connection(**(fields | {"access_key": "AKIAX", "secret_key": "s"} | changes))
