from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws, wait_for

from lambdatop.aws.collectors.quotas import quota_limit
from lambdatop.domain.facts.quota_limits import CODE_STORAGE, CONCURRENCY, DOCUMENTED

pytestmark = pytest.mark.wire

ECHO = "def handler(event, context):\n    return event\n"


def _code(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_mapping_takes_seconds_to_stop_and_to_start(aws: Aws) -> None:
    uuid = aws.map_queue(aws.queue("jobs"), aws.function("worker", ECHO))
    update, read = aws.functions.update_event_source_mapping, aws.functions.get_event_source_mapping
    answer = update(UUID=uuid, Enabled=False)
    assert (answer["State"], answer["StateTransitionReason"]) == ("Disabling", "User action")
    assert _code(update, UUID=uuid, Enabled=True)[0] == "ResourceInUseException"
    aws.sqs.send_message(QueueUrl="jobs", MessageBody="x")
    wait_for(lambda: read(UUID=uuid)["State"] == "Disabled")
    assert aws.counted("worker")["started"] == 0
    assert update(UUID=uuid, Enabled=True)["State"] == "Enabling"
    wait_for(lambda: read(UUID=uuid)["State"] == "Enabled")
    aws.finished("worker", 1)
    assert update(UUID=uuid, BatchSize=2)["State"] == "Updating"
    assert "LastProcessingResult" not in read(UUID=uuid)


def test_concurrency_below_the_provisioned_is_refused(aws: Aws) -> None:
    aws.function("api", ECHO, Publish=True)
    aws.functions.put_provisioned_concurrency_config(
        FunctionName="api", Qualifier="1", ProvisionedConcurrentExecutions=2
    )
    put = aws.functions.put_function_concurrency
    code, message = _code(put, FunctionName="api", ReservedConcurrentExecutions=0)
    assert code == "InvalidParameterValueException"
    expected = (
        "ReservedConcurrentExecutions 0 should not be lower than function's total provisioned concurrency [2]"
    )
    assert message.startswith(expected)
    listed = aws.functions.list_provisioned_concurrency_configs(FunctionName="api")
    [config] = listed["ProvisionedConcurrencyConfigs"]
    assert config["FunctionArn"].endswith(":function:api:1")
    assert config["RequestedProvisionedConcurrentExecutions"] == 2


def test_the_account_keeps_a_hundred_unreserved(aws: Aws) -> None:
    aws.function("a", ECHO)
    aws.function("b", ECHO)
    put = aws.functions.put_function_concurrency
    put(FunctionName="a", ReservedConcurrentExecutions=500)
    limit = aws.functions.get_account_settings()["AccountLimit"]
    assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (1000, 500)
    code, message = _code(put, FunctionName="b", ReservedConcurrentExecutions=401)
    assert code == "InvalidParameterValueException"
    assert "below its minimum value of [100]" in message
    put(FunctionName="b", ReservedConcurrentExecutions=400)
    put(FunctionName="a", ReservedConcurrentExecutions=0)
    assert aws.functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 600


def test_what_does_not_exist_is_not_found(aws: Aws) -> None:
    aws.function("plain", ECHO)
    get_config = aws.functions.get_function_event_invoke_config
    assert _code(aws.functions.get_policy, FunctionName="plain")[0] == "ResourceNotFoundException"
    assert _code(get_config, FunctionName="plain")[0] == "ResourceNotFoundException"
    assert _code(aws.functions.get_policy, FunctionName="none")[0] == "ResourceNotFoundException"
    assert "ReservedConcurrentExecutions" not in aws.functions.get_function_concurrency(FunctionName="plain")
    permission = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
    aws.functions.add_permission(FunctionName="plain", **permission)
    assert "sns.amazonaws.com" in aws.functions.get_policy(FunctionName="plain")["Policy"]


def test_the_documented_quotas_are_listed(aws: Aws) -> None:
    quotas = getattr(aws, "service-quotas").list_service_quotas(ServiceCode="lambda")["Quotas"]
    found = [quota_limit(quota) for quota in quotas]
    assert all(found)
    assert {limit.code: limit.value for limit in found if limit} == {
        code: value for code, value in DOCUMENTED.items() if code not in (CODE_STORAGE, CONCURRENCY)
    }


def test_alarms_are_described(aws: Aws) -> None:
    assert aws.cloudwatch.describe_alarms()["MetricAlarms"] == []
    aws.cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    assert [a["AlarmName"] for a in aws.cloudwatch.describe_alarms()["MetricAlarms"]] == ["errors"]
