"""The transport wall: sends only what the guard has stamped, and never follows a redirect.

It fails closed: a client made without the hooks, a handler that somebody unregistered, or a request
pushed in below the SDK's own events finds no way out of the process.
"""

from __future__ import annotations

from typing import Any

from lambdatop.aws._private import FirstAnswerSession
from lambdatop.aws.guard import Guard


def guarded_transport(guard: Guard) -> type[Any]:
    """The class to hand to `AioConfig(http_session_cls=...)` for every client of one session."""

    class GuardedTransport(FirstAnswerSession):
        """Checks each request's stamp before it touches the network."""

        async def send(self, request: Any) -> Any:
            guard.take_stamp(request)
            return await super().send(request)

    return GuardedTransport
