"""One call, sent once, and an honest word about what became of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes.aws_doubles import Bench
from fakes.wire_stub import Body, Fault, Hang, Redirect, Reset, WireStub

from lambdatop.aws.mutation.mutator import ALLOWED, AwsMutator
from lambdatop.domain.plans.plan import Call

from ..conftest import MakeBench

pytestmark = pytest.mark.sdk

ZERO = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 0})
PURGE = Call("sqs", "PurgeQueue", {"QueueUrl": "http://127.0.0.1/1/q"})


def _mutator(bench: Bench) -> AwsMutator:
    return AwsMutator(bench.clients, bench.guard, bench.signer)


async def _send(call: Call, stub: WireStub, bench: MakeBench, *answers: Any) -> Any:
    stub.on(call.service, call.operation, *answers)
    return await _mutator(bench(read_only=False, silence_s=2.0)).send(call, call.digest())


async def test_an_accepted_call_is_applied(stub: WireStub, bench: MakeBench) -> None:
    sent = await _send(ZERO, stub, bench, {"ReservedConcurrentExecutions": 0})
    assert (sent.outcome, stub.calls("PutFunctionConcurrency")) == ("applied", [dict(ZERO.params)])


@pytest.mark.parametrize(
    ("answer", "outcome", "says"),
    [
        (Fault("AccessDeniedException", status=403), "refused", "AccessDeniedException"),
        (Fault("InvalidParameterValueException", "provisioned [2]"), "refused", "provisioned [2]"),
        (  # winglang/wing#1507
            Fault(
                "InvalidParameterValueException",
                "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
            ),
            "refused",
            "What to do: set the queue's visibility timeout, 30 s, to at least the function's timeout, 60 s",
        ),
        (  # aws-samples/s3-to-lambda-patterns#36
            Fault(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's "
                "UnreservedConcurrentExecution below its minimum value of [50].",
            ),
            "refused",
            "What to do: AWS keeps 50 of the account's concurrency unreserved",
        ),
        (Fault("TooManyRequestsException", status=429), "refused", "TooManyRequestsException"),
        (Fault("PreconditionFailedException", status=412), "refused", "PreconditionFailed"),
        (Fault("ExpiredTokenException", status=403), "refused", "ExpiredToken"),
        (Fault("ServiceException", status=500), "unknown", "HTTP 500"),
        (Fault("ServiceUnavailable", status=503), "unknown", "503"),
        (Hang(), "unknown", "in time"),
        (Reset(), "unknown", "closed"),
        (Body(b"<html></html>", "text/html"), "unknown", "could not be understood"),
        (Body(b'{"Res', announced=900), "unknown", "closed"),
        (Redirect("http://127.0.0.1:1/"), "unknown", "redirect"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, (str, Fault)) else None,
)
async def test_outcomes(answer: Any, outcome: str, says: str, stub: WireStub, bench: MakeBench) -> None:
    sent = await _send(ZERO, stub, bench, answer)
    assert sent.outcome == outcome
    assert says in sent.detail
    assert len(stub.received) == 1


async def test_a_change_that_was_applied_and_answered_late_is_not_sent_again(
    stub: WireStub, bench: MakeBench
) -> None:
    applied: list[str] = []
    sent = await _send(
        ZERO, stub, bench, Hang(lambda: applied.append("f")), Fault("PreconditionFailedException")
    )
    assert (sent.outcome, applied, len(stub.received)) == ("unknown", ["f"], 1)


async def test_somebody_elses_purge_is_called_that(stub: WireStub, bench: MakeBench) -> None:
    for code in ("PurgeQueueInProgress", "com.amazonaws.sqs#PurgeQueueInProgress"):
        sent = await _send(PURGE, stub, bench, Fault(code, status=403))
        assert sent.outcome == "refused"
        assert "Somebody else purged" in sent.detail


async def test_nothing_is_sent_for_another_digest(stub: WireStub, bench: MakeBench) -> None:
    sent = await _mutator(bench(read_only=False)).send(ZERO, PURGE.digest())
    assert (sent.outcome, stub.received) == ("not-sent", [])


async def test_nothing_is_sent_that_is_no_mitigation(stub: WireStub, bench: MakeBench) -> None:
    call = Call("lambda", "DeleteFunction", {"FunctionName": "f"})
    sent = await _mutator(bench(read_only=False)).send(call, call.digest())
    assert (sent.outcome, stub.received) == ("not-sent", [])
    assert not any(operation.startswith(("Get", "List", "Describe")) for _, operation in ALLOWED)


async def test_nothing_is_sent_with_invalid_parameters(stub: WireStub, bench: MakeBench) -> None:
    call = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f"})
    sent = await _mutator(bench(read_only=False)).send(call, call.digest())
    assert (sent.outcome, stub.received) == ("not-sent", [])
    assert "not valid" in sent.detail


async def test_a_refused_connection_means_not_sent() -> None:
    bench = Bench("http://127.0.0.1:9", read_only=False)
    sent = await _mutator(bench).send(ZERO, ZERO.digest())
    await bench.close()
    assert sent.outcome == "not-sent"


async def test_a_mutator_in_read_only_mode_sends_nothing(stub: WireStub, bench: MakeBench) -> None:
    sent = await _mutator(bench(read_only=True)).send(ZERO, ZERO.digest())
    assert (sent.outcome, stub.received) == ("not-sent", [])


async def test_cancellation_is_not_swallowed_and_the_call_has_left(stub: WireStub, bench: MakeBench) -> None:
    arrived = asyncio.Event()
    stub.on(ZERO.service, ZERO.operation, Hang(arrived.set))
    task = asyncio.create_task(_mutator(bench(read_only=False)).send(ZERO, ZERO.digest()))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(stub.received) == 1


async def test_two_mutations_at_once_do_not_mix_their_tickets(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "PutFunctionConcurrency", {"ReservedConcurrentExecutions": 0})
    stub.on("lambda", "DeleteFunctionConcurrency", {})
    mutator = _mutator(bench(read_only=False))
    other = Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": "g"})
    both = await asyncio.gather(mutator.send(ZERO, ZERO.digest()), mutator.send(other, other.digest()))
    assert [s.outcome for s in both] == ["applied", "applied"]
