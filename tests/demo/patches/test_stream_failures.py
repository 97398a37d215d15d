"""What a stream's mapping does with a batch that fails, over the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from demo.clients import Aws, wait_for

from lambdatop.demo.process.launch import start

pytestmark = pytest.mark.wire

# Fails on every batch that holds the record "bad", and writes down what it was given.
PICKY = (
    "import base64\n"
    "def handler(event, context):\n"
    "    words = []\n"
    "    for r in event['Records']:\n"
    "        k = r.get('kinesis')\n"
    "        words.append(base64.b64decode(k['data']).decode() if k else r['dynamodb']['Keys']['id']['S'])\n"
    "    print('given', ' '.join(words))\n"
    "    if 'bad' in words:\n"
    "        raise ValueError('bad')\n"
)


def _stream(aws: Aws, shards: int = 1) -> str:
    aws.kinesis.create_stream(StreamName="feed", ShardCount=shards)
    summary = wait_for(
        lambda: aws.kinesis.describe_stream_summary(StreamName="feed")["StreamDescriptionSummary"]
    )
    return str(summary["StreamARN"])


def _put(aws: Aws, *words: str) -> None:
    records = [{"Data": word.encode(), "PartitionKey": "p"} for word in words]
    aws.kinesis.put_records(StreamName="feed", Records=records)


def _map(aws: Aws, arn: str, **settings: Any) -> str:
    aws.function("picky", PICKY)
    answer = aws.functions.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="picky", StartingPosition="TRIM_HORIZON", BatchSize=4, **settings
    )
    return str(answer["UUID"])


def _given(aws: Aws) -> list[str]:
    """Return what the function was given so far, one entry per execution."""
    if not aws.counted("picky")["finished"]:
        return []
    lines = [event["message"].strip() for event in aws.log("/aws/lambda/picky")]
    return [line.removeprefix("given ") for line in lines if line.startswith("given ")]


def _wait_until_given(aws: Aws, words: str) -> list[str]:
    wait_for(lambda: words in _given(aws))
    return _given(aws)


def _letters(aws: Aws, queue: str) -> list[dict[str, Any]]:
    answer = aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def _destination(arn: str) -> dict[str, Any]:
    return {"OnFailure": {"Destination": arn}}


def test_retries_used_up_the_batch_is_recorded_and_passed(aws: Aws) -> None:
    arn, queue = _stream(aws), aws.queue("given-up")
    _put(aws, "a", "bad", "b", "c", "after")
    _map(aws, arn, MaximumRetryAttempts=1, DestinationConfig=_destination(queue))
    assert _wait_until_given(aws, "after") == ["a bad b c", "a bad b c", "after"]
    [record] = _letters(aws, "given-up")
    context, batch = record["requestContext"], record["KinesisBatchInfo"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetryAttemptsExhausted", 2)
    assert context["functionArn"].endswith(":function:picky")
    assert context["requestId"] in aws.counted("picky")["requests"]
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["version"] == "1.0"
    assert (batch["batchSize"], batch["streamArn"]) == (4, arn)
    assert batch["shardId"] == "shardId-000000000000"
    assert batch["startSequenceNumber"] < batch["endSequenceNumber"]
    assert batch["approximateArrivalOfFirstRecord"].endswith("Z")
    assert not re.search(r"\bbad\b|YmFk", json.dumps(record))  # no record itself, nor in base64


def test_bisecting_closes_in_on_the_bad_record_alone(aws: Aws) -> None:
    arn, queue = _stream(aws), aws.queue("given-up")
    _put(aws, "a", "b", "bad", "c", "after")
    _map(
        aws,
        arn,
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        DestinationConfig=_destination(queue),
    )
    given = _wait_until_given(aws, "after")
    assert given == ["a b bad c", "a b", "bad c", "bad", "bad", "c", "after"]
    [record] = _letters(aws, "given-up")
    assert record["KinesisBatchInfo"]["batchSize"] == 1
    assert record["requestContext"]["approximateInvokeCount"] == 2


def test_a_blocked_batch_is_freed_by_an_update_and_the_age_falls(aws: Aws) -> None:
    uuid = _map(aws, _stream(aws))
    queue = aws.queue("given-up")
    _put(aws, "bad")
    aws.finished("picky", 3)
    assert set(_given(aws)) == {"bad"}
    aws.functions.update_event_source_mapping(
        UUID=uuid,
        MaximumRetryAttempts=0,
        BisectBatchOnFunctionError=True,
        DestinationConfig=_destination(queue),
    )
    [record] = wait_for(lambda: _letters(aws, "given-up"))
    assert record["requestContext"]["approximateInvokeCount"] > 3
    [blocked, *_] = aws.metric("AWS/Lambda", "IteratorAge", "Maximum", FunctionName="picky")
    before = aws.total("IteratorAge", "picky")
    _put(aws, "after")
    _wait_until_given(aws, "after")
    assert 0 < aws.total("IteratorAge", "picky") - before < blocked


def test_an_update_merges_and_an_empty_destination_is_none(aws: Aws) -> None:
    uuid, queue = _map(aws, _stream(aws)), aws.queue("given-up")
    read, update = aws.functions.get_event_source_mapping, aws.functions.update_event_source_mapping

    def settings() -> tuple[Any, ...]:
        m = wait_for(lambda: (m := read(UUID=uuid)) and m["State"] == "Enabled" and m)
        return m["MaximumRetryAttempts"], m["BisectBatchOnFunctionError"], m["DestinationConfig"]

    assert settings() == (-1, False, {"OnFailure": {}})
    update(UUID=uuid, MaximumRetryAttempts=3, DestinationConfig=_destination(queue))
    assert settings() == (3, False, _destination(queue))
    update(UUID=uuid, BisectBatchOnFunctionError=True)
    assert settings() == (3, True, _destination(queue))
    update(UUID=uuid, DestinationConfig={"OnFailure": {}})
    assert settings() == (3, True, {"OnFailure": {}})


def test_a_throttle_uses_up_no_retry(aws: Aws) -> None:
    arn = _stream(aws)
    aws.function("picky", PICKY)
    aws.functions.put_function_concurrency(FunctionName="picky", ReservedConcurrentExecutions=0)
    aws.functions.create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName="picky",
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=0,
        BisectBatchOnFunctionError=True,
    )
    _put(aws, "a", "b")
    wait_for(lambda: aws.counted("picky").get("throttles", 0) >= 2)
    aws.functions.delete_function_concurrency(FunctionName="picky")
    assert _wait_until_given(aws, "a b") == ["a b"]


def test_a_missing_destination_is_counted_and_the_shard_goes_on(aws: Aws) -> None:
    arn, queue = _stream(aws), aws.queue("given-up")
    _map(aws, arn, MaximumRetryAttempts=0, DestinationConfig=_destination(queue))
    aws.sqs.delete_queue(QueueUrl="given-up")
    _put(aws, "bad")
    wait_for(lambda: aws.counted("picky").get("destination_failures") == 1)
    _put(aws, "after")
    _wait_until_given(aws, "after")


def test_a_stuck_shard_does_not_hold_up_its_sister(aws: Aws) -> None:
    arn = _stream(aws, shards=2)
    _map(aws, arn)
    top = str(2**128 - 1)
    aws.kinesis.put_record(StreamName="feed", Data=b"bad", PartitionKey="p", ExplicitHashKey="0")
    aws.finished("picky", 2)
    for word in (b"x", b"y"):
        aws.kinesis.put_record(StreamName="feed", Data=word, PartitionKey="p", ExplicitHashKey=top)
    wait_for(lambda: "y" in " ".join(_given(aws)))


def test_a_table_s_stream_honours_the_same_settings(aws: Aws) -> None:
    table = aws.dynamodb.create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    queue = aws.queue("given-up")
    for key in ("a", "bad", "b"):
        aws.dynamodb.put_item(TableName="rows", Item={"id": {"S": key}})
    arn = table["LatestStreamArn"]
    _map(
        aws,
        arn,
        MaximumRetryAttempts=0,
        BisectBatchOnFunctionError=True,
        DestinationConfig=_destination(queue),
    )
    assert _wait_until_given(aws, "b") == ["a bad b", "a", "bad b", "bad", "b"]
    [record] = _letters(aws, "given-up")
    assert record["DDBStreamBatchInfo"]["batchSize"] == 1
    assert record["DDBStreamBatchInfo"]["streamArn"] == arn


@pytest.fixture
def hasty() -> Iterator[Aws]:
    """Yield an emulator whose minutes pass in a second: AWS's least record age is one minute."""
    with start(deploy=False, compression=60) as demo:
        aws = Aws(demo)
        yield aws
        aws.close()


def test_a_batch_that_is_too_old_is_given_up_even_while_throttled(hasty: Aws) -> None:
    aws, queue = hasty, hasty.queue("given-up")
    arn = _stream(aws)
    aws.function("picky", PICKY)
    aws.functions.put_function_concurrency(FunctionName="picky", ReservedConcurrentExecutions=0)
    aws.functions.create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName="picky",
        StartingPosition="TRIM_HORIZON",
        MaximumRecordAgeInSeconds=60,
        DestinationConfig=_destination(queue),
    )
    _put(aws, "a")
    [record] = wait_for(lambda: _letters(aws, "given-up"))
    context = record["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RecordAgeExceeded", 0)
    assert "responseContext" not in record
    assert aws.counted("picky")["started"] == 0
