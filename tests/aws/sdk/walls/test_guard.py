"""Nothing but the listed reads leaves the process; a change leaves once, and only with its ticket."""

from __future__ import annotations

import json
from typing import Any

import list_reads
import pytest
from botocore.awsrequest import AWSRequest
from botocore.hooks import HierarchicalEmitter
from fakes.wire_stub import Fault, Hang, WireStub, model_of

from lambdatop.aws.sdk.session_policy import LIMIT, policy_text
from lambdatop.aws.sdk.walls.allowlist import READS, read_actions
from lambdatop.aws.sdk.walls.guard import HOOKS, Guard, GuardRefusal
from lambdatop.cli.commands.policy import printed_policy
from lambdatop.domain.plans.plan import Call

from ...conftest import MakeBench

pytestmark = pytest.mark.sdk

IAM_PREFIX = {
    "cloudwatch-logs": "logs",
    "dynamodb-streams": "dynamodb",
    "eventbridge": "events",
    "service-quotas": "servicequotas",
    "sfn": "states",
}
IAM_NAME = {"GetBucketNotificationConfiguration": "GetBucketNotification"}
ZERO = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 0})
PUT = ("lambda", "PutFunctionConcurrency")


def test_the_list_is_what_the_code_sends() -> None:
    sent = list_reads.found()
    assert list_reads.TARGET.read_text(encoding="utf-8") == list_reads.rendered(sent), "run `make docs`"
    assert {operation for _, operation in sent} == {name for names in READS.values() for name in names}


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ('await self._api.read("sqs", "GetQueueUrl", QueueName=name)', {("sqs", "GetQueueUrl")}),
        ('api.pages("lambda", "ListFunctions", token="Marker")', {("lambda", "ListFunctions")}),
        ('api.stream("logs", "StartLiveTail", "responseStream")', {("logs", "StartLiveTail")}),
        ('parts.function("GetPolicy", name)', {("lambda", "GetPolicy")}),
        ('TRIALS: tuple[object, ...] = (("sns", "ListTopics", {}),)', {("sns", "ListTopics")}),
        ('translate(error, "sts", "AssumeRole"); Call("sqs", "PurgeQueue")', set()),
    ],
)
def test_reads_are_found_where_they_are_sent(source: str, reads: set[tuple[str, str]]) -> None:
    assert set(list_reads.sent_by(source)) == reads


def test_the_list_and_the_read_only_policy_are_one_to_one() -> None:
    granted = printed_policy("read-only").actions
    assert set(granted) == _actions()
    assert set(read_actions()) == _actions()


def _actions() -> set[str]:
    """Return the IAM names of the listed reads; reading one's own identity needs no permission."""
    return {
        f"{IAM_PREFIX.get(service, service)}:{IAM_NAME.get(name, name)}"
        for service, names in READS.items()
        for name in names
    } - {"sts:GetCallerIdentity"}


def test_the_session_policy_is_the_list() -> None:
    text = policy_text()
    assert len(text) <= LIMIT * 7 // 8, "AWS packs it with the session's tags, so it stays well below"
    assert set(json.loads(text)["Statement"][0]["Action"]) == _actions()


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


async def test_a_listed_read_reaches_the_server(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "GetAccountSettings", {"AccountLimit": {}, "AccountUsage": {}})
    await bench().api.read("lambda", "GetAccountSettings")
    assert [r.operation for r in stub.received] == ["GetAccountSettings"]


async def test_read_only_mode_has_no_tickets(stub: WireStub, bench: MakeBench) -> None:
    made = bench(read_only=True)
    with pytest.raises(GuardRefusal), made.guard.ticket(ZERO.digest()):
        pass
    assert not hasattr(await made.client("lambda"), "put_function_concurrency")
    assert stub.received == []


async def test_a_guard_that_was_closed_stays_closed_for_open_tickets_too(
    stub: WireStub, bench: MakeBench
) -> None:
    made = bench(read_only=False)
    client = await made.client("lambda")
    with made.guard.ticket(ZERO.digest()):
        made.guard.forbid_changes()
        with pytest.raises(GuardRefusal, match="read-only mode"):
            await client.put_function_concurrency(**ZERO.params)
    with pytest.raises(GuardRefusal, match="no tickets"), made.guard.ticket(ZERO.digest()):
        pass
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


@pytest.mark.parametrize("hook", HOOKS[2:])
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
    made = bench(read_only=False, attempts=3, silence_s=2.0)
    client = await made.client("lambda")
    with made.guard.ticket(ZERO.digest()), pytest.raises(GuardRefusal):
        await client.put_function_concurrency(**ZERO.params)
    assert len(stub.received) == 1


@pytest.mark.parametrize("kept", [None, *HOOKS])
async def test_the_transport_holds_when_hooks_are_gone(
    kept: str | None, stub: WireStub, bench: MakeBench
) -> None:
    made = bench(read_only=False)
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
