"""The only file that changes anything in AWS: one confirmed, journaled call, sent once.

Its client never retries. The SDK's own retry lies about mutations: a change that was applied and
answered late is sent again and comes back as a failed precondition (measured).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore import exceptions as sdk
from botocore import xform_name

from lambdatop.aws.guard import Guard, GuardRefusal, Ticket
from lambdatop.aws.session import Clients
from lambdatop.aws.translate import code_and_status, translate, words_of
from lambdatop.domain.plan import Call
from lambdatop.domain.ports import Meter, Sent
from lambdatop.domain.text import clean_line

ALLOWED: frozenset[tuple[str, str]] = frozenset(
    {
        ("lambda", "PutFunctionConcurrency"),
        ("lambda", "DeleteFunctionConcurrency"),
        ("lambda", "PutFunctionEventInvokeConfig"),
        ("lambda", "UpdateFunctionEventInvokeConfig"),
        ("lambda", "DeleteFunctionEventInvokeConfig"),
        ("lambda", "PutFunctionRecursionConfig"),
        ("lambda", "UpdateEventSourceMapping"),
        ("sqs", "PurgeQueue"),
    }
)
"""What this version's mitigations may call; anything else is a mistake and is not sent."""

PURGE_RUNNING = frozenset({"PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"})

# The connection was never made, so the server cannot have read a byte of the request.
_NEVER_CONNECTED = (sdk.EndpointConnectionError, sdk.ConnectTimeoutError, sdk.ProxyConnectionError)


class AwsMutator:
    """Implements `domain.ports.Mutator`. Does not exist in read-only mode."""

    def __init__(self, clients: Clients, guard: Guard, meter: Meter) -> None:
        self._clients = clients
        self._guard = guard
        self._meter = meter

    async def send(self, call: Call, digest: str) -> Sent:
        """Send exactly this call, once.

        Never raises but for cancellation, which leaves the outcome unknown to the caller: the request
        may have left. `digest` must be the call's own, or nothing is sent.
        """
        if call.digest() != digest:
            return Sent("not-sent", "The call is not the one that was confirmed.")
        if (call.service, call.operation) not in ALLOWED:
            return Sent("not-sent", f"{call.service}:{call.operation} is no mitigation of this version.")
        try:
            client = await self._clients.get(call.service)
            method: Callable[..., Any] = getattr(client, xform_name(call.operation))
        except Exception as error:
            return Sent("not-sent", _sentence(error, call))
        try:
            admitted = self._guard.ticket(digest)
        except GuardRefusal as error:
            return Sent("not-sent", _sentence(error, call))
        with admitted as ticket:
            self._meter.count(call.service, call.operation, 0.0)
            try:
                await method(**call.params)
            except Exception as error:
                return outcome_of(error, call, ticket)
        return Sent("applied", "")


def outcome_of(error: Exception, call: Call, ticket: Ticket) -> Sent:
    """What an exception says about the change: refused, not sent, or unknown. When in doubt, unknown."""
    sentence = _sentence(error, call)
    if not ticket.sent:
        return Sent("not-sent", sentence)
    if isinstance(error, sdk.ClientError):
        code, status = code_and_status(error)
        if code in PURGE_RUNNING:
            return Sent("refused", "Somebody else purged this queue within the last 60 s; yours was not run.")
        if 400 <= status < 500 and code and not code.isdigit():
            return Sent("refused", f"{code}: {words_of(error)}" if words_of(error) else code)
        return Sent("unknown", sentence)
    if isinstance(error, _NEVER_CONNECTED) and not _was_connected(error):
        return Sent("not-sent", sentence)
    return Sent("unknown", sentence)


def _was_connected(error: BaseException) -> bool:
    """Whether a connection error hides one that broke later: only a failed connect is safe to call unsent."""
    inner = getattr(error, "kwargs", {}).get("error")
    return not _is_connect_failure(inner)


def _is_connect_failure(inner: object) -> bool:
    from aiohttp import ClientConnectorError, ClientProxyConnectionError, ConnectionTimeoutError

    return isinstance(inner, (ClientConnectorError, ClientProxyConnectionError, ConnectionTimeoutError))


def _sentence(error: Exception, call: Call) -> str:
    if isinstance(error, GuardRefusal):
        return clean_line(str(error), 400)
    return str(translate(error, call.service, call.operation))
