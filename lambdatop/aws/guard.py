"""The guard: decides inside the SDK, before a byte is sent, which operations may leave the process.

Read-only is not a matter of key bindings. Every client of this process is made from a session that
carries these hooks, and the transport sends only requests that they have stamped. An operation passes
when it is on the allowlist of reads (or is how credentials are obtained), or when it is exactly the
call of an open ticket: one journaled intent, one digest, one request. In read-only mode there are no
tickets. The list and the measurements behind the five hooks stand in the facts sheet on mitigations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from lambdatop.aws.allowlist import CREDENTIALS, READS
from lambdatop.domain.plan import Call

HOOKS = ("provide-client-params", "before-parameter-build", "before-call", "request-created", "before-send")
"""The first stops presigned URLs, the last sees every retry; each alone stopped all 862 other operations."""


class GuardRefusal(RuntimeError):
    """An operation was stopped before it was sent.

    Not a ClientError and not a BotoCoreError: waiters swallow the first, retry handlers look at both.
    """


@dataclass(eq=False, slots=True)
class Ticket:
    """Permission for one request of one exact call. `sent` stays True once it has left.

    `matched` names the operation whose parameters were compared, "" before that.
    """

    digest: str
    matched: str = ""
    sent: bool = False


_ticket: ContextVar[Ticket | None] = ContextVar("lambdatop_ticket", default=None)


@contextmanager
def _opened(ticket: Ticket) -> Iterator[Ticket]:
    token = _ticket.set(ticket)
    try:
        yield ticket
    finally:
        _ticket.reset(token)


class Guard:
    """The hooks of one session and the stamps they put on requests."""

    def __init__(self, *, read_only: bool) -> None:
        self.read_only = read_only
        self._stamped: WeakSet[Any] = WeakSet()

    def install(self, session: Any) -> None:
        """Register on a session; clients copy its hooks when they are made, so do it before the first."""
        for hook in HOOKS:
            handler = getattr(self, f"_{hook.replace('-', '_')}")
            session.register(hook, handler, unique_id=f"lambdatop-guard-{hook}")

    def ticket(self, digest: str) -> AbstractContextManager[Ticket]:
        """Let the call with this digest through, once, from the current task.

        Raises GuardRefusal in read-only mode.
        """
        if self.read_only:
            raise GuardRefusal("read-only mode has no tickets: nothing may be changed")
        return _opened(Ticket(digest))

    def take_stamp(self, request: Any) -> None:
        """Accept a stamped request for sending, once; raises GuardRefusal for any other."""
        if request not in self._stamped:
            raise GuardRefusal(f"the request to {request.url.split('?')[0]} did not pass the guard")
        self._stamped.discard(request)

    def _provide_client_params(self, event_name: str, params: Any, model: Any, **_: Any) -> None:
        self._match(event_name, params, model)

    def _before_parameter_build(self, event_name: str, params: Any, model: Any, **_: Any) -> None:
        self._match(event_name, params, model)

    def _before_call(self, event_name: str, **_: Any) -> None:
        self._admitted(event_name)

    def _request_created(self, event_name: str, **_: Any) -> None:
        self._admitted(event_name)

    def _before_send(self, event_name: str, request: Any, **_: Any) -> None:
        ticket = self._admitted(event_name)
        if ticket is not None:
            if ticket.sent:
                raise GuardRefusal(f"{_operation(event_name)} was already sent once for this intent")
            ticket.sent = True
        self._stamped.add(request)

    def _match(self, event_name: str, params: Any, model: Any) -> None:
        """Compare the parameters with the open ticket, when the operation needs one."""
        if _always_allowed(event_name):
            return
        ticket = self._open_ticket(event_name)
        call = Call(model.service_model.service_name, model.name, params)
        if call.digest() != ticket.digest or ticket.sent:
            raise GuardRefusal(f"{_operation(event_name)} is not the call that was journaled and confirmed")
        ticket.matched = _operation(event_name)

    def _admitted(self, event_name: str) -> Ticket | None:
        """The ticket by which a change goes on, None for reads; raises for everything else."""
        if _always_allowed(event_name):
            return None
        ticket = self._open_ticket(event_name)
        if ticket.matched != _operation(event_name):
            raise GuardRefusal(f"{_operation(event_name)} came in past the check of its parameters")
        return ticket

    def _open_ticket(self, event_name: str) -> Ticket:
        ticket = None if self.read_only else _ticket.get()
        if ticket is None:
            mode = "read-only mode" if self.read_only else "no journaled intent is open"
            raise GuardRefusal(f"{_operation(event_name)} is not a read, and {mode}")
        return ticket


def _always_allowed(event_name: str) -> bool:
    _, service, operation = event_name.split(".", 2)
    return operation in READS.get(service, ()) or operation in CREDENTIALS.get(service, ())


def _operation(event_name: str) -> str:
    return event_name.split(".", 1)[1].replace(".", ":")
