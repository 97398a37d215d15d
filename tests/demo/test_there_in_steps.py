"""Plans in steps, redrives, aliases and rules on the real mitigation flow and the emulator."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any

import pytest
from demo.clients import Aws, wait_for
from demo.mitigation_flow import MitigationFlow

from lambdatop.domain.plans.plan import Refusal
from lambdatop.domain.ports.runtime import Clock
from lambdatop.engine.clock import wait_at_most
from lambdatop.engine.mutating import composite

pytestmark = pytest.mark.wire

NAME = "worker"
FINE = "def handler(event, context):\n    return 1\n"
FAILS_ON_BAD = """
import base64
def handler(event, context):
    for record in event["Records"]:
        if base64.b64decode(record["kinesis"]["data"]) == b"bad":
            raise ValueError("bad record")
"""


def reserved(aws: Aws) -> Any:
    return aws.functions.get_function_concurrency(FunctionName=NAME).get("ReservedConcurrentExecutions")


def mappings(aws: Aws) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.functions.list_event_source_mappings(FunctionName=NAME)[
        "EventSourceMappings"
    ]
    return sorted(found, key=lambda m: str(m["UUID"]))


def settings(aws: Aws) -> list[dict[str, Any]]:
    hidden = ("LastModified", "StateTransitionReason", "LastProcessingResult")
    return [{k: v for k, v in m.items() if k not in hidden} for m in mappings(aws)]


def url(aws: Aws, queue: str) -> str:
    return str(aws.sqs.get_queue_url(QueueName=queue)["QueueUrl"])


def waiting(aws: Aws, queue: str) -> int:
    attributes = aws.sqs.get_queue_attributes(QueueUrl=url(aws, queue), AttributeNames=["All"])["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def with_dead_letters(aws: Aws, messages: int) -> None:
    """Let `jobs` feed the function; its dead letters lie in `jobs-dlq`."""
    letters = aws.queue("jobs-dlq")
    policy = json.dumps({"deadLetterTargetArn": letters, "maxReceiveCount": 2})
    aws.map_queue(aws.queue("jobs", RedrivePolicy=policy, VisibilityTimeout="1"), NAME)
    for i in range(messages):
        aws.sqs.send_message(QueueUrl=url(aws, "jobs-dlq"), MessageBody=f"m{i}")


async def test_a_queue_fed_function_is_stopped_in_order_and_given_back(
    aws: Aws, mitigation_flow: MitigationFlow
) -> None:
    aws.function(NAME, FINE)
    aws.functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=7)
    aws.map_queue(aws.queue("jobs"), NAME)
    aws.map_queue(aws.queue("more-jobs"), NAME)
    before = settings(aws)
    done = await mitigation_flow.carry_out("throttle_to_zero", NAME, triggers="first")
    assert done.kind == "applied", done.message
    assert ([m["State"] for m in mappings(aws)], reserved(aws)) == (["Disabled", "Disabled"], 0)
    entries = mitigation_flow.journal.read()
    assert [e.mitigation for e in entries] == ["disable_trigger", "disable_trigger", "throttle_to_zero"]
    assert [e.outcome for e in entries] == ["applied"] * 3
    for _ in entries:
        undone = await mitigation_flow.undo()
        assert undone.kind == "applied", undone.message
    wait_for(lambda: settings(aws) == before)
    assert reserved(aws) == 7


def provisioned(aws: Aws) -> dict[str, int]:
    found = aws.functions.list_provisioned_concurrency_configs(FunctionName=NAME)
    return {
        str(c["FunctionArn"]).rsplit(":", 1)[-1]: c["RequestedProvisionedConcurrentExecutions"]
        for c in found["ProvisionedConcurrencyConfigs"]
    }


async def test_a_function_with_provisioned_concurrency_is_stopped_and_given_back(
    aws: Aws, mitigation_flow: MitigationFlow
) -> None:
    aws.function(NAME, FINE)
    for alias in ("live", "next"):
        version = aws.functions.publish_version(FunctionName=NAME, Description=alias)["Version"]
        aws.functions.create_alias(FunctionName=NAME, Name=alias, FunctionVersion=version)
    aws.functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=9)
    for alias, many in (("live", 4), ("next", 2)):
        aws.functions.put_provisioned_concurrency_config(
            FunctionName=NAME, Qualifier=alias, ProvisionedConcurrentExecutions=many
        )
    refused = await mitigation_flow.propose("throttle_to_zero", NAME)
    assert isinstance(refused, Refusal)
    assert refused.alternatives[0].params == {"provisioned": "remove"}
    done = await mitigation_flow.carry_out("throttle_to_zero", NAME, provisioned="remove")
    assert done.kind == "applied", done.message
    assert (provisioned(aws), reserved(aws)) == ({}, 0)
    entries = mitigation_flow.journal.read()
    assert [(e.mitigation, e.outcome) for e in entries] == [("throttle_to_zero", "applied")] * 3
    for _ in entries:
        undone = await mitigation_flow.undo()
        assert undone.kind == "applied", undone.message
    assert (provisioned(aws), reserved(aws)) == ({"live": 4, "next": 2}, 9)


async def test_dead_letters_go_home_and_a_redrive_can_be_stopped(
    aws: Aws, mitigation_flow: MitigationFlow
) -> None:
    aws.function(NAME, FINE)
    with_dead_letters(aws, 12)
    done = await mitigation_flow.carry_out("redrive_dlq", "jobs-dlq", rate="500")
    assert done.kind == "applied", done.message
    wait_for(lambda: aws.counted(NAME)["finished"] >= 12)
    over = await mitigation_flow.executor.proposals.propose_undo(None)
    assert isinstance(over, Refusal)
    assert "COMPLETED" in over.reason
    for i in range(30):
        aws.sqs.send_message(QueueUrl=url(aws, "jobs-dlq"), MessageBody=f"n{i}")
    slow = await mitigation_flow.carry_out("redrive_dlq", "jobs-dlq", rate="5")
    assert slow.kind == "applied", slow.message
    assert slow.entry is not None
    assert slow.entry.seen is not None
    assert slow.entry.seen["move_task"]["handle"], "the handle is in the journal"
    again = await mitigation_flow.propose("redrive_dlq", "jobs-dlq")
    assert isinstance(again, Refusal)
    stopped = await mitigation_flow.undo()
    assert stopped.kind == "applied", stopped.message
    left = wait_for(lambda: waiting(aws, "jobs-dlq"))
    assert 0 < left < 30
    task = aws.sqs.list_message_move_tasks(SourceArn=f"arn:aws:sqs:us-east-1:{aws.demo.account}:jobs-dlq")
    assert task["Results"][0]["Status"] == "CANCELLED"


async def test_a_queue_that_is_nobodys_dead_letters_is_not_redriven(
    aws: Aws, mitigation_flow: MitigationFlow
) -> None:
    aws.queue("plain")
    refused = await mitigation_flow.propose("redrive_dlq", "plain")
    assert isinstance(refused, Refusal)
    assert "is not the DLQ of an SQS queue" in refused.reason


async def test_dead_letters_are_moved_aside(aws: Aws, mitigation_flow: MitigationFlow) -> None:
    aws.function(NAME, FINE)
    with_dead_letters(aws, 5)
    aws.queue("aside")
    done = await mitigation_flow.carry_out("quarantine_queue", "jobs-dlq", to="aside")
    assert done.kind == "applied", done.message
    wait_for(lambda: waiting(aws, "aside") == 5)
    assert waiting(aws, "jobs-dlq") == 0


async def test_a_queue_is_held_and_released(aws: Aws, mitigation_flow: MitigationFlow) -> None:
    aws.function(NAME, FINE)
    with_dead_letters(aws, 0)
    before = settings(aws)
    done = await mitigation_flow.carry_out("quarantine_queue", "jobs", to="nowhere")
    assert done.kind == "applied", done.message
    assert [m["State"] for m in mappings(aws)] == ["Disabled"]
    assert (await mitigation_flow.undo()).kind == "applied"
    wait_for(lambda: settings(aws) == before)


async def test_a_poison_pill_is_skipped_reported_and_the_settings_are_back(
    aws: Aws, mitigation_flow: MitigationFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.function(NAME, FAILS_ON_BAD)
    lost = aws.queue("lost")
    aws.kinesis.create_stream(StreamName="clicks", ShardCount=1)
    arn = f"arn:aws:kinesis:us-east-1:{aws.demo.account}:stream/clicks"
    for data in (b"a", b"bad", b"c"):
        aws.kinesis.put_record(StreamName="clicks", Data=data, PartitionKey="k")
    aws.functions.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=NAME, StartingPosition="TRIM_HORIZON", BatchSize=10
    )
    before = settings(aws)
    aws.finished(NAME, 2)

    async def after_a_try(clock: Clock, closing: asyncio.Event, seconds: float) -> bool:
        """Wait for what a minute holds on AWS, however busy the machine is: a try of what is blocked."""
        before = aws.counted(NAME)["finished"]
        await asyncio.to_thread(
            wait_for, lambda: aws.counted(NAME)["finished"] > before or waiting(aws, "lost") > 0
        )
        return await wait_at_most(clock, closing, seconds)

    monkeypatch.setattr(composite, "wait_at_most", after_a_try)
    done = await mitigation_flow.carry_out("tune_trigger", NAME, skip_poison="yes", on_failure=lost)
    assert done.kind == "applied", done.message
    assert len(done.steps) == 3
    wait_for(lambda: waiting(aws, "lost") == 1)
    (report,) = aws.sqs.receive_message(QueueUrl=url(aws, "lost"))["Messages"]
    assert json.loads(report["Body"])["KinesisBatchInfo"]["batchSize"] == 1
    wait_for(lambda: settings(aws)[0]["State"] == "Enabled")
    (now,), (then,) = settings(aws), before
    assert now["DestinationConfig"]["OnFailure"]["Destination"] == lost
    assert {**now, "DestinationConfig": None} == {**then, "DestinationConfig": None}
    newest = mitigation_flow.journal.read()
    report_step = next(e for e in newest if "on_failure" in e.after)
    undo = await mitigation_flow.executor.proposals.propose_undo(report_step.id)
    back = await mitigation_flow.execute(undo)
    assert back.kind == "applied", back.message
    assert not (settings(aws)[0].get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")


def publish(aws: Aws, code: str) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    aws.functions.update_function_code(FunctionName=NAME, ZipFile=buffer.getvalue())
    version = str(aws.functions.publish_version(FunctionName=NAME)["Version"])
    wait_for(
        lambda: (
            aws.functions.get_function_configuration(FunctionName=NAME, Qualifier=version)["State"]
            == "Active"
        )
    )
    return version


def routing(aws: Aws) -> tuple[str, Any]:
    alias = aws.functions.get_alias(FunctionName=NAME, Name="live")
    return alias["FunctionVersion"], (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}


def answer(aws: Aws) -> Any:
    got = aws.functions.invoke(FunctionName=NAME, Qualifier="live")
    return json.loads(got["Payload"].read())


async def test_an_alias_is_rolled_back_weights_and_all_and_comes_back(
    aws: Aws, mitigation_flow: MitigationFlow
) -> None:
    aws.function(NAME, "def handler(event, context):\n    return 1\n")
    one = publish(aws, "def handler(event, context):\n    return 'good'\n")
    two = publish(aws, "def handler(event, context):\n    return 'bad'\n")
    aws.functions.create_alias(
        FunctionName=NAME,
        Name="live",
        FunctionVersion=two,
        RoutingConfig={"AdditionalVersionWeights": {one: 0.25}},
    )
    done = await mitigation_flow.carry_out("rollback_alias", f"{NAME}:live", version=one)
    assert done.kind == "applied", done.message
    assert routing(aws) == (one, {})
    assert answer(aws) == "good"
    undone = await mitigation_flow.undo()
    assert undone.kind == "applied", undone.message
    assert routing(aws) == (two, {one: 0.25})


async def test_an_alias_that_somebody_touched_since_is_not_overwritten(
    aws: Aws, mitigation_flow: MitigationFlow
) -> None:
    aws.function(NAME, FINE)
    publish(aws, "def handler(event, context):\n    return 'good'\n")
    two = publish(aws, "def handler(event, context):\n    return 'bad'\n")
    aws.functions.create_alias(FunctionName=NAME, Name="live", FunctionVersion=two)
    plan = await mitigation_flow.propose("rollback_alias", NAME)
    aws.functions.update_alias(FunctionName=NAME, Name="live", Description="somebody was here")
    done = await mitigation_flow.execute(plan)
    assert done.kind == "drift", done.message
    assert routing(aws) == (two, {})


@pytest.mark.parametrize("bus", ["default", "shop"])
async def test_a_rule_is_switched_off_and_on(aws: Aws, mitigation_flow: MitigationFlow, bus: str) -> None:
    aws.function(NAME, FINE)
    arn = f"arn:aws:lambda:us-east-1:{aws.demo.account}:function:{NAME}"
    if bus != "default":
        aws.events.create_event_bus(Name=bus)
    rule = {"Name": "orders", "EventBusName": bus}
    aws.events.put_rule(**rule, EventPattern='{"source": ["shop"]}')
    aws.events.put_targets(Rule="orders", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    function = await mitigation_flow.backend.reader.find(NAME, ("function",))
    (key,) = (await mitigation_flow.backend.reader.related(function, "rule")).keys
    assert key.id == f"{bus}/orders"
    before = aws.events.describe_rule(**rule)
    done = await mitigation_flow.carry_out("disable_rule", NAME)
    assert done.kind == "applied", done.message
    assert aws.events.describe_rule(**rule)["State"] == "DISABLED"
    undone = await mitigation_flow.undo()
    assert undone.kind == "applied", undone.message
    after = aws.events.describe_rule(**rule)
    hidden = "ResponseMetadata"
    assert {k: v for k, v in after.items() if k != hidden} == {k: v for k, v in before.items() if k != hidden}
    aws.events.put_events(
        Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}", "EventBusName": bus}]
    )
    aws.finished(NAME, 1)
