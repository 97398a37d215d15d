"""Open one client per service, each guarded and metered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.endpoints import configured_endpoint
from lambdatop.aws.sdk.event_stream import SILENCE_S
from lambdatop.aws.sdk.wire import response_hooks
from lambdatop.aws.sdk.wire._private import wrap_serializer
from lambdatop.aws.sdk.wire.fast_serializer import LeanSerializer

ELSEWHERE = {"pricing": "us-east-1"}
"""Services that have no endpoint in most regions, and the region in which they are asked."""


class Clients:
    """Clients by service, made on first use and closed together.

    `attempts` is how often one call is sent at most; `read_timeout_s` how long an answer may take, s.
    """

    def __init__(
        self,
        session: AioSession,
        connection: Connection,
        region: str,
        *,
        attempts: int,
        read_timeout_s: float = 10.0,
    ) -> None:
        self._session = session
        self._connection = connection
        self._region = region
        self._attempts = attempts
        self._read_timeout_s = read_timeout_s
        self._open: dict[str, Any] = {}
        self._lock = asyncio.Lock()
        self._exit = AsyncExitStack()
        self._closing: list[Callable[[], Awaitable[None]]] = []
        self.values = response_hooks.values_of(session)

    async def get(self, service: str) -> Any:
        """Return the client of `service`; the first caller waits while a thread loads its models."""
        if service not in self._open:
            async with self._lock:
                if service not in self._open:
                    self._open[service] = await self._make(service)
        return self._open[service]

    @asynccontextmanager
    async def streaming(self, service: str) -> AsyncIterator[Any]:
        """Yield a client of its own for one event stream: no retry, and closed after the block."""
        async with self._client(service, attempts=1, read_timeout_s=SILENCE_S) as client:
            yield client

    def at_close(self, closer: Callable[[], Awaitable[None]]) -> None:
        """Run this before the sockets are released, to end open streams."""
        self._closing.append(closer)

    async def close(self) -> None:
        """Release every socket."""
        for closer in self._closing:
            await closer()
        await self._exit.aclose()
        self._open.clear()

    async def _make(self, service: str) -> Any:
        made = self._client(service, attempts=self._attempts, read_timeout_s=self._read_timeout_s)
        return await self._exit.enter_async_context(made)

    async def caller(self, keys: Any) -> dict[str, Any]:
        """Return GetCallerIdentity, signed with exactly these frozen keys, by a client that has no others."""
        made = self._client("sts", attempts=self._attempts, read_timeout_s=self._read_timeout_s, keys=keys)
        async with made as client:
            answer: dict[str, Any] = await client.get_caller_identity()
        return answer

    @asynccontextmanager
    async def _client(
        self, service: str, *, attempts: int, read_timeout_s: float, keys: Any = None
    ) -> AsyncIterator[Any]:
        url = self._connection.endpoint_url
        async with self._session.create_client(
            service,
            aws_access_key_id=keys.access_key if keys else None,
            aws_secret_access_key=keys.secret_key if keys else None,
            aws_session_token=keys.token if keys else None,
            region_name=ELSEWHERE.get(service, self._region),
            endpoint_url=url,
            verify=False if url and url.startswith("http://") else None,
            config=AioConfig(**self._config(service, attempts, read_timeout_s)),
        ) as client:
            wrap_serializer(client, LeanSerializer)
            yield client

    def _config(self, service: str, attempts: int, read_timeout_s: float) -> dict[str, Any]:
        config: dict[str, Any] = {
            "retries": {"mode": "standard", "total_max_attempts": attempts},
            "connect_timeout": 3,
            "read_timeout": read_timeout_s,
            "warm_up_loader_caches": True,
            # Only our own code builds these, thousands at a time; checking them took longer than sending.
            "parameter_validation": service != "cloudwatch",
        }
        if self._connection.endpoint_url or configured_endpoint(self._session, service):
            # A prefix or a bucket's name in front of a host that is not AWS's does not resolve, or
            # belongs to somebody else.
            config["inject_host_prefix"] = False
            config |= {"s3": {"addressing_style": "path"}} if service == "s3" else {}
        if attempts == 1:
            # A kept connection that the server closes meanwhile looks like a call that may have run.
            config["connector_args"] = {"force_close": True, "keepalive_timeout": None}
        if self._connection.isolated:
            config |= {"proxies": {}, "ignore_configured_endpoint_urls": True}
        return config
