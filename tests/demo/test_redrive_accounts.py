"""What a redrive does to counters, receive counts and queues that share a dead-letter queue.

Each test has queues of its own names: the emulator's tasks outlive a reset.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws, wait_for

pytestmark = pytest.mark.wire


def _feeding(aws: Aws, name: str, dead_letter_arn: str) -> str:
    policy = json.dumps({"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": 1})
    return aws.queue(name, RedrivePolicy=policy)


def _code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"]).rsplit(".", 1)[-1]


def _tasks(aws: Aws, arn: str, most: int = 10) -> list[dict[str, Any]]:
    answer = aws.sqs.list_message_move_tasks(SourceArn=arn, MaxResults=most)
    return list(answer.get("Results", []))


def _receive(aws: Aws, queue: str, **settings: Any) -> list[dict[str, Any]]:
    answer = aws.sqs.receive_message(QueueUrl=queue, AttributeNames=["All"], **settings)
    return list(answer.get("Messages", []))


def _expire(aws: Aws, queue: str) -> dict[str, Any]:
    """Receive the only message once, and once too often; return it as it was the first time."""
    [first] = _receive(aws, queue, VisibilityTimeout=0)
    assert _receive(aws, queue) == []
    return first


def test_a_redriven_message_begins_anew_and_is_counted_at_both_ends(aws: Aws) -> None:
    dead = aws.queue("jobs-dlq")
    _feeding(aws, "jobs", dead)
    aws.sqs.send_message(QueueUrl="jobs", MessageBody="late")
    _expire(aws, "jobs")
    before = aws.demo.ledger()["queues"]
    assert (before["jobs"]["moved_to_dlq"], before["jobs-dlq"]["arrived_by_redrive"]) == (1, 1)
    aws.sqs.start_message_move_task(SourceArn=dead, MaxNumberOfMessagesPerSecond=500)
    wait_for(lambda: _tasks(aws, dead)[0]["Status"] == "COMPLETED")
    [again] = _receive(aws, "jobs")
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("late", "1")
    after = aws.demo.ledger()["queues"]
    assert (after["jobs-dlq"]["received"], after["jobs-dlq"]["deleted"]) == (1, 1)
    assert after["jobs"]["sent"] == before["jobs"]["sent"] + 1
    for name, queue, count in (
        ("NumberOfMessagesReceived", "jobs-dlq", 1),
        ("NumberOfMessagesDeleted", "jobs-dlq", 1),
        ("NumberOfMessagesSent", "jobs-dlq", 0),
        ("NumberOfMessagesSent", "jobs", 2),
    ):
        assert sum(aws.metric("AWS/SQS", name, QueueName=queue)) == count, (name, queue)


def test_of_two_sources_somebody_has_to_choose(aws: Aws) -> None:
    dead = aws.queue("shared-dlq")
    _feeding(aws, "one", dead)
    two = _feeding(aws, "two", dead)
    aws.sqs.send_message(QueueUrl="shared-dlq", MessageBody="whose?")
    # Sent there by hand, it has no source. (SQS starts the task and lets it fail for this reason.)
    with pytest.raises(ClientError) as refused:
        aws.sqs.start_message_move_task(SourceArn=dead)
    assert _code(refused) == "CouldNotDetermineMessageSource"
    assert _tasks(aws, dead) == []
    with pytest.raises(ClientError) as refused:
        aws.sqs.start_message_move_task(SourceArn=dead, DestinationArn=two + "-gone")
    assert _code(refused) == "ResourceNotFoundException"
    aws.sqs.start_message_move_task(SourceArn=dead, DestinationArn=two)
    wait_for(lambda: _tasks(aws, dead)[0]["Status"] == "COMPLETED")
    assert _tasks(aws, dead)[0]["DestinationArn"] == two
    assert [message["Body"] for message in _receive(aws, "two")] == ["whose?"]
    assert _receive(aws, "one") == []


def test_tasks_are_listed_newest_first_and_a_running_one_tells_how_far_it_is(aws: Aws) -> None:
    dead = aws.queue("slow-dlq")
    source = _feeding(aws, "slow", dead)
    aws.sqs.start_message_move_task(SourceArn=dead)
    wait_for(lambda: _tasks(aws, dead)[0]["Status"] == "COMPLETED")
    for body in "abc":
        aws.sqs.send_message(QueueUrl="slow-dlq", MessageBody=body)
    handle = aws.sqs.start_message_move_task(SourceArn=dead, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    newest = wait_for(lambda: [t for t in _tasks(aws, dead) if t.get("ApproximateNumberOfMessagesMoved")])[0]
    assert (newest["Status"], newest["TaskHandle"]) == ("RUNNING", handle)
    # One a second: the other two cannot have followed the first between two calls.
    assert newest["ApproximateNumberOfMessagesMoved"] < newest["ApproximateNumberOfMessagesToMove"] == 3
    assert [t["Status"] for t in _tasks(aws, dead)] == ["RUNNING", "COMPLETED"]
    assert len(_tasks(aws, dead, 1)) == 1
    assert aws.sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] < 3
    wait_for(lambda: _tasks(aws, dead)[0]["Status"] == "CANCELLED")
    with pytest.raises(ClientError) as refused:
        aws.sqs.list_message_move_tasks(SourceArn=source)
    assert _code(refused) == "InvalidParameterValue"


def test_a_redriven_message_is_a_new_message(aws: Aws) -> None:
    """SQS: "redriven messages are considered new messages with a new messageID and enqueueTime"."""
    dead = aws.queue("fresh-dlq")
    _feeding(aws, "fresh", dead)
    aws.sqs.send_message(QueueUrl="fresh", MessageBody="x")
    first = _expire(aws, "fresh")
    aws.sqs.start_message_move_task(SourceArn=dead)
    [again] = wait_for(lambda: _receive(aws, "fresh"))
    assert again["MessageId"] != first["MessageId"]
    stamps = ("SentTimestamp", "ApproximateFirstReceiveTimestamp")
    assert all(int(again["Attributes"][name]) > int(first["Attributes"][name]) for name in stamps)


def test_messages_of_two_sources_go_back_to_where_each_came_from(aws: Aws) -> None:
    dead = aws.queue("common-dlq")
    for name in ("left", "right"):
        _feeding(aws, name, dead)
        aws.sqs.send_message(QueueUrl=name, MessageBody=f"from {name}")
        _expire(aws, name)
    aws.sqs.start_message_move_task(SourceArn=dead)
    wait_for(lambda: _tasks(aws, dead)[0]["Status"] == "COMPLETED")
    for name in ("left", "right"):
        assert [message["Body"] for message in _receive(aws, name)] == [f"from {name}"]


def test_a_reset_forgets_tasks(aws: Aws) -> None:
    dead = aws.queue("gone-dlq")
    _feeding(aws, "gone", dead)
    for body in "ab":
        aws.sqs.send_message(QueueUrl="gone-dlq", MessageBody=body)
    handle = aws.sqs.start_message_move_task(SourceArn=dead, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    aws.demo.reset()
    _feeding(aws, "gone", aws.queue("gone-dlq"))
    left = _tasks(aws, dead)
    if left:
        aws.sqs.cancel_message_move_task(TaskHandle=handle)
    assert left == []
