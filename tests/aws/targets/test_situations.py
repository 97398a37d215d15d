"""What planners are told of one target, and what they are told is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION
from fakes.wire_account import FN, GONE, ONE, THREE, Q, key
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.reads.single_reads import principals_of
from lambdatop.aws.targets.reader import AwsReader
from lambdatop.domain.errors import Denied
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.queue import MoveTask, QueueFacts
from lambdatop.domain.facts.triggers import EDGE, AsyncConfig
from lambdatop.domain.plans.situation import FunctionSituation, MappingSituation, QueueSituation

CONFIGURATION = "lambda:GetFunctionConfiguration"
URL = {"FunctionUrl": "https://u/", "AuthType": "AWS_IAM"}


def _complete_function(stub: WireStub) -> None:
    stub.on("lambda", "GetFunctionConcurrency", {"ReservedConcurrentExecutions": 3})
    provisioned = {"FunctionArn": FN + "orders-worker:live", "RequestedProvisionedConcurrentExecutions": 2}
    stub.on("lambda", "ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": [provisioned]})
    ends = {"OnFailure": {"Destination": Q + "lost"}}
    config = {"MaximumRetryAttempts": 0, "DestinationConfig": ends}
    stub.on("lambda", "GetFunctionEventInvokeConfig", config)
    stub.on("lambda", "ListAliases", {"Aliases": [{"Name": "live"}]})
    own = {"FunctionArn": FN + "orders-worker:live", "MaximumRetryAttempts": 1}
    whole = {"FunctionArn": FN + "orders-worker:$LATEST", "MaximumRetryAttempts": 0}
    stub.on("lambda", "ListFunctionEventInvokeConfigs", {"FunctionEventInvokeConfigs": [own, whole]})
    stub.on("lambda", "ListFunctionUrlConfigs", {"FunctionUrlConfigs": [URL]})
    limit = {"ConcurrentExecutions": 100, "UnreservedConcurrentExecutions": 97}
    stub.on("lambda", "GetAccountSettings", {"AccountLimit": limit, "AccountUsage": {}})

    def policy(params: dict[str, Any]) -> Any:
        who = "s3.amazonaws.com" if params.get("Qualifier") else "sns.amazonaws.com"
        statement = {"Effect": "Allow", "Principal": {"Service": who}, "Action": "lambda:InvokeFunction"}
        return {"Policy": json.dumps({"Statement": [statement]})}

    stub.on("lambda", "GetPolicy", policy)
    stub.on("lambda", "ListTags", {"Tags": {"aws:cloudformation:stack-name": "shop"}})


@pytest.mark.parametrize(
    "odd",
    [
        {"FunctionArn": FN + "orders-worker:live", "Status": "IN_PROGRESS"},
        {"FunctionArn": FN + "orders-worker", "RequestedProvisionedConcurrentExecutions": 2},
        {"RequestedProvisionedConcurrentExecutions": 2},
    ],
)
async def test_provisioned_concurrency_without_its_number_or_alias_is_not_known(
    account: WireStub, reader: AwsReader, odd: dict[str, Any]
) -> None:
    _complete_function(account)
    account.on("lambda", "ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": [odd]})
    seen = await reader.situation(key("function", "orders-worker"))
    assert isinstance(seen, FunctionSituation)
    assert isinstance(seen.provisioned, NotKnown)


async def test_everything_about_a_function(account: WireStub, reader: AwsReader) -> None:
    _complete_function(account)
    seen = await reader.situation(key("function", "orders-worker"))
    assert isinstance(seen, FunctionSituation)
    assert seen.gaps == ()
    assert (seen.reserved, seen.provisioned, seen.aliases) == (3, (("live", 2),), ("live",))
    assert seen.async_config == AsyncConfig(0, None, Q + "lost", None)
    assert [m.uuid for m in or_none(seen.mappings) or ()] == [ONE]
    assert seen.alias_configs == (("live", AsyncConfig(1)),)
    assert [q.name for q in seen.queues] == ["orders"]
    assert seen.policy_principals == ("sns.amazonaws.com", "s3.amazonaws.com")
    assert (seen.url, seen.stack) == ("https://u/ (AuthType AWS_IAM)", "shop")
    assert seen.recursive_loop == ""
    assert not isinstance(seen.account, NotKnown)
    assert seen.account.unreserved == 97
    assert (seen.ref.arn, seen.facts.timeout_s) == (FN + "orders-worker", 7)


async def test_what_is_not_configured_is_no_gap(account: WireStub, reader: AwsReader) -> None:
    _complete_function(account)
    for operation in ("GetFunctionEventInvokeConfig", "GetPolicy"):
        account.on("lambda", operation, GONE)
    account.on("lambda", "ListTags", {"Tags": {}})
    seen = await reader.situation(key("function", "orders-worker"))
    assert isinstance(seen, FunctionSituation)
    assert (seen.gaps, seen.async_config, seen.policy_principals, seen.stack) == ((), AsyncConfig(), (), None)


async def test_what_cannot_be_read_is_a_gap_that_names_the_action(
    account: WireStub, reader: AwsReader
) -> None:
    _complete_function(account)
    optional = (
        "ListProvisionedConcurrencyConfigs GetFunctionEventInvokeConfig ListEventSourceMappings ListAliases "
        "ListFunctionUrlConfigs GetAccountSettings GetPolicy ListTags"
    )
    for operation in optional.split():
        account.on("lambda", operation, Fault("AccessDeniedException", status=403))
    seen = await reader.situation(key("function", "orders-worker"))
    assert isinstance(seen, FunctionSituation)
    for operation in optional.split():
        assert any(f"lambda:{operation} is denied" in gap for gap in seen.gaps), operation
    for part, operation in (
        (seen.provisioned, "ListProvisionedConcurrencyConfigs"),
        (seen.async_config, "GetFunctionEventInvokeConfig"),
        (seen.mappings, "ListEventSourceMappings"),
        (seen.aliases, "ListAliases"),
        (seen.alias_configs, "ListAliases"),
        (seen.url, "ListFunctionUrlConfigs"),
        (seen.account, "GetAccountSettings"),
        (seen.policy_principals, "GetPolicy"),
        (seen.stack, "ListTags"),
    ):
        assert part == NotKnown("denied", f"lambda:{operation}")
    assert seen.reserved == 3


async def test_what_was_not_asked_for_is_a_gap_too(account: WireStub, reader: AwsReader) -> None:
    _complete_function(account)
    account.on("lambda", "ListAliases", {"Aliases": [{"Name": f"a{i}"} for i in range(7)]})
    urls = [{"FunctionUrl": "https://u/", "AuthType": "NONE"}, {"FunctionUrl": "https://v/"}]
    account.on("lambda", "ListFunctionUrlConfigs", {"FunctionUrlConfigs": urls})
    seen = await reader.situation(key("function", "orders-worker"))
    assert isinstance(seen, FunctionSituation)
    assert seen.gaps == ("the policies of 2 more aliases were not read, so callers by these are unknown",)
    assert seen.url == (
        "https://u/ (AuthType NONE: anybody, without credentials), https://v/ (AuthType not known)"
    )


async def test_what_a_throttle_does_not_reach_is_said_of_the_caller(
    account: WireStub, reader: AwsReader
) -> None:
    _complete_function(account)
    who = [f"{name}.amazonaws.com" for name in ("edgelambda", "replicator.lambda", "apigateway", "sns")]
    statement = {"Effect": "Allow", "Principal": {"Service": who}, "Action": "lambda:InvokeFunction"}
    account.on("lambda", "GetPolicy", {"Policy": json.dumps({"Statement": [statement]})})
    seen = await reader.situation(key("function", "orders-worker"))
    assert isinstance(seen, FunctionSituation)
    assert seen.policy_principals == (
        f"edgelambda.amazonaws.com ({EDGE})",
        f"replicator.lambda.amazonaws.com ({EDGE})",
        "apigateway.amazonaws.com (API Gateway: throttling of its stage or route limits such calls alone)",
        "sns.amazonaws.com",
    )


@pytest.mark.parametrize("operation", ["GetFunctionConfiguration", "GetFunctionConcurrency"])
async def test_the_essential_is_no_gap(operation: str, account: WireStub, reader: AwsReader) -> None:
    _complete_function(account)
    account.on("lambda", operation, Fault("AccessDeniedException", status=403))
    with pytest.raises(Denied, match=operation):
        await reader.situation(key("function", "orders-worker"))


def _metric(value: float) -> dict[str, Any]:
    points = {"Timestamps": [1_799_999_880, 1_799_999_940], "Values": [1.0, value]}
    return {"MetricDataResults": [{"Id": "age", "StatusCode": "Complete"} | points]}


async def test_everything_about_a_mapping(account: WireStub, reader: AwsReader) -> None:
    account.on("cloudwatch", "GetMetricData", _metric(42.0))
    account.on("sqs", "ListDeadLetterSourceQueues", {"queueUrls": []})
    account.on("lambda", "ListTags", {"Tags": {"aws:cloudformation:stack-name": "shop"}})
    seen = await reader.situation(key("mapping", ONE))
    assert isinstance(seen, MappingSituation)
    assert (seen.retention_s, seen.oldest_age_s, seen.stack, seen.gaps) == (600, 102.0, "shop", ())
    assert isinstance(seen.queue, QueueFacts)
    assert seen.dead_letters is False
    assert seen.queue.max_receive_count == 4
    assert (seen.function_there, seen.timeout_s) == (True, 7)
    account.on("lambda", "GetFunctionConfiguration", {"FunctionName": "orders-worker", "MemorySize": 128})
    again = await reader.situation(key("mapping", ONE))
    assert isinstance(again, MappingSituation)
    assert (again.function_there, again.timeout_s) == (True, NotKnown("not answered", CONFIGURATION))
    account.on("lambda", "GetFunctionConfiguration", Fault("ResourceNotFoundException", status=404))
    gone = await reader.situation(key("mapping", ONE))
    assert isinstance(gone, MappingSituation)
    assert (gone.function_there, gone.timeout_s) == (False, NotKnown("not answered", CONFIGURATION))
    # Tags belong to the function, never to a qualifier of it.
    assert account.calls("ListTags")[-1]["Resource"] == FN + "orders-worker"


async def test_a_stream_keeps_its_records_for_hours(account: WireStub, reader: AwsReader) -> None:
    stream = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
    mapping = {"UUID": ONE, "FunctionArn": FN + "f", "EventSourceArn": stream, "State": "Enabled"}
    account.on("lambda", "GetEventSourceMapping", mapping)
    summary = {"StreamName": "s", "RetentionPeriodHours": 48}
    account.on("kinesis", "DescribeStreamSummary", {"StreamDescriptionSummary": summary})
    account.on("cloudwatch", "GetMetricData", _metric(9000.0))
    account.on("lambda", "ListTags", {"Tags": {}})
    seen = await reader.situation(key("mapping", ONE))
    assert isinstance(seen, MappingSituation)
    assert (seen.retention_s, seen.oldest_age_s, seen.queue) == (172_800, 69.0, None)


async def test_the_shard_that_is_stuck_counts_though_the_newest_minute_shows_another(
    account: WireStub, reader: AwsReader
) -> None:
    """A mapping with enhanced fan-out names its consumer; the retention is that of the stream."""
    stream = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
    mapping = {"UUID": ONE, "FunctionArn": FN + "f", "EventSourceArn": f"{stream}/consumer/c:1700000000"}
    account.on("lambda", "GetEventSourceMapping", mapping | {"State": "Enabled"})
    summary = {"StreamName": "s", "RetentionPeriodHours": 48}
    account.on("kinesis", "DescribeStreamSummary", {"StreamDescriptionSummary": summary})
    account.on("lambda", "ListTags", {"Tags": {}})
    ages = {1_799_999_880: 2_760_000.0, 1_799_999_820: 20.0, 1_799_999_940: 30.0}
    points = {"Timestamps": list(ages), "Values": list(ages.values())}
    data = [{"Id": "age", "StatusCode": "Complete"} | points]
    account.on("cloudwatch", "GetMetricData", {"MetricDataResults": data})
    seen = await reader.situation(key("mapping", ONE))
    assert isinstance(seen, MappingSituation)
    assert account.calls("DescribeStreamSummary") == [{"StreamARN": stream}]
    assert (seen.retention_s, seen.oldest_age_s, seen.gaps) == (172_800, 2_880.0, ())


async def test_everything_about_a_queue(account: WireStub, reader: AwsReader) -> None:
    account.on("cloudwatch", "GetMetricData", _metric(42.0))
    account.on(
        "sqs",
        "ListDeadLetterSourceQueues",
        {"queueUrls": ["https://h/1/a"], "NextToken": "t"},
        {"queueUrls": ["https://h/1/b"]},
    )
    task = {
        "Status": "RUNNING",
        "TaskHandle": "h",
        "StartedTimestamp": 5,
        "ApproximateNumberOfMessagesMoved": 7,
    }
    account.on("sqs", "ListMessageMoveTasks", {"Results": [task]})
    seen = await reader.situation(key("queue", "orders"))
    assert isinstance(seen, QueueSituation)
    assert [m.uuid for m in or_none(seen.consumers) or ()] == [ONE, THREE]
    assert (seen.dead_letters_of, seen.oldest_age_s, seen.gaps) == (("a", "b"), 102.0, ())
    assert isinstance(seen.move_task, MoveTask)
    assert seen.move_task.control == {"started_ms": 5, "status": "RUNNING", "handle": "h"}
    assert seen.move_task.moved == 7
    account.on("sqs", "ListDeadLetterSourceQueues", Fault("AccessDenied", status=403))
    seen = await reader.situation(key("queue", "orders"))
    assert any("sqs:ListDeadLetterSourceQueues is denied" in gap for gap in seen.gaps)


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ('{"Statement": {"Effect": "Allow", "Principal": "*"}}', ("*",)),
        ('{"Statement": [{"Effect": "Deny", "Principal": "*"}]}', ()),
        ('{"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["a", "b"]}}]}', ("a", "b")),
        (
            '{"Statement": [{"Effect": "Deny"}, {"Effect": "Allow", "Principal": {"AWS": "x\\u001b[1m"}}]}',
            ("x␛[1m",),
        ),
    ],
)
def test_principals(policy: str, found: tuple[str, ...]) -> None:
    assert principals_of(policy) == found


@pytest.mark.parametrize("policy", ["", "[]", '{"Statement": ["odd"]}'])
async def test_callers_by_a_policy_that_cannot_be_understood_are_a_gap(
    policy: str, account: WireStub, reader: AwsReader
) -> None:
    _complete_function(account)
    account.on("lambda", "GetPolicy", {"Policy": policy})
    seen = await reader.situation(key("function", "orders-worker"))
    assert isinstance(seen, FunctionSituation)
    assert isinstance(seen.policy_principals, NotKnown)
    assert any("GetPolicy" in gap and "callers by policy are" in gap for gap in seen.gaps), seen.gaps
