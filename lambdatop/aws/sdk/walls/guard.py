"""Decide inside the SDK, before a byte is sent, which operations this process may send.

Read-only mode does not depend on key bindings. Every client of this process is made from a session with
these hooks, and the transport sends only requests that they have stamped. An operation passes when it is on
the allowlist of reads (or is how credentials are obtained), or when it is exactly the call of an open ticket:
one journaled intent, one digest, one request. Only a drain is one intent of many requests; its ticket is for
one queue and for the messages that are on disk. And only the update of a schedule holds more than its intent;
its ticket is for the schedule and the state that the intent names. In read-only mode there are no tickets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakSet

from lambdatop.aws.sdk.walls.allowlist import CREDENTIALS, DRAIN_DELETE, DRAIN_RECEIVE, READS
from lambdatop.domain.mitigations.drain import OPERATION as DRAIN_QUEUE
from lambdatop.domain.mitigations.drain import SERVICE as DRAIN
from lambdatop.domain.mitigations.schedules import CALLS as SWITCHES
from lambdatop.domain.mitigations.schedules import OPERATION as SWITCH_SCHEDULE
from lambdatop.domain.plans.plan import Call

HOOKS = (
    "provide-client-params",
    "before-parameter-build",
    "before-call",
    "request-created",
    "before-sign",
    "before-send",
)
"""The first stops presigned URLs, the last sees every retry; each alone stopped every other operation
(measured). `before-sign` stops code that signs a request of its own with a client's signer."""


class GuardRefusal(RuntimeError):
    """An operation was stopped before it was sent.

    Not a ClientError and not a BotoCoreError: waiters swallow the first, retry handlers handle both.
    """


@dataclass(eq=False, slots=True)
class Ticket:
    """Permission for one request of one exact call. `sent` stays True once it was sent.

    `matched` names the operation whose parameters were compared, "" before that; `over` is set when the
    intent was closed: a task's copy of the ticket permits nothing any more.
    """

    digest: str
    matched: str = ""
    sent: bool = False
    over: bool = False

    def match(self, call: Call, operation: str) -> None:
        """Compare what is about to be built; raises GuardRefusal for anything but the one call."""
        if call.digest() != self.digest or self.sent:
            raise GuardRefusal(f"{operation} is not the call that was journaled and confirmed")
        self.matched = operation

    def leave(self, operation: str) -> None:
        """Record that the request is sent now; raises GuardRefusal when one has been sent already."""
        if self.sent:
            raise GuardRefusal(f"{operation} was already sent once for this intent")
        self.sent = True


@dataclass(eq=False, slots=True)
class DrainTicket(Ticket):
    """Permission to receive from one queue, and to delete from it what is `on_disk`, by receipt handle.

    Each request needs a comparison of its own, so the SDK cannot send one of them again. `sent` is about the
    newest request.
    """

    queue_url: str = ""
    on_disk: set[str] = field(default_factory=set)

    def kept(self, handles: Iterable[str]) -> None:
        """Record that these were written and fsync'd: from now on they may be deleted."""
        self.on_disk.update(handles)

    def match(self, call: Call, operation: str) -> None:
        """Compare what is about to be built; arms the ticket for this one request."""
        self.matched, self.sent = "", False
        if not self._admits(call):
            raise GuardRefusal(f"{operation} is not part of the drain that was journaled and confirmed")
        self.matched = operation

    def leave(self, operation: str) -> None:
        """Record that the request is sent now; the next one is compared anew."""
        self.matched, self.sent = "", True

    def _admits(self, call: Call) -> bool:
        if call.service != "sqs" or call.params.get("QueueUrl") != self.queue_url:
            return False
        if call.operation == DRAIN_RECEIVE:
            return True
        entries = call.params.get("Entries") or ()
        return call.operation == DRAIN_DELETE and all(e.get("ReceiptHandle") in self.on_disk for e in entries)


_ticket: ContextVar[Ticket | None] = ContextVar("lambdatop_ticket", default=None)


_T = TypeVar("_T", bound=Ticket)


@contextmanager
def _opened(ticket: _T) -> Iterator[_T]:
    token = _ticket.set(ticket)
    try:
        yield ticket
    finally:
        ticket.over = True
        _ticket.reset(token)


class Guard:
    """The hooks of one session and the stamps they put on requests."""

    def __init__(self, *, read_only: bool) -> None:
        self._read_only = read_only
        self._stamped: WeakSet[Any] = WeakSet()

    @property
    def read_only(self) -> bool:
        """Whether nothing but reads can be sent."""
        return self._read_only

    def forbid_changes(self) -> None:
        """Make this guard read-only, open tickets included; this cannot be undone."""
        self._read_only = True

    def install(self, session: Any) -> None:
        """Register on a session; clients copy its hooks when they are made, so do it before the first."""
        for hook in HOOKS:
            handler = getattr(self, f"_{hook.replace('-', '_')}")
            session.register(hook, handler, unique_id=f"lambdatop-guard-{hook}")

    def ticket(self, digest: str) -> AbstractContextManager[Ticket]:
        """Let the call with this digest through, once, from the current task.

        Raises GuardRefusal in read-only mode.
        """
        self._refuse_read_only()
        return _opened(Ticket(digest))

    def drain_ticket(self, call: Call, digest: str) -> AbstractContextManager[DrainTicket]:
        """Let the requests of one drain through, from the current task: `call` names its only queue.

        Raises GuardRefusal in read-only mode, and when `call` is not the drain that was journaled.
        """
        self._refuse_read_only()
        url = call.params.get("QueueUrl")
        if (call.service, call.operation) != (DRAIN, DRAIN_QUEUE) or call.digest() != digest or not url:
            raise GuardRefusal("this is not the drain that was journaled and confirmed")
        return _opened(DrainTicket(digest, queue_url=url))

    def switch_ticket(self, call: Call, digest: str, update: Call) -> AbstractContextManager[Ticket]:
        """Let exactly `update` through, once: the journaled switch `call` with the schedule's other members.

        Raises GuardRefusal in read-only mode, and when `update` is of another schedule or sets another state.
        """
        self._refuse_read_only()
        journaled = (call.service, call.operation) == (DRAIN, SWITCH_SCHEDULE) and call.digest() == digest
        same = all(update.params.get(n) == call.params.get(n) for n in ("GroupName", "Name", "State"))
        if not journaled or (update.service, update.operation) not in SWITCHES or not same:
            raise GuardRefusal("this is not the switch that was journaled and confirmed")
        return _opened(Ticket(update.digest()))

    def _refuse_read_only(self) -> None:
        if self.read_only:
            raise GuardRefusal("read-only mode has no tickets: nothing may be changed")

    def take_stamp(self, request: Any) -> None:
        """Accept a stamped request for sending, once; raises GuardRefusal for any other."""
        if request not in self._stamped:
            raise GuardRefusal(f"the request to {request.url.split('?')[0]} did not pass the guard")
        self._stamped.discard(request)

    def _provide_client_params(
        self, event_name: str, params: Any, model: Any, context: Any = None, **_: Any
    ) -> None:
        self._match(event_name, params, model, context)

    def _before_parameter_build(
        self, event_name: str, params: Any, model: Any, context: Any = None, **_: Any
    ) -> None:
        self._match(event_name, params, model, context)

    def _before_call(self, event_name: str, **_: Any) -> None:
        self._admitted(event_name)

    def _request_created(self, event_name: str, **_: Any) -> None:
        self._admitted(event_name)

    def _before_sign(self, event_name: str, **_: Any) -> None:
        self._admitted(event_name)

    def _before_send(self, event_name: str, request: Any, **_: Any) -> None:
        ticket = self._admitted(event_name)
        if ticket is not None:
            ticket.leave(_operation(event_name))
        self._stamped.add(request)

    def _match(self, event_name: str, params: Any, model: Any, context: Any) -> None:
        """Compare the parameters with the open ticket, when the operation needs one."""
        if _always_allowed(event_name):
            return
        operation, ticket = _operation(event_name), self._open_ticket(event_name)
        if (context or {}).get("is_presign_request"):
            raise GuardRefusal(f"{operation} may be sent, not signed for somebody else to send")
        ticket.match(Call(model.service_model.service_name, model.name, params), operation)

    def _admitted(self, event_name: str) -> Ticket | None:
        """Return the ticket by which a change is sent, None for reads; raises for everything else."""
        if _always_allowed(event_name):
            return None
        ticket = self._open_ticket(event_name)
        if ticket.matched != _operation(event_name):
            raise GuardRefusal(f"{_operation(event_name)} was not checked for its parameters")
        return ticket

    def _open_ticket(self, event_name: str) -> Ticket:
        ticket = None if self.read_only else _ticket.get()
        if ticket is None or ticket.over:
            mode = "read-only mode" if self.read_only else "no journaled intent is open"
            raise GuardRefusal(f"{_operation(event_name)} is not a read, and {mode}")
        return ticket


def _always_allowed(event_name: str) -> bool:
    _, service, operation = event_name.split(".", 2)
    return operation in READS.get(service, ()) or operation in CREDENTIALS.get(service, ())


def _operation(event_name: str) -> str:
    return event_name.split(".", 1)[1].replace(".", ":")
