from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws, wait_for

pytestmark = pytest.mark.wire

ECHO = "def handler(event, context):\n    return len(event['Records'])\n"
POISON = (
    "def handler(event, context):\n"
    "    for record in event['Records']:\n"
    "        if record['body'] == 'poison':\n"
    "            raise ValueError('poison')\n"
)


def _sum(aws: Aws, name: str, queue: str) -> float:
    return sum(aws.metric("AWS/SQS", name, QueueName=queue))


def test_counters_and_metrics_agree(aws: Aws) -> None:
    aws.queue("jobs")
    for number in range(5):
        aws.sqs.send_message(QueueUrl="jobs", MessageBody=str(number))
    entries = [{"Id": str(n), "MessageBody": "x"} for n in range(3)]
    aws.sqs.send_message_batch(QueueUrl="jobs", Entries=entries)
    got = aws.sqs.receive_message(QueueUrl="jobs", MaxNumberOfMessages=4)["Messages"]
    aws.sqs.delete_message(QueueUrl="jobs", ReceiptHandle=got[0]["ReceiptHandle"])
    batch = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(got[1:3])]
    aws.sqs.delete_message_batch(QueueUrl="jobs", Entries=batch)
    counted = aws.demo.ledger()["queues"]["jobs"]
    assert (counted["sent"], counted["received"], counted["deleted"]) == (8, 4, 3)
    assert _sum(aws, "NumberOfMessagesSent", "jobs") == 8
    assert _sum(aws, "NumberOfMessagesReceived", "jobs") == 4
    assert _sum(aws, "NumberOfMessagesDeleted", "jobs") == 3
    in_flight = "ApproximateNumberOfMessagesNotVisible"
    wait_for(lambda: 1 in aws.metric("AWS/SQS", in_flight, "Minimum", QueueName="jobs")[:1] or _depth(aws, 1))
    assert max(aws.metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName="jobs")) >= 4
    assert max(aws.metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName="jobs")) > 0


def _depth(aws: Aws, in_flight: int) -> bool:
    return bool(aws.demo.ledger()["queues"]["jobs"]["in_flight"] == in_flight)


def test_a_dead_letter_queue_knows_its_sources(aws: Aws) -> None:
    policy = json.dumps({"deadLetterTargetArn": aws.queue("jobs-dlq"), "maxReceiveCount": 3})
    aws.queue("jobs", RedrivePolicy=policy)
    aws.queue("other")
    urls = aws.sqs.list_dead_letter_source_queues(QueueUrl="jobs-dlq")["queueUrls"]
    assert [url.rsplit("/", 1)[-1] for url in urls] == ["jobs"]


def test_an_empty_receive_is_counted(aws: Aws) -> None:
    aws.queue("jobs")
    aws.sqs.receive_message(QueueUrl="jobs")
    assert _sum(aws, "NumberOfEmptyReceives", "jobs") == 1


def test_poison_ends_in_the_dead_letter_queue_after_its_receives(aws: Aws) -> None:
    target = aws.queue("jobs-dlq")
    policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 3})
    source = aws.queue("jobs", VisibilityTimeout="1", RedrivePolicy=policy)
    aws.map_queue(source, aws.function("worker", POISON, Timeout=1))
    for body in ("poison", "a", "b", "c"):
        aws.sqs.send_message(QueueUrl="jobs", MessageBody=body)
    wait_for(lambda: aws.demo.ledger()["queues"]["jobs"]["moved_to_dlq"] == 1)
    counted = aws.demo.ledger()["queues"]
    received = counted["jobs"]["received"]
    # Three of them the poison; a good one comes again where a busy machine takes longer for it than a second.
    assert received >= 6
    assert counted["jobs"]["deleted"] == 3
    assert counted["jobs-dlq"]["arrived_by_redrive"] == 1
    assert _sum(aws, "NumberOfMessagesSent", "jobs-dlq") == 0
    worker = aws.counted("worker")
    assert (worker["started"], worker["errors"], worker["by_source"]) == (received, 3, {"sqs": received})
    assert (aws.total("Invocations", "worker"), aws.total("Errors", "worker")) == (received, 3)
    assert wait_for(lambda: aws.demo.ledger()["queues"]["jobs-dlq"]["visible"] == 1)


def test_concurrency_zero_stops_executions_and_undo_resumes_them(aws: Aws) -> None:
    source = aws.queue("jobs", VisibilityTimeout="5")
    aws.map_queue(source, aws.function("worker", ECHO))
    aws.sqs.send_message(QueueUrl="jobs", MessageBody="1")
    aws.finished("worker", 1)
    aws.functions.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=0)
    aws.sqs.send_message(QueueUrl="jobs", MessageBody="2")
    wait_for(lambda: aws.demo.ledger()["queues"]["jobs"]["visible"] == 1)
    assert aws.counted("worker")["started"] == 1
    aws.functions.delete_function_concurrency(FunctionName="worker")
    assert aws.finished("worker", 2)["started"] == 2


def test_a_second_purge_within_a_minute_is_refused(aws: Aws) -> None:
    aws.queue("jobs")
    aws.sqs.send_message(QueueUrl="jobs", MessageBody="x")
    aws.sqs.purge_queue(QueueUrl="jobs")
    assert aws.demo.ledger()["queues"]["jobs"]["purged"] == 1
    with pytest.raises(ClientError) as refused:
        aws.sqs.purge_queue(QueueUrl="jobs")
    assert refused.value.response["Error"]["Code"] == "AWS.SimpleQueueService.PurgeQueueInProgress"


def test_a_reset_clears_resources_and_ledger(aws: Aws) -> None:
    aws.queue("jobs")
    aws.sqs.purge_queue(QueueUrl="jobs")
    aws.invoke(aws.function("echo", "def handler(event, context):\n    pass\n"))
    aws.demo.reset()
    ledger = aws.demo.ledger()
    assert (ledger["functions"], ledger["queues"], ledger["streams"]) == ({}, {}, {})
    assert aws.cloudwatch.list_metrics(Namespace="AWS/Lambda")["Metrics"] == []
    aws.queue("jobs")
    aws.sqs.purge_queue(QueueUrl="jobs")
