from __future__ import annotations

import json
from typing import Any

import pytest
from demo.clients import Aws, wait_for

pytestmark = pytest.mark.wire

FAIL = "def handler(event, context):\n    raise RuntimeError('no')\n"


def _receive(aws: Aws, queue: str) -> dict[str, Any]:
    def ask() -> list[dict[str, Any]]:
        answer = aws.sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=1)
        return list(answer.get("Messages", []))

    return wait_for(ask)[0]


def test_three_attempts_share_one_request_id_and_end_in_the_dead_letter_queue(aws: Aws) -> None:
    target = aws.queue("letters")
    aws.function("mailer", FAIL, DeadLetterConfig={"TargetArn": target})
    aws.invoke("mailer", {"letter": 1}, "Event")
    letter = _receive(aws, "letters")
    counted = aws.counted("mailer")
    assert list(counted["requests"].values()) == [3]
    [request_id] = counted["requests"]
    assert json.loads(letter["Body"]) == {"letter": 1}
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "no"}
    starts = [e for e in aws.log("/aws/lambda/mailer") if e["message"].startswith("START")]
    assert {e["message"] for e in starts} == {f"START RequestId: {request_id} Version: $LATEST"}
    assert len(starts) == 3


def test_asynchronous_metrics(aws: Aws) -> None:
    aws.function("mailer", FAIL)
    for _ in range(2):
        aws.invoke("mailer", kind="Event")
    wait_for(lambda: aws.counted("mailer").get("async_dropped") == 2)
    assert aws.total("AsyncEventsReceived", "mailer") == 2
    assert sum(aws.metric("AWS/Lambda", "AsyncEventAge", "SampleCount", FunctionName="mailer")) == 6
    assert max(aws.metric("AWS/Lambda", "AsyncEventAge", "Maximum", FunctionName="mailer")) >= 300
    assert aws.total("AsyncEventsDropped", "mailer") == 2
    assert aws.total("Invocations", "mailer") == 6


def test_a_failure_destination_gets_the_envelope(aws: Aws) -> None:
    target = aws.queue("failures")
    aws.function("mailer", FAIL)
    aws.functions.put_function_event_invoke_config(
        FunctionName="mailer",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": target}},
    )
    aws.invoke("mailer", {"letter": 1}, "Event")
    envelope = json.loads(_receive(aws, "failures")["Body"])
    context = envelope["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", 1)
    assert context["requestId"] in aws.counted("mailer")["requests"]
    assert envelope["requestPayload"] == {"letter": 1}
    assert envelope["responsePayload"]["errorType"] == "RuntimeError"


def test_at_zero_an_event_is_handed_over_without_an_attempt_or_a_throttle(aws: Aws) -> None:
    target = aws.queue("letters")
    aws.function("mailer", FAIL, DeadLetterConfig={"TargetArn": target})
    aws.functions.put_function_concurrency(FunctionName="mailer", ReservedConcurrentExecutions=0)
    aws.invoke("mailer", {"letter": 1}, "Event")
    letter = _receive(aws, "letters")
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"
    counted = aws.counted("mailer")
    assert (counted["started"], counted["throttles"], counted["async_dropped"]) == (0, 0, 1)


def test_a_missing_dead_letter_queue_is_an_error_of_its_own(aws: Aws) -> None:
    target = aws.queue("letters")
    aws.function("mailer", FAIL, DeadLetterConfig={"TargetArn": target})
    aws.sqs.delete_queue(QueueUrl="letters")
    aws.invoke("mailer", kind="Event")
    wait_for(lambda: aws.counted("mailer").get("dead_letter_errors") == 1)
    assert aws.total("DeadLetterErrors", "mailer") == 1
