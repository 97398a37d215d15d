"""The guard's hooks one by one, as the SDK calls them: who goes on, who is stopped, and with which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from fakes.wire_stub import model_of

from lambdatop.aws.sdk.walls.guard import HOOKS, DrainTicket, Guard, GuardRefusal, Ticket
from lambdatop.domain.plans.plan import Call

ZERO = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 0})
URL = "https://sqs.eu-central-1.amazonaws.com/1/q"
DRAIN = Call("lambdatop", "DrainQueue", {"QueueUrl": URL})
PARAMETERS = ("provide-client-params", "before-parameter-build")
LATER = ("before-call", "request-created", "before-sign")


class Hooked:
    """A session that keeps what a guard registers, and calls it by the hook's name."""

    def __init__(self, guard: Guard) -> None:
        self.handlers: dict[str, Callable[..., Any]] = {}
        self.ids: list[str] = []
        guard.install(self)

    def register(self, name: str, handler: Callable[..., Any], unique_id: str) -> None:
        self.handlers[name] = handler
        self.ids.append(unique_id)

    def fire(self, hook: str, call: Call, **more: Any) -> None:
        if hook in PARAMETERS:
            model = model_of(call.service).operation_model(call.operation)
            more = {"params": call.params, "model": model} | more
        self.handlers[hook](event_name=f"{hook}.{call.service}.{call.operation}", **more)

    def walk(self, call: Call, request: Any = None) -> Any:
        """Run all hooks in the SDK's order; return the request that may be sent."""
        request = request or AWSRequest("POST", f"{URL}?Action=x&secret=1")
        for hook in HOOKS:
            self.fire(hook, call, **({"request": request} if hook == "before-send" else {}))
        return request


READ = Call("lambda", "ListFunctions", {})
ASSUME = Call("sts", "AssumeRole", {"RoleArn": "arn", "RoleSessionName": "x"})


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("call", [READ, ASSUME])
def test_a_listed_read_and_what_gets_credentials_walk_through_without_a_ticket(
    read_only: bool, call: Call
) -> None:
    guard = Guard(read_only=read_only)
    request = Hooked(guard).walk(call)
    guard.take_stamp(request)
    with pytest.raises(GuardRefusal, match="did not pass the guard"):
        guard.take_stamp(request)  # a stamp is for one sending


def test_each_hook_is_registered_once_under_a_name_of_its_own() -> None:
    hooked = Hooked(Guard(read_only=True))
    assert set(hooked.handlers) == set(HOOKS) == {*PARAMETERS, *LATER, "before-send"}
    assert len(set(hooked.ids)) == len(HOOKS)
    assert all(name.startswith("lambdatop-guard-") for name in hooked.ids)


@pytest.mark.parametrize(
    ("read_only", "words"),
    [(True, "is not a read, and read-only mode"), (False, "is not a read, and no journaled intent is open")],
)
@pytest.mark.parametrize("hook", HOOKS)
def test_a_change_without_a_ticket_is_stopped_by_every_hook(hook: str, read_only: bool, words: str) -> None:
    hooked = Hooked(Guard(read_only=read_only))
    with pytest.raises(GuardRefusal, match=f"lambda:PutFunctionConcurrency {words}"):
        hooked.fire(hook, ZERO, **({"request": object()} if hook == "before-send" else {}))


def test_a_request_without_a_stamp_is_not_sent_and_its_query_is_not_told() -> None:
    with pytest.raises(GuardRefusal, match="did not pass the guard") as refused:
        Guard(read_only=False).take_stamp(AWSRequest("POST", f"{URL}?Signature=secret"))
    assert f"the request to {URL} " in str(refused.value)


def test_the_journaled_call_leaves_once_and_the_ticket_is_over_after_the_block() -> None:
    guard = Guard(read_only=False)
    hooked = Hooked(guard)
    with guard.ticket(ZERO.digest()) as ticket:
        assert (ticket.matched, ticket.sent, ticket.over) == ("", False, False)
        guard.take_stamp(hooked.walk(ZERO))
        assert (ticket.matched, ticket.sent) == ("lambda:PutFunctionConcurrency", True)
        with pytest.raises(GuardRefusal, match="already sent once for this intent"):
            hooked.fire("before-send", ZERO, request=AWSRequest("POST", URL))
        for hook in PARAMETERS:
            with pytest.raises(GuardRefusal, match="is not the call that was journaled and confirmed"):
                hooked.fire(hook, ZERO)
    assert ticket.over
    with pytest.raises(GuardRefusal, match="no journaled intent is open"):
        hooked.fire("before-call", ZERO)


def test_an_intent_within_another_gives_way_to_the_outer_one_again() -> None:
    other = Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": "f"})
    guard = Guard(read_only=False)
    hooked = Hooked(guard)
    with guard.ticket(ZERO.digest()):
        with guard.ticket(other.digest()):
            hooked.walk(other)
        hooked.walk(ZERO)


def test_a_ticket_that_a_task_took_along_opens_nothing_after_its_intent() -> None:
    guard = Guard(read_only=False)
    hooked = Hooked(guard)
    with guard.ticket(ZERO.digest()) as ticket:
        ticket.over = True
        with pytest.raises(GuardRefusal, match="no journaled intent is open"):
            hooked.fire("before-parameter-build", ZERO)


@pytest.mark.parametrize("hook", [*LATER, "before-send"])
def test_what_skipped_the_check_of_its_parameters_goes_no_further(hook: str) -> None:
    guard = Guard(read_only=False)
    hooked = Hooked(guard)
    request = AWSRequest("POST", URL)
    more = {"request": request} if hook == "before-send" else {}
    other = Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": "f"})
    with guard.ticket(ZERO.digest()) as ticket:
        with pytest.raises(GuardRefusal, match="PutFunctionConcurrency was not checked for its parameters"):
            hooked.fire(hook, ZERO, **more)
        hooked.fire("before-parameter-build", ZERO)
        with pytest.raises(GuardRefusal, match="DeleteFunctionConcurrency was not checked for"):
            hooked.fire(hook, other, **more)
        assert not ticket.sent
    with pytest.raises(GuardRefusal, match="did not pass the guard"):
        guard.take_stamp(request)


@pytest.mark.parametrize("hook", PARAMETERS)
@pytest.mark.parametrize(
    "other",
    [
        Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 1}),
        Call("lambda", "PutFunctionConcurrency", {"FunctionName": "g", "ReservedConcurrentExecutions": 0}),
        Call("lambda", "DeleteFunctionConcurrency", dict(ZERO.params)),
    ],
)
def test_another_call_than_the_journaled_one_does_not_match(hook: str, other: Call) -> None:
    guard = Guard(read_only=False)
    with guard.ticket(ZERO.digest()) as ticket:
        with pytest.raises(GuardRefusal, match="is not the call that was journaled and confirmed"):
            Hooked(guard).fire(hook, other)
        assert ticket.matched == ""


@pytest.mark.parametrize("hook", PARAMETERS)
def test_a_journaled_call_is_not_signed_for_somebody_else_to_send(hook: str) -> None:
    guard = Guard(read_only=False)
    with guard.ticket(ZERO.digest()) as ticket:
        hooked = Hooked(guard)
        with pytest.raises(GuardRefusal, match="not signed for somebody else to send"):
            hooked.fire(hook, ZERO, context={"is_presign_request": True})
        assert ticket.matched == ""
        for context in (None, {}, {"is_presign_request": False}):
            hooked.fire(hook, ZERO, context=context)
        assert ticket.matched == "lambda:PutFunctionConcurrency"


def test_a_guard_that_forbids_changes_stops_open_tickets_and_gives_no_more() -> None:
    guard = Guard(read_only=False)
    assert guard.read_only is False
    with guard.ticket(ZERO.digest()):
        guard.forbid_changes()
        assert guard.read_only is True
        with pytest.raises(GuardRefusal, match="read-only mode"):
            Hooked(guard).fire("before-call", ZERO)
    for ticket in (lambda: guard.ticket(ZERO.digest()), lambda: guard.drain_ticket(DRAIN, DRAIN.digest())):
        with pytest.raises(GuardRefusal, match="read-only mode has no tickets: nothing may be changed"):
            ticket()


@pytest.mark.parametrize(
    "call",
    [
        Call("sqs", DRAIN.operation, DRAIN.params),
        Call(DRAIN.service, "PurgeQueue", DRAIN.params),
        Call(DRAIN.service, DRAIN.operation, {}),
        Call(DRAIN.service, DRAIN.operation, {"QueueUrl": ""}),
    ],
)
def test_only_a_drain_of_a_queue_gets_a_drains_ticket(call: Call) -> None:
    guard = Guard(read_only=False)
    with pytest.raises(GuardRefusal, match="not the drain that was journaled and confirmed"):
        guard.drain_ticket(call, call.digest())
    with pytest.raises(GuardRefusal, match="not the drain that was journaled and confirmed"):
        guard.drain_ticket(DRAIN, "another digest")


def receive(url: str = URL) -> Call:
    return Call("sqs", "ReceiveMessage", {"QueueUrl": url})


def delete(*handles: str, url: str = URL) -> Call:
    entries = [{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate(handles)]
    return Call("sqs", "DeleteMessageBatch", {"QueueUrl": url, "Entries": entries})


def test_a_drain_receives_and_deletes_what_is_on_disk_and_nothing_else() -> None:
    guard = Guard(read_only=False)
    hooked = Hooked(guard)
    with guard.drain_ticket(DRAIN, DRAIN.digest()) as ticket:
        assert (ticket.queue_url, ticket.on_disk) == (URL, set())
        for _ in range(2):
            guard.take_stamp(hooked.walk(receive()))
            assert (ticket.matched, ticket.sent) == ("", True)
        with pytest.raises(GuardRefusal, match="not part of the drain"):
            hooked.walk(delete("a"))
        assert not ticket.sent, "a comparison begins anew, whatever left before"
        ticket.kept(["a", "b"])
        guard.take_stamp(hooked.walk(delete("a", "b")))
        hooked.fire("before-parameter-build", Call("sqs", "DeleteMessageBatch", {"QueueUrl": URL}))
        for other in (
            delete("a", "c"),
            delete("a", url="https://elsewhere/q"),
            receive("https://elsewhere/q"),
            Call("sqs", "PurgeQueue", {"QueueUrl": URL}),
            Call("sqs", "DeleteMessage", {"QueueUrl": URL, "ReceiptHandle": "a"}),
        ):
            with pytest.raises(
                GuardRefusal, match="is not part of the drain that was journaled and confirmed"
            ):
                hooked.fire("before-parameter-build", other)
            assert ticket.matched == "", "what was refused leaves nothing behind"


def test_one_request_of_a_drain_is_not_sent_again_without_a_new_comparison() -> None:
    guard = Guard(read_only=False)
    hooked = Hooked(guard)
    with guard.drain_ticket(DRAIN, DRAIN.digest()):
        hooked.walk(receive())
        with pytest.raises(GuardRefusal, match="was not checked for its parameters"):
            hooked.fire("before-send", receive(), request=AWSRequest("POST", URL))


def test_a_ticket_of_a_drain_is_for_sqs_and_begins_with_nothing_on_disk() -> None:
    ticket = DrainTicket("d", queue_url=URL)
    with pytest.raises(GuardRefusal):
        ticket.match(Call("lambda", "ReceiveMessage", {"QueueUrl": URL}), "lambda:ReceiveMessage")
    assert DrainTicket("d").queue_url == ""
    with pytest.raises(GuardRefusal):
        DrainTicket("d").match(receive(), "sqs:ReceiveMessage")
    assert DrainTicket("d").on_disk is not DrainTicket("d").on_disk
    assert (Ticket("d").sent, Ticket("d").over, Ticket("d").matched) == (False, False, "")
