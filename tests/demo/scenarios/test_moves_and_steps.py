"""Redrives, stopped loops, log volume, and what somebody does during a scenario."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws, wait_for

from lambdatop.demo.process.deploy import Deployment
from lambdatop.demo.process.http_client import Wire
from lambdatop.demo.process.script import Steps
from lambdatop.demo.scenarios import Scenario
from lambdatop.demo.scenarios.model import FunctionSpec, QueueSpec, Step

pytestmark = pytest.mark.wire


@pytest.fixture
def letters(aws: Aws) -> tuple[str, str]:
    """Create a queue and its dead-letter queue with five messages; return their ARNs."""
    dlq = aws.queue("letters-dlq")
    policy = json.dumps({"deadLetterTargetArn": dlq, "maxReceiveCount": 3})
    source = aws.queue("letters", RedrivePolicy=policy)
    for number in range(5):
        aws.sqs.send_message(QueueUrl=url(aws, "letters-dlq"), MessageBody=str(number))
    return source, dlq


def url(aws: Aws, name: str) -> str:
    return str(aws.sqs.get_queue_url(QueueName=name)["QueueUrl"])


def waiting(aws: Aws, name: str) -> int:
    names = ["ApproximateNumberOfMessages"]
    answer = aws.sqs.get_queue_attributes(QueueUrl=url(aws, name), AttributeNames=names)
    return int(answer["Attributes"][names[0]])


def newest(aws: Aws, arn: str) -> dict[str, Any]:
    task: dict[str, Any] = aws.sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"][0]
    return task


def test_a_redrive_moves_everything_back(aws: Aws, letters: tuple[str, str]) -> None:
    _, dlq = letters
    assert aws.sqs.list_message_move_tasks(SourceArn=dlq).get("Results", []) == []
    aws.sqs.start_message_move_task(SourceArn=dlq, MaxNumberOfMessagesPerSecond=100)
    wait_for(lambda: newest(aws, dlq)["Status"] == "COMPLETED")
    done = newest(aws, dlq)
    assert (done["ApproximateNumberOfMessagesMoved"], done["MaxNumberOfMessagesPerSecond"]) == (5, 100)
    assert "TaskHandle" not in done
    assert (waiting(aws, "letters"), waiting(aws, "letters-dlq")) == (5, 0)
    received = aws.sqs.receive_message(QueueUrl=url(aws, "letters"), MaxNumberOfMessages=10)["Messages"]
    assert sorted(m["Body"] for m in received) == ["0", "1", "2", "3", "4"]


def test_a_redrive_can_be_cancelled_and_only_one_runs(aws: Aws, letters: tuple[str, str]) -> None:
    _, dlq = letters
    handle = aws.sqs.start_message_move_task(SourceArn=dlq, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    assert newest(aws, dlq)["TaskHandle"] == handle
    with pytest.raises(ClientError, match="already a task running"):
        aws.sqs.start_message_move_task(SourceArn=dlq)
    aws.sqs.cancel_message_move_task(TaskHandle=handle)
    wait_for(lambda: newest(aws, dlq)["Status"] == "CANCELLED")
    assert waiting(aws, "letters") + waiting(aws, "letters-dlq") == 5
    assert waiting(aws, "letters-dlq") > 0
    with pytest.raises(ClientError, match="Task does not exist"):
        aws.sqs.cancel_message_move_task(TaskHandle=handle)


def test_what_sqs_refuses_to_redrive(aws: Aws, letters: tuple[str, str]) -> None:
    source, dlq = letters
    with pytest.raises(ClientError, match="configured as a Dead Letter Queue"):
        aws.sqs.start_message_move_task(SourceArn=source)
    with pytest.raises(ClientError, match="does not exist"):
        aws.sqs.start_message_move_task(SourceArn=dlq + "-gone")
    with pytest.raises(ClientError, match="not between 1 and 500"):
        aws.sqs.start_message_move_task(SourceArn=dlq, MaxNumberOfMessagesPerSecond=501)


def test_a_chain_that_lambda_stops_is_counted(aws: Aws) -> None:
    """The function passes on how deep it is, as today's SDKs do; Lambda stops it after 16 hops."""
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('lambda').invoke(FunctionName=context.function_name, InvocationType='Event')\n"
    )
    aws.function("looper", source, Timeout=20, MemorySize=512)
    aws.functions.invoke(FunctionName="looper", InvocationType="Event")
    wait_for(lambda: aws.counted("looper").get("loops_stopped"))
    dropped = aws.metric("AWS/Lambda", "RecursiveInvocationsDropped", FunctionName="looper")
    assert sum(dropped) >= 1
    assert aws.counted("looper")["started"] <= 20


def test_the_volume_of_a_log_is_a_metric(aws: Aws) -> None:
    code = "def handler(event, context):\n    print('x' * 10_000)\n"
    aws.invoke(aws.function("talker", code))
    [size] = aws.metric("AWS/Logs", "IncomingBytes", LogGroupName="/aws/lambda/talker")
    assert 10_000 < size < 12_000


SHOP = Scenario(
    name="shop",
    title="",
    story="",
    look_for=(),
    queues=(QueueSpec("parcels-dlq"), QueueSpec("parcels", dead_letter="parcels-dlq")),
    functions=(FunctionSpec("pricing-api", "Answers price requests"),),
)


def parcel(number: int, dice: random.Random) -> dict[str, Any]:
    return {"parcel": number, "weight": dice.randint(1, 9)}


def test_somebody_deploys_seeds_and_redrives(aws: Aws) -> None:
    port = int(aws.demo.endpoint_url.rsplit(":", 1)[1])
    wire = Wire(port, aws.demo.account, aws.demo.region, aws.demo.session_token)
    try:
        _deploy_and_step(aws, wire)
    finally:
        wire.close()


def _deploy_and_step(aws: Aws, wire: Wire) -> None:
    Deployment(wire, SHOP).run()
    steps = Steps(wire, SHOP, 12)
    before = aws.functions.get_function_configuration(FunctionName="pricing-api")["CodeSha256"]
    steps.take(Step(0, "deploy", "pricing-api"))
    first = aws.functions.get_function_configuration(FunctionName="pricing-api")["CodeSha256"]
    steps.take(Step(1, "deploy", "pricing-api"))
    second = aws.functions.get_function_configuration(FunctionName="pricing-api")["CodeSha256"]
    assert len({before, first, second}) == 3
    assert "FunctionError" not in aws.invoke("pricing-api", {"sku": "a", "quantity": 1})
    steps.take(Step(2, "seed", "parcels-dlq", 2, parcel))
    assert waiting(aws, "parcels-dlq") == 2
    steps.take(Step(3, "redrive", "parcels-dlq"))
    wait_for(lambda: waiting(aws, "parcels") == 2)
