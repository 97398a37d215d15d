"""Nothing but the listed reads leaves the process; a change leaves once, and only with its ticket."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.hooks import HierarchicalEmitter
from fakes.wire_stub import Fault, Hang, WireStub, model_of

from lambdatop.aws.allowlist import CREDENTIALS, READS
from lambdatop.aws.guard import HOOKS, Guard, GuardRefusal
from lambdatop.domain.plan import Call

from .conftest import MakeBench

pytestmark = pytest.mark.sdk

USED = ("lambda", "sqs", "logs", "cloudwatch", "kinesis", "sts")
ZERO = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 0})
PUT = ("lambda", "PutFunctionConcurrency")


def _allowed(service: str) -> set[str]:
    id_ = model_of(service).service_id.hyphenize()
    return set(READS.get(id_, ())) | set(CREDENTIALS.get(id_, ()))


def _others(service: str) -> list[str]:
    return sorted(set(model_of(service).operation_names) - _allowed(service))


def test_the_list_has_the_seventy_reads_of_the_facts_sheet_and_the_price_list() -> None:
    assert sum(len(names) for names in READS.values()) == 70 + 1
    assert READS["pricing"] == {"GetProducts"}


def test_every_listed_name_is_an_operation_and_none_is_a_pattern() -> None:
    names = {"cloudwatch-logs": "logs", "dynamodb-streams": "dynamodbstreams", "eventbridge": "events"}
    names["sfn"] = "stepfunctions"
    for service, operations in READS.items():
        assert operations <= set(model_of(names.get(service, service)).operation_names), service


def test_every_listed_lambda_operation_is_marked_read_only_by_aws() -> None:
    model = model_of("lambda")
    raw = model._service_description["operations"]
    assert all(raw[name].get("readonly") for name in READS["lambda"])


def test_known_dangerous_reads_are_not_listed() -> None:
    assert "ReceiveMessage" not in READS["sqs"]
    assert "GetFunction" not in READS["lambda"]
    assert "GetRecords" not in READS["kinesis"]


@pytest.mark.parametrize("service", USED)
async def test_no_other_operation_sends_a_byte(service: str, stub: WireStub, bench: MakeBench) -> None:
    client = await bench().client(service)
    others = _others(service)
    assert others
    for operation in others:
        with pytest.raises(GuardRefusal):
            await client._make_api_call(operation, {})
    assert stub.received == []


@pytest.mark.parametrize("service", USED)
async def test_no_other_operation_gets_a_presigned_url(service: str, bench: MakeBench) -> None:
    client = await bench().client(service)
    methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
    for operation in _others(service):
        with pytest.raises(GuardRefusal):
            await client.generate_presigned_url(methods[operation], Params={})


async def test_a_listed_read_reaches_the_server(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "GetAccountSettings", {"AccountLimit": {}, "AccountUsage": {}})
    await bench().api.read("lambda", "GetAccountSettings")
    assert [r.operation for r in stub.received] == ["GetAccountSettings"]


async def test_read_only_mode_has_no_tickets(stub: WireStub, bench: MakeBench) -> None:
    made = bench(read_only=True)
    with pytest.raises(GuardRefusal), made.guard.ticket(ZERO.digest()):
        pass
    client = await made.client("lambda")
    with pytest.raises(GuardRefusal):
        await client.put_function_concurrency(**ZERO.params)
    assert stub.received == []


async def test_operator_mode_without_a_ticket_sends_nothing(stub: WireStub, bench: MakeBench) -> None:
    client = await bench(read_only=False).client("lambda")
    with pytest.raises(GuardRefusal):
        await client.put_function_concurrency(**ZERO.params)
    with pytest.raises(GuardRefusal):
        await client.generate_presigned_url("put_function_concurrency", Params=dict(ZERO.params))
    assert stub.received == []


async def test_a_ticket_lets_exactly_its_call_through(stub: WireStub, bench: MakeBench) -> None:
    stub.on(*PUT, {"ReservedConcurrentExecutions": 0})
    made = bench(read_only=False)
    client = await made.client("lambda")
    with made.guard.ticket(ZERO.digest()) as ticket:
        with pytest.raises(GuardRefusal):
            await client.put_function_concurrency(FunctionName="g", ReservedConcurrentExecutions=0)
        with pytest.raises(GuardRefusal):
            await client.delete_function_concurrency(FunctionName="f")
        assert stub.received == []
        await client.put_function_concurrency(**ZERO.params)
        assert ticket.sent
    assert stub.calls("PutFunctionConcurrency") == [dict(ZERO.params)]


@pytest.mark.parametrize("hook", ["before-call", "request-created", "before-send"])
def test_the_match_of_one_operation_opens_no_door_for_another(hook: str) -> None:
    guard, events, request = Guard(read_only=False), HierarchicalEmitter(), AWSRequest(url="http://h/")
    guard.install(events)
    put = model_of("lambda").operation_model("PutFunctionConcurrency")
    with guard.ticket(ZERO.digest()) as ticket:
        events.emit(
            "provide-client-params.lambda.PutFunctionConcurrency", params=dict(ZERO.params), model=put
        )
        with pytest.raises(GuardRefusal):
            events.emit(f"{hook}.lambda.DeleteFunction", request=request)
        assert not ticket.sent
        events.emit(f"{hook}.lambda.PutFunctionConcurrency", request=request)


async def test_a_ticket_is_good_for_one_request(stub: WireStub, bench: MakeBench) -> None:
    stub.on(*PUT, {"ReservedConcurrentExecutions": 0})
    made = bench(read_only=False)
    client = await made.client("lambda")
    with made.guard.ticket(ZERO.digest()):
        await client.put_function_concurrency(**ZERO.params)
        with pytest.raises(GuardRefusal):
            await client.put_function_concurrency(**ZERO.params)
    with pytest.raises(GuardRefusal):
        await client.put_function_concurrency(**ZERO.params)
    assert len(stub.received) == 1


@pytest.mark.parametrize("answer", [Fault("ServiceException", status=500), Hang()], ids=["500", "hang"])
async def test_the_sdk_cannot_repeat_a_change(answer: Any, stub: WireStub, bench: MakeBench) -> None:
    stub.on(*PUT, answer)
    made = bench(read_only=False, attempts=3)
    client = await made.client("lambda")
    with made.guard.ticket(ZERO.digest()), pytest.raises(GuardRefusal):
        await client.put_function_concurrency(**ZERO.params)
    assert len(stub.received) == 1


@pytest.mark.parametrize("kept", [None, *HOOKS])
async def test_the_transport_holds_when_hooks_are_gone(
    kept: str | None, stub: WireStub, bench: MakeBench
) -> None:
    made = bench(read_only=True)
    client = await made.client("lambda")
    for hook in HOOKS:
        if hook != kept:
            client.meta.events.unregister(hook, unique_id=f"lambdatop-guard-{hook}")
    with pytest.raises(GuardRefusal):
        await client.put_function_concurrency(**ZERO.params)
    assert stub.received == []


async def test_a_request_below_the_sdks_events_is_stopped(stub: WireStub, bench: MakeBench) -> None:
    made = bench(read_only=False)
    client = await made.client("lambda")
    model = client.meta.service_model.operation_model("PutFunctionConcurrency")
    request = await client._convert_to_request_dict(
        dict(ZERO.params), model, endpoint_url=stub.url, context={"client_config": client.meta.config}
    )
    with pytest.raises(GuardRefusal), made.guard.ticket(ZERO.digest()):
        await client._endpoint.make_request(model, request)
    assert stub.received == []
    assert stub.strangers == []
