"""The SDK session and the one door through which everything is read.

All hooks (guard, redaction) stand on the session before any client exists, because a client copies
them when it is made. Clients are made late, one per service.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import configprovider, tokens, utils, xform_name
from botocore.exceptions import BotoCoreError
from botocore.exceptions import ClientError as SdkClientError

from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.credentials import settle_providers
from lambdatop.aws.sdk.endpoints import configured_endpoint
from lambdatop.aws.sdk.errors import translate
from lambdatop.aws.sdk.walls import read_only_models
from lambdatop.aws.sdk.walls.guard import Guard, GuardRefusal
from lambdatop.aws.sdk.walls.transport import READ_S, bounded, guarded_transport
from lambdatop.aws.sdk.wire import metering, response_hooks
from lambdatop.aws.sdk.wire._private import PlainSession, wrap_serializer
from lambdatop.aws.sdk.wire.answer_checks import Whole
from lambdatop.aws.sdk.wire.event_stream import SILENCE_S, broken, whole_parts
from lambdatop.aws.sdk.wire.fast_parser import LeanFactory
from lambdatop.aws.sdk.wire.fast_serializer import LeanSerializer
from lambdatop.domain.errors import LambdatopError, Throttled
from lambdatop.domain.ports.aws import Clock, Limiter, Meter

ELSEWHERE = {"pricing": "us-east-1"}
"""Services that have no endpoint in most regions, and the region in which they are asked."""


def open_session(
    connection: Connection, guard: Guard, meter: Meter, give_way: Callable[[], None] = lambda: None
) -> AioSession:
    """A session with all hooks, models from the installed package only, and no prompt for MFA codes.

    Under a guard that is read-only these models know nothing but reads. `give_way` is called again and again
    while a long answer is parsed.
    """
    session = PlainSession(profile=None if connection.isolated else connection.profile)
    guard.install(session)
    metering.install(session, meter)
    response_hooks.install(session)
    if connection.isolated:
        _isolate(session)
    session.register_component("data_loader", read_only_models.loader(read_only=False))
    if guard.read_only:
        strip(session)
    factory = LeanFactory(give_way)
    factory.set_parser_defaults(timestamp_parser=parse_timestamp)
    session.register_component("response_parser_factory", factory)
    if connection.access_key and connection.secret_key:
        session.set_credentials(connection.access_key, connection.secret_key, connection.session_token)
    else:
        settle_providers(session, connection.codes, connection.say)
    # Credential providers make clients of their own from this default; they get the same transport.
    session.set_default_client_config(AioConfig(http_session_cls=guarded_transport(guard)))
    logging.getLogger("aiobotocore").addHandler(logging.NullHandler())
    return session


def strip(session: AioSession) -> None:
    """From now on the session makes clients that can read and nothing else; there is no way back."""
    session.register_component("data_loader", read_only_models.loader(read_only=True))
    session.get_component("event_emitter").register_last(
        "creating-client-class", read_only_models.remove_presigners, unique_id="lambdatop-presigners"
    )


def _isolate(session: AioSession) -> None:
    """Cut every AWS_* variable and configuration file of the user off from this session."""
    chains = configprovider.ConfigChainFactory(session=session, environ={})
    mapping = {
        name: chains.create_config_chain(
            instance_name=name, default=default, conversion_func=conversion, config_property_names=None
        )
        for name, (_, _, default, conversion) in configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    store = configprovider.ConfigValueStore(mapping=mapping)
    for name in ("config_file", "credentials_file"):
        store.set_config_variable(name, os.devnull)
    store.set_config_variable("ec2_metadata_v1_disabled", True)
    session.register_component("config_store", store)
    session.register_component("token_provider", tokens.TokenProviderChain(providers=[]))


def parse_timestamp(value: Any) -> datetime | None:
    """Parse as botocore does, with a short way for numbers: a metric answer holds tens of thousands.

    None for what is no moment: it costs its record (`sound_answers`), not the answer.
    """
    try:
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, UTC)
        parsed: datetime = utils.parse_timestamp(value)
    except (ValueError, OverflowError, OSError, TypeError, RuntimeError):
        return None
    return parsed


class Clients:
    """Clients by service, made on first use and closed together.

    `attempts` is the most often one call is sent; `read_timeout_s` how long an answer may take, s.
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
        """The client of `service`; the first caller waits for its models to load, off the loop."""
        if service not in self._open:
            async with self._lock:
                if service not in self._open:
                    self._open[service] = await self._make(service)
        return self._open[service]

    @asynccontextmanager
    async def streaming(self, service: str) -> AsyncIterator[Any]:
        """A client of its own for one event stream: sent once, and gone with its socket after the block."""
        async with self._client(service, attempts=1, read_timeout_s=SILENCE_S) as client:
            yield client

    def at_close(self, closer: Callable[[], Awaitable[None]]) -> None:
        """Run this before the sockets are released: whoever holds a stream open ends it there."""
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
        """GetCallerIdentity, signed with exactly these frozen keys, by a client that knows no others."""
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
            # Our own code alone builds these, thousands at a time; checking them took longer than sending.
            "parameter_validation": service != "cloudwatch",
        }
        if self._connection.endpoint_url or configured_endpoint(self._session, service):
            # A prefix or a bucket's name in front of a host that is not AWS's leads nowhere, or to
            # somebody else.
            config["inject_host_prefix"] = False
            config |= {"s3": {"addressing_style": "path"}} if service == "s3" else {}
        if attempts == 1:
            # A kept connection that the server closes meanwhile looks like a call that may have run.
            config["connector_args"] = {"force_close": True, "keepalive_timeout": None}
        if self._connection.isolated:
            config |= {"proxies": {}, "ignore_configured_endpoint_urls": True}
        return config


class Api:
    """The reading door: a token, the call, and errors in the domain's words. The session counts requests."""

    def __init__(self, clients: Clients, limiter: Limiter, meter: Meter, clock: Clock) -> None:
        self._clients = clients
        self._limiter = limiter
        self.meter = meter
        self._clock = clock

    def keep_names(self, names: Iterable[str]) -> None:
        """Let environment values that are exactly one of these resources' names stay in answers."""
        self._clients.values.known = frozenset(names)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock.now()

    async def pause(self, seconds: float) -> None:
        """Wait before something is asked again."""
        await self._clock.sleep(seconds)

    def give_way(self) -> None:
        """Let a key be answered before what takes some ms."""
        self._clock.give_way()

    async def rest(self) -> None:
        """The same, and whoever waits on the loop has a turn."""
        self._clock.give_way()
        await asyncio.sleep(0)

    async def turns(self, service: str, count: int) -> None:
        """Wait for `count` turns but one, which `read` takes itself: for a request as heavy as so many."""
        for _ in range(count - 1):
            await self._limiter.take(service)

    async def read(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Call a reading operation (botocore's names); raises SourceError and its kinds."""
        return await self._asked(service, operation, lambda: self._called(service, operation, params))

    async def caller(self, keys: Any) -> dict[str, Any]:
        """Whose these frozen keys are (GetCallerIdentity, signed with them); raises like `read`."""
        return await self._asked("sts", "GetCallerIdentity", lambda: self._clients.caller(keys))

    async def _called(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        client = await self._clients.get(service)
        answer: dict[str, Any] = await getattr(client, xform_name(operation))(**params)
        return answer

    async def _asked(
        self, service: str, operation: str, call: Callable[[], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        await self._limiter.take(service)
        try:
            async with bounded(READ_S, f"{service}:{operation}"):
                answer = await call()
        except GuardRefusal:
            raise
        except Exception as error:
            raise self._refused(translate(error, service, operation), service) from None
        return Whole(f"{service}:{operation}", answer)

    def _refused(self, error: LambdatopError, service: str) -> LambdatopError:
        """The error; where AWS complained of the rate, the whole process slows down there."""
        if isinstance(error, Throttled):
            self._limiter.throttled(service)
        return error

    @asynccontextmanager
    async def stream(
        self, service: str, operation: str, member: str, **params: Any
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The event stream in `member` of an answer, open as long as the block; its minutes are not metered.

        Refusals, exceptions that the stream carries and broken connections are SourceErrors; an exception
        of the stream keeps its name in `code`.
        """
        await self._limiter.take(service)
        async with self._clients.streaming(service) as client:
            stream = await self._begun(client, service, operation, member, params)
            try:
                yield whole_parts(stream, service, operation)
            finally:
                stream.close()

    async def _begun(
        self, client: Any, service: str, operation: str, member: str, params: dict[str, Any]
    ) -> Any:
        """The event stream of an answer whose first frame, too, may be anything."""
        what = f"{service}:{operation}"
        try:
            async with bounded(READ_S, what):
                answer = await getattr(client, xform_name(operation))(**params)
            return answer[member]
        except (GuardRefusal, LambdatopError):
            raise
        except (BotoCoreError, SdkClientError) as error:
            raise translate(error, service, operation) from None
        except Exception as error:
            raise broken(what, error) from None

    def at_close(self, closer: Callable[[], Awaitable[None]]) -> None:
        """Run this before the connections are released."""
        self._clients.at_close(closer)

    async def pages(
        self, service: str, operation: str, *, token: str, next_token: str | None = None, **params: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """All pages; `token` names the request's member, `next_token` the answer's (default: the same)."""
        mark: Any = None
        while True:
            page = await self.read(service, operation, **params, **({token: mark} if mark else {}))
            yield page
            following = page.get(next_token or token)
            if not following or following == mark:
                return
            mark = following
