"""The ticket of a drain opens one queue, and of it only what is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from fakes.drained_queue import CALL, URL, filled
from fakes.wire_stub import Fault, WireStub, model_of

from lambdatop.aws.sdk.walls.guard import GuardRefusal
from lambdatop.domain.plans.plan import Call

from ...conftest import MakeBench

pytestmark = pytest.mark.sdk

OTHER = URL + "-dlq"
ENTRY = {"Id": "0", "ReceiptHandle": "handle-1"}
SENT_ELSEWHERE: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("receive_message", {"QueueUrl": OTHER}),
    ("receive_message", {"QueueUrl": URL + "/"}),
    ("receive_message", {"QueueUrl": "orders"}),
    ("delete_message_batch", {"QueueUrl": OTHER, "Entries": [ENTRY]}),
    ("delete_message_batch", {"QueueUrl": URL, "Entries": [ENTRY, {"Id": "1", "ReceiptHandle": "handle-2"}]}),
    ("delete_message", {"QueueUrl": URL, "ReceiptHandle": "handle-1"}),
    ("purge_queue", {"QueueUrl": URL}),
    ("send_message", {"QueueUrl": URL, "MessageBody": "x"}),
    ("delete_queue", {"QueueUrl": URL}),
    (
        "change_message_visibility",
        {"QueueUrl": URL, "ReceiptHandle": "handle-1", "VisibilityTimeout": 0},
    ),
)


@pytest.mark.parametrize(("method", "params"), SENT_ELSEWHERE)
async def test_nothing_but_its_queue_and_what_is_on_disk(
    method: str, params: Mapping[str, Any], stub: WireStub, bench: MakeBench
) -> None:
    made = bench(read_only=False)
    client = await made.client("sqs")
    with made.guard.drain_ticket(CALL, CALL.digest()) as ticket:
        ticket.kept(["handle-1"])
        with pytest.raises(GuardRefusal):
            await getattr(client, method)(**params)
    assert stub.received == []


async def test_no_other_operation_of_any_service(stub: WireStub, bench: MakeBench) -> None:
    made = bench(read_only=False)
    with made.guard.drain_ticket(CALL, CALL.digest()):
        for service in ("sqs", "lambda"):
            client = await made.client(service)
            for operation in model_of(service).operation_names:
                if operation.startswith(("Get", "List")) or operation == "ReceiveMessage":
                    continue
                with pytest.raises(GuardRefusal):
                    await client._make_api_call(operation, {"QueueUrl": URL, "Entries": [ENTRY]})
    assert stub.received == []


async def test_what_was_kept_may_be_deleted_and_only_then(stub: WireStub, bench: MakeBench) -> None:
    filled(stub, 2)
    made = bench(read_only=False)
    client = await made.client("sqs")
    delete = {"QueueUrl": URL, "Entries": [ENTRY]}
    with made.guard.drain_ticket(CALL, CALL.digest()) as ticket:
        assert len((await client.receive_message(QueueUrl=URL, MaxNumberOfMessages=2))["Messages"]) == 2
        with pytest.raises(GuardRefusal, match="not part of the drain"):
            await client.delete_message_batch(**delete)
        ticket.kept(["handle-1"])
        await client.delete_message_batch(**delete)
    assert stub.calls("DeleteMessageBatch") == [delete]


async def test_nobody_gets_a_presigned_url(bench: MakeBench) -> None:
    made = bench(read_only=False)
    client = await made.client("sqs")
    with made.guard.drain_ticket(CALL, CALL.digest()) as ticket:
        ticket.kept(["handle-1"])
        for method, more in ("receive_message", {}), ("delete_message_batch", {"Entries": [ENTRY]}):
            with pytest.raises(GuardRefusal, match="not signed"):
                await client.generate_presigned_url(method, Params={"QueueUrl": URL, **more})


async def test_the_ordinary_ticket_signs_nothing_either(bench: MakeBench) -> None:
    purge = Call("sqs", "PurgeQueue", {"QueueUrl": URL})
    made = bench(read_only=False)
    client = await made.client("sqs")
    with made.guard.ticket(purge.digest()) as ticket:
        with pytest.raises(GuardRefusal, match="not signed"):
            await client.generate_presigned_url("purge_queue", Params=dict(purge.params))
        assert not ticket.matched


async def test_the_sdk_cannot_repeat_a_request_of_a_drain(stub: WireStub, bench: MakeBench) -> None:
    stub.on("sqs", "ReceiveMessage", Fault("InternalError", status=500))
    made = bench(read_only=False, attempts=3)
    client = await made.client("sqs")
    with made.guard.drain_ticket(CALL, CALL.digest()):
        with pytest.raises(GuardRefusal):
            await client.receive_message(QueueUrl=URL)
        assert len(stub.received) == 1


async def test_a_request_below_the_sdks_events_is_stopped(stub: WireStub, bench: MakeBench) -> None:
    filled(stub, 2)
    made = bench(read_only=False)
    client = await made.client("sqs")
    model = client.meta.service_model.operation_model("ReceiveMessage")
    request = await client._convert_to_request_dict(
        {"QueueUrl": OTHER}, model, endpoint_url=stub.url, context={"client_config": client.meta.config}
    )
    with made.guard.drain_ticket(CALL, CALL.digest()):
        await client.receive_message(QueueUrl=URL)
        with pytest.raises(GuardRefusal):
            await client._endpoint.make_request(model, request)
    assert len(stub.received) == 1


async def test_it_ends_with_the_intent_even_for_a_task_that_took_it_along(
    stub: WireStub, bench: MakeBench
) -> None:
    filled(stub, 2)
    made = bench(read_only=False)
    client = await made.client("sqs")
    closed = asyncio.Event()

    async def later() -> None:
        await closed.wait()
        await client.receive_message(QueueUrl=URL)

    with made.guard.drain_ticket(CALL, CALL.digest()):
        task = asyncio.create_task(later())
        await client.receive_message(QueueUrl=URL)
    closed.set()
    with pytest.raises(GuardRefusal, match="no journaled intent is open"):
        await task
    assert len(stub.received) == 1


async def test_read_only_mode_drains_nothing(stub: WireStub, bench: MakeBench) -> None:
    made = bench(read_only=True)
    with pytest.raises(GuardRefusal, match="read-only"):
        made.guard.drain_ticket(CALL, CALL.digest())
    assert not hasattr(await made.client("sqs"), "receive_message")
    assert stub.received == []


@pytest.mark.parametrize(
    ("call", "digest"),
    [
        (CALL, Call("lambdatop", "DrainQueue", {"QueueUrl": OTHER, "QueueName": "orders"}).digest()),
        (Call("sqs", "PurgeQueue", {"QueueUrl": URL}), ""),
        (Call("lambdatop", "DrainQueue", {"QueueName": "orders"}), ""),
    ],
)
def test_only_the_drain_that_was_journaled_gets_one(call: Call, digest: str, bench: MakeBench) -> None:
    with pytest.raises(GuardRefusal, match="not the drain that was journaled"):
        bench(read_only=False).guard.drain_ticket(call, digest or call.digest())
