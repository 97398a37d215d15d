"""Send only requests that the guard has stamped, and limit the size and time of answers.

It fails closed: nothing is sent by a client made without the hooks, after a handler was unregistered, or for
a request made below the SDK's own events; redirects are never followed. The SDK's own timeouts are per
part of an answer, and it reads whatever comes: a server that sends a byte every few seconds would never time
out, and an endless body would fill the memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, HTTPClientError

from lambdatop.aws.sdk.walls.guard import Guard
from lambdatop.aws.sdk.wire._private import BodyTooLong, FirstAnswerSession
from lambdatop.domain.errors import Unreachable

ANSWER_S = 30.0
"""One request until its whole answer is there (of an event stream: until it begins), s."""
READ_S = 45.0
"""One read with its repetitions and, where they are due, new credentials, s; below the 60 s of a round."""
LIST_S = 300.0
"""One list with all its pages, s: a thousand and more at the pace of Lambda's control plane."""
SEND_S = 20.0
"""One change from the client to the whole answer, s. It is sent once; after this its outcome is unknown."""
CREDENTIALS_S = 90.0
"""Getting credentials when a connection is opened, s: a login helper may take a minute."""


class AnswerTooLong(BotoCoreError):  # type: ignore[misc,unused-ignore]
    """The answer is larger than any that AWS gives. The SDK does not ask again."""

    fmt = "The answer of {endpoint_url} is larger than {most} bytes and was not read to its end"


class AnswerTooSlow(BotoCoreError):  # type: ignore[misc,unused-ignore]
    """The answer had not come to its end in time. The SDK does not ask again."""

    fmt = "The answer of {endpoint_url} had not ended after {seconds} s"


@asynccontextmanager
async def bounded(seconds: float, what: str) -> AsyncIterator[None]:
    """Cancel the block after so many seconds, whatever was received meanwhile.

    Raises:
        Unreachable: the time is over; `what` is named.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise Unreachable(
            f"{what}: no complete answer within {seconds:g} s; the request was cancelled.", code="slow"
        ) from None


def guarded_transport(guard: Guard) -> type[Any]:
    """Return the class to hand to `AioConfig(http_session_cls=...)` for every client of one session."""

    class GuardedTransport(FirstAnswerSession):
        """Checks each request's stamp before it touches the network, and bounds what comes back."""

        async def send(self, request: Any) -> Any:
            guard.take_stamp(request)
            try:
                async with asyncio.timeout(ANSWER_S) as limit:
                    return await super().send(request)
            except TimeoutError:
                if not limit.expired():
                    raise
                raise AnswerTooSlow(endpoint_url=request.url, seconds=f"{ANSWER_S:g}") from None
            except HTTPClientError as error:
                inner = error.kwargs.get("error")
                if isinstance(inner, BodyTooLong):
                    raise AnswerTooLong(endpoint_url=request.url, most=inner.most) from None
                raise

    return GuardedTransport
