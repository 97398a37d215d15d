from __future__ import annotations

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws

pytestmark = pytest.mark.wire

ECHO = "def handler(event, context):\n    print('got', event)\n    return event\n"
FAIL = "def handler(event, context):\n    print('before')\n    raise ValueError('order 4711: unknown')\n"


def test_the_ledger_agrees_with_the_metrics(aws: Aws) -> None:
    good, bad = aws.function("good", ECHO), aws.function("bad", FAIL)
    for _ in range(5):
        aws.invoke(good, {"a": 1})
    for _ in range(3):
        aws.invoke(bad)
    counted = aws.demo.ledger()["functions"]
    assert (counted["good"]["started"], counted["good"]["errors"], counted["bad"]["errors"]) == (5, 0, 3)
    assert counted["good"]["by_source"] == {"sync": 5}
    assert (aws.total("Invocations", good), aws.total("Errors", good)) == (5, 0)
    assert (aws.total("Invocations", bad), aws.total("Errors", bad)) == (3, 3)
    assert aws.total("Throttles", good) == 0
    assert sum(aws.metric("AWS/Lambda", "Invocations")) == 8
    assert sum(aws.metric("AWS/Lambda", "Duration", "SampleCount", FunctionName=good)) == 5
    assert 0 < max(aws.metric("AWS/Lambda", "Duration", "p99", FunctionName=good)) < 1000
    assert max(aws.metric("AWS/Lambda", "ConcurrentExecutions", "Maximum")) == 1


def test_an_idle_function_publishes_nothing(aws: Aws) -> None:
    aws.function("idle", ECHO)
    assert aws.metric("AWS/Lambda", "Invocations", FunctionName="idle") == []


def test_the_log_of_two_runs_in_one_environment(aws: Aws) -> None:
    aws.invoke(aws.function("echo", ECHO), {"a": 1})
    aws.invoke("echo", {"a": 2})
    events = aws.log("/aws/lambda/echo")
    assert [e["message"].split()[0] for e in events] == [
        *("INIT_START", "START", "got", "END", "REPORT"),
        *("START", "got", "END", "REPORT"),
    ]
    [stream] = {e["logStreamName"] for e in events}
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    cold, warm = (e["message"] for e in events if e["message"].startswith("REPORT"))
    assert "Init Duration: " in cold
    assert "Init Duration: " not in warm
    assert re.search(r"Max Memory Used: [1-9]\d* MB", warm)
    assert len({e["eventId"] for e in events}) == len(events)


def test_an_exception_is_one_event_and_leaves_the_environment_warm(aws: Aws) -> None:
    answer = aws.invoke(aws.function("bad", FAIL))
    assert answer["FunctionError"] == "Unhandled"
    body = json.loads(answer["Payload"].read())
    assert (body["errorType"], body["errorMessage"]) == ("ValueError", "order 4711: unknown")
    assert body["stackTrace"][0].startswith('  File "/var/task/app.py", line 3, in handler')
    aws.invoke("bad")
    messages = [e["message"] for e in aws.log("/aws/lambda/bad")]
    errors = [m for m in messages if m.startswith("[ERROR]")]
    assert len(errors) == 2
    assert errors[0].startswith(
        "[ERROR] ValueError: order 4711: unknown\nTraceback (most recent call last):\n"
    )
    assert sum(m.startswith("INIT_START") for m in messages) == 1
    assert aws.counted("bad")["cold_starts"] == 1


def test_a_timeout(aws: Aws) -> None:
    code = "import time\ndef handler(event, context):\n    print('sleeping')\n    time.sleep(30)\n"
    answer = aws.invoke(aws.function("slow", code, Timeout=1))
    body = json.loads(answer["Payload"].read())
    assert body["errorType"] == "Sandbox.Timedout"
    assert body["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    report = aws.log("/aws/lambda/slow")[-1]["message"]
    assert "Duration: 1000.00 ms" in report
    assert "\tStatus: timeout" in report
    counted = aws.counted("slow")
    assert (counted["errors"], counted["timeouts"]) == (1, 1)
    assert aws.metric("AWS/Lambda", "Duration", "Maximum", FunctionName="slow") == [1000]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import no_such_module\n", "Runtime.ImportModuleError"),
        ("def other():\n    pass\n", "Runtime.HandlerNotFound"),
        ("import os\ndef handler(event, context):\n    os._exit(3)\n", "Runtime.ExitError"),
        ("def handler(event, context):\n    return object()\n", "Runtime.MarshalError"),
    ],
)
def test_functions_that_break_their_runtime(aws: Aws, code: str, error: str) -> None:
    answer = aws.invoke(aws.function("broken", code))
    assert json.loads(answer["Payload"].read())["errorType"] == error
    assert aws.total("Errors", "broken") == 1
    assert any(error in e["message"] for e in aws.log("/aws/lambda/broken"))


def test_a_throttled_call_is_a_throttle_and_nothing_else(aws: Aws) -> None:
    aws.function("capped", ECHO)
    aws.functions.put_function_concurrency(FunctionName="capped", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as refused:
        aws.invoke("capped")
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert aws.total("Throttles", "capped") == 1
    assert aws.metric("AWS/Lambda", "Invocations", FunctionName="capped") == []
    assert aws.metric("AWS/Lambda", "Errors", FunctionName="capped") == []
    counted = aws.counted("capped")
    assert (counted["started"], counted["throttles"]) == (0, 1)


def test_log_group_and_context_follow_the_configuration(aws: Aws) -> None:
    code = (
        "import logging\nlogging.getLogger().setLevel('INFO')\n"
        "def handler(event, context):\n"
        "    logging.info('hello')\n"
        "    return [context.log_group_name, context.log_stream_name, context.aws_request_id]\n"
    )
    group = {"LogFormat": "Text", "LogGroup": "/shared/logs"}
    answer = aws.invoke(aws.function("custom", code, LoggingConfig=group))
    name, stream, request_id = json.loads(answer["Payload"].read())
    assert name == "/shared/logs"
    events = aws.log("/shared/logs")
    assert {e["logStreamName"] for e in events} == {stream}
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/custom\[\$LATEST\][0-9a-f]{32}", stream)
    assert any(re.fullmatch(rf"\[INFO\]\t\S+Z\t{request_id}\thello", e["message"]) for e in events)


def test_concurrency_is_the_number_of_runs_at_once(aws: Aws) -> None:
    code = "import time\ndef handler(event, context):\n    time.sleep(0.5)\n"
    aws.function("wide", code, Timeout=10)
    for _ in range(3):
        aws.invoke("wide", kind="Event")
    aws.finished("wide", 3)
    assert max(aws.metric("AWS/Lambda", "ConcurrentExecutions", "Maximum", FunctionName="wide")) == 3
    assert len({e["logStreamName"] for e in aws.log("/aws/lambda/wide")}) == 3


def test_a_kinesis_mapping_publishes_ages_and_records(aws: Aws) -> None:
    aws.function("reader", ECHO)
    aws.kinesis.create_stream(StreamName="clicks", ShardCount=1)
    arn = aws.kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["StreamARN"]
    mapping: dict[str, Any] = {
        "EventSourceArn": arn,
        "FunctionName": "reader",
        "StartingPosition": "TRIM_HORIZON",
    }
    aws.functions.create_event_source_mapping(**mapping)
    records = [{"Data": b"x", "PartitionKey": "p"}] * 3
    aws.kinesis.put_records(StreamName="clicks", Records=records)
    assert aws.finished("reader", 1)["by_source"] == {"kinesis": 1}
    assert sum(aws.metric("AWS/Kinesis", "IncomingRecords", StreamName="clicks")) == 3
    age = "GetRecords.IteratorAgeMilliseconds"
    assert 0 <= aws.metric("AWS/Lambda", "IteratorAge", "Maximum", FunctionName="reader")[0] < 5000
    assert 0 <= aws.metric("AWS/Kinesis", age, "Maximum", StreamName="clicks")[0] < 5000
