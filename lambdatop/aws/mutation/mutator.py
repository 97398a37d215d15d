"""The only file that changes anything in AWS: one confirmed, journaled call, sent once (or one drain).

Its client never retries. The SDK's own retry gives wrong results for mutations: a change that was applied
and answered late is sent again and fails its precondition (measured).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore import exceptions as sdk
from botocore import xform_name

from lambdatop.aws.mutation.drain import WAIT_S, Answer, Drain
from lambdatop.aws.mutation.refusals import with_advice
from lambdatop.aws.mutation.switch_schedule import (
    NotCopied,
    is_switch,
    read_params,
    update_of,
    without_input,
)
from lambdatop.aws.sdk.clients import Clients
from lambdatop.aws.sdk.errors import code_and_status, translate, words_of
from lambdatop.aws.sdk.identity import Caller, CheckedCredentials, signing_with
from lambdatop.aws.sdk.walls.allowlist import LEASE
from lambdatop.aws.sdk.walls.guard import Guard, GuardRefusal, Ticket
from lambdatop.aws.sdk.walls.transport import SEND_S, bounded
from lambdatop.domain.mitigations.registry import calls as mitigation_calls
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.ports.aws import Sent
from lambdatop.domain.ports.storage import Spill
from lambdatop.domain.sanitize import clean_line

ALLOWED: frozenset[tuple[str, str]] = mitigation_calls() | {LEASE}
"""What this version's mitigations and its lease may call; anything else is an error and is not sent."""

PURGE_RUNNING = frozenset({"PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"})

BUSY = frozenset(
    {
        "TooManyRequestsException",
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "ResourceInUseException",
    }
)
"""Refusals that may pass in a moment: nothing was changed, and the same call may be sent again."""

# The connection was never made, so the server cannot have read a byte of the request.
_NEVER_CONNECTED = (sdk.EndpointConnectionError, sdk.ConnectTimeoutError, sdk.ProxyConnectionError)


class AwsMutator:
    """Implements `domain.ports.aws.Mutator`. Does not exist in read-only mode.

    `signer` are the credentials that its clients sign with. `wait_s` is how long a drain's receive may wait
    for a message, s; below the clients' read timeout.
    """

    def __init__(self, clients: Clients, guard: Guard, signer: CheckedCredentials) -> None:
        self._clients = clients
        self._guard = guard
        self._credentials = signer
        self._signers: dict[str, Caller] = {}
        self.wait_s = WAIT_S

    async def signer(self, call: Call) -> str:
        """Return the ARN that will sign `call`: AWS is asked with the very keys that are kept for it.

        Raises IdentityChanged, and LambdatopError when AWS did not say.
        """
        caller = self._signers[call.digest()] = await self._credentials.identify()
        return caller.arn

    async def _signer(self, digest: str) -> Caller:
        """Return who was asked about for this call; asks now where that was not done (a lease)."""
        return self._signers.pop(digest, None) or await self._credentials.identify()

    async def send(self, call: Call, digest: str) -> Sent:
        """Send exactly this call, once.

        Never raises but for cancellation, which leaves the outcome unknown to the caller: the request
        may have left. `digest` must be the call's own, or nothing is sent.
        """
        if is_switch(call):
            return await self._switch(call, digest)
        return (await self.answer(call, digest)).failure or Sent("applied", "")

    async def _switch(self, call: Call, digest: str) -> Sent:
        """Switch a schedule: a read, and one update that holds what was read, by the same keys."""
        try:
            signer = await self._signer(digest)
            client = await self._clients.get("scheduler")
            with signing_with(signer):
                async with bounded(SEND_S, "scheduler:GetSchedule"):
                    read = await client.get_schedule(**read_params(call))
            update = update_of(call, read)
            admitted = self._guard.switch_ticket(call, digest, update)
        except NotCopied as error:
            return Sent("not-sent", str(error))
        except Exception as error:
            return Sent("not-sent", _sentence(error, Call("scheduler", "GetSchedule", {})))
        with admitted as ticket, signing_with(signer):
            try:
                async with bounded(SEND_S, "scheduler:UpdateSchedule"):
                    await client.update_schedule(**update.params)
                return Sent("applied")
            except Exception as error:
                return without_input(outcome_of(error, update, ticket), read)

    async def answer(self, call: Call, digest: str) -> Answer:
        """Send like `send`, and return AWS's answer; a refusal's body may be one, too (who has a lease)."""
        if call.digest() != digest:
            return _unsent("The call is not the one that was confirmed.")
        if (call.service, call.operation) not in ALLOWED:
            return _unsent(f"{call.service}:{call.operation} is not a mitigation of this version.")
        try:
            signer = await self._signer(digest)
            client = await self._clients.get(call.service)
            method: Callable[..., Any] = getattr(client, xform_name(call.operation))
        except Exception as error:
            return _unsent(_sentence(error, call))
        try:
            admitted = self._guard.ticket(digest)
        except GuardRefusal as error:
            return _unsent(_sentence(error, call))
        with admitted as ticket, signing_with(signer):
            try:
                async with bounded(SEND_S, f"{call.service}:{call.operation}"):
                    return Answer(await method(**call.params))
            except Exception as error:
                failure = outcome_of(error, call, ticket)
                if isinstance(error, sdk.ClientError):
                    return Answer(error.response, failure, code_and_status(error)[0])
                return Answer({}, failure)

    async def drain(self, call: Call, digest: str, spill: Spill) -> Sent:
        """Receive what the queue of `call` holds and delete what `spill` has kept.

        Never raises but for cancellation. `digest` must be the call's own, or nothing is sent. It may outlast
        the keys it begins with: each request is signed with keys of the same identity, or it is not sent.
        """
        try:
            await self._signer(digest)
            client = await self._clients.get("sqs")
            admitted = self._guard.drain_ticket(call, digest)
        except Exception as error:
            return Sent("not-sent", _sentence(error, call))
        with admitted as ticket:

            async def ask(operation: str, params: Mapping[str, Any]) -> Answer:
                request = Call("sqs", operation, params)
                try:
                    async with bounded(SEND_S, f"sqs:{operation}"):
                        return Answer(await getattr(client, xform_name(operation))(**params))
                except Exception as error:
                    code = code_and_status(error)[0] if isinstance(error, sdk.ClientError) else ""
                    return Answer({}, outcome_of(error, request, ticket), code)

            return await Drain(ask, ticket, spill, self.wait_s).run()


def _unsent(sentence: str) -> Answer:
    return Answer({}, Sent("not-sent", sentence))


def outcome_of(error: Exception, call: Call, ticket: Ticket) -> Sent:
    """Return what an exception says of the change: refused, not sent, or (when in doubt) unknown."""
    sentence = _sentence(error, call)
    if not ticket.sent:
        return Sent("not-sent", sentence)
    if isinstance(error, sdk.ClientError):
        code, status = code_and_status(error)
        if code in PURGE_RUNNING:
            return Sent("refused", "Somebody else purged this queue within the last 60 s; yours was not run.")
        if 400 <= status < 500 and code and not code.isdigit():
            words = f"{code}: {with_advice(words_of(error))}" if words_of(error) else code
            return Sent("refused", words, busy=code in BUSY)
        return Sent("unknown", sentence)
    if isinstance(error, _NEVER_CONNECTED) and not _was_connected(error):
        return Sent("not-sent", sentence)
    return Sent("unknown", sentence)


def _was_connected(error: BaseException) -> bool:
    """Return whether it hides a connection that broke later: only a failed connect sent nothing."""
    inner = getattr(error, "kwargs", {}).get("error")
    return not _is_connect_failure(inner)


def _is_connect_failure(inner: object) -> bool:
    from aiohttp import ClientConnectorError, ClientProxyConnectionError, ConnectionTimeoutError

    return isinstance(inner, (ClientConnectorError, ClientProxyConnectionError, ConnectionTimeoutError))


def _sentence(error: Exception, call: Call) -> str:
    if isinstance(error, GuardRefusal):
        return clean_line(str(error), 400)
    return str(translate(error, call.service, call.operation))
