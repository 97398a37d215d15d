"""Send single calls and pages, and translate their errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError
from botocore.exceptions import ClientError as SdkClientError

from lambdatop.aws.sdk.clients import Clients
from lambdatop.aws.sdk.errors import translate
from lambdatop.aws.sdk.event_stream import broken, whole_parts
from lambdatop.aws.sdk.walls.guard import GuardRefusal
from lambdatop.aws.sdk.walls.transport import LIST_S, READ_S, bounded
from lambdatop.aws.sdk.wire.answer_checks import Whole
from lambdatop.domain.errors import LambdatopError, Throttled, Unreachable
from lambdatop.domain.ports.runtime import Clock, Limiter, Meter


class Api:
    """Sends reads: takes a token, calls, and translates errors. The session counts requests."""

    def __init__(self, clients: Clients, limiter: Limiter, meter: Meter, clock: Clock) -> None:
        self._clients = clients
        self._limiter = limiter
        self.meter = meter
        self._clock = clock

    def keep_names(self, names: Iterable[str]) -> None:
        """Let environment values that are exactly one of these resources' names stay in answers."""
        self._clients.values.known = frozenset(names)

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._clock.now()

    async def pause(self, seconds: float) -> None:
        """Wait before something is asked again."""
        await self._clock.sleep(seconds)

    def give_way(self) -> None:
        """Let a key be handled before work that takes some ms."""
        self._clock.give_way()

    async def rest(self) -> None:
        """Wait in the same way, and let other tasks of the loop run."""
        self._clock.give_way()
        await asyncio.sleep(0)

    async def turns(self, service: str, count: int) -> None:
        """Wait for `count` tokens but one, which `read` takes itself: for a request as heavy as so many."""
        for _ in range(count - 1):
            await self._limiter.take(service)

    async def read(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Call a reading operation (botocore's names); raises SourceError and its kinds."""
        return await self._asked(service, operation, lambda: self._called(service, operation, params))

    async def caller(self, keys: Any) -> dict[str, Any]:
        """Return whose these frozen keys are (GetCallerIdentity, signed with them); raises like `read`."""
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
        """Return the error; after throttling by AWS the whole process calls this service more slowly."""
        if isinstance(error, Throttled):
            self._limiter.throttled(service)
        return error

    @asynccontextmanager
    async def stream(
        self, service: str, operation: str, member: str, **params: Any
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Open the event stream in `member` of an answer during the block; its minutes are not metered.

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
        """Return the event stream of an answer, whose first frame may be anything, too."""
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
        """Yield all pages; `token` names the request's member, `next_token` the answer's (default: same).

        Raises:
            Unreachable: the list has not ended after LIST_S.
        """
        mark: Any = None
        begun = asyncio.get_running_loop().time()
        while True:
            page = await self.read(service, operation, **params, **({token: mark} if mark else {}))
            yield page
            following = page.get(next_token or token)
            if not following or following == mark:
                return
            mark = following
            if asyncio.get_running_loop().time() - begun > LIST_S:
                words = f"{service}:{operation}: the list has no end after {LIST_S:g} s; it was not taken."
                raise Unreachable(words, code="slow")
