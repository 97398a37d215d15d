"""EventBridge rules over the wire."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws, wait_for

pytestmark = pytest.mark.wire

ECHO = "def handler(event, context):\n    return event\n"
FAIL = "def handler(event, context):\n    raise RuntimeError('no')\n"
PATTERN = json.dumps({"source": ["shop"]})


def _refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def _rule(aws: Aws, code: str = ECHO, **settings: Any) -> str:
    aws.events.put_rule(Name="orders", EventPattern=PATTERN, **settings)
    aws.function("worker", code)
    arn = f"arn:aws:lambda:us-east-1:{aws.demo.account}:function:worker"
    aws.events.put_targets(Rule="orders", Targets=[{"Id": "1", "Arn": arn}])
    return arn


def _order(aws: Aws) -> None:
    entry = {"Source": "shop", "DetailType": "order", "Detail": "{}"}
    assert aws.events.put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_a_disabled_rule_matches_nothing(aws: Aws) -> None:
    _rule(aws)
    _order(aws)
    assert aws.finished("worker", 1)["by_source"] == {"async": 1}
    aws.events.disable_rule(Name="orders")
    assert aws.events.describe_rule(Name="orders")["State"] == "DISABLED"
    _order(aws)
    _order(aws)
    aws.events.enable_rule(Name="orders")
    assert aws.events.describe_rule(Name="orders")["State"] == "ENABLED"
    _order(aws)
    aws.finished("worker", 2)
    assert aws.total("AsyncEventsReceived", "worker") == 2


def test_a_function_that_fails_is_tried_three_times(aws: Aws) -> None:
    _rule(aws, FAIL)
    _order(aws)
    wait_for(lambda: aws.counted("worker").get("async_dropped") == 1)
    assert aws.counted("worker")["finished"] == 3


def test_the_third_state_matches_and_is_shown(aws: Aws) -> None:
    everything = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    _rule(aws, State=everything)
    _order(aws)
    aws.finished("worker", 1)
    assert aws.events.describe_rule(Name="orders")["State"] == everything
    assert [r["State"] for r in aws.events.list_rules()["Rules"]] == [everything]
    aws.events.disable_rule(Name="orders")
    assert aws.events.describe_rule(Name="orders")["State"] == "DISABLED"
    aws.events.enable_rule(Name="orders")
    assert aws.events.describe_rule(Name="orders")["State"] == "ENABLED"


def test_targets_and_rules_find_each_other(aws: Aws) -> None:
    arn = _rule(aws)
    bus = aws.events.create_event_bus(Name="other")["EventBusArn"]
    aws.events.put_rule(Name="elsewhere", EventPattern=PATTERN, EventBusName=bus)
    aws.events.put_targets(Rule="elsewhere", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    assert aws.events.list_targets_by_rule(Rule="orders")["Targets"] == [{"Id": "1", "Arn": arn}]
    assert aws.events.list_rule_names_by_target(TargetArn=arn)["RuleNames"] == ["orders"]
    found = aws.events.list_rule_names_by_target(TargetArn=arn, EventBusName="other")
    assert found["RuleNames"] == ["elsewhere"]
    assert aws.events.describe_rule(Name="elsewhere", EventBusName=bus)["EventBusName"] == "other"
    assert [r["Name"] for r in aws.events.list_rules()["Rules"]] == ["orders"]


def test_put_rule_replaces_the_whole_rule(aws: Aws) -> None:
    role = f"arn:aws:iam::{aws.demo.account}:role/r"
    aws.events.put_rule(Name="orders", EventPattern=PATTERN, Description="d", RoleArn=role, State="DISABLED")
    aws.events.put_rule(Name="orders", EventPattern=PATTERN)
    rule = aws.events.describe_rule(Name="orders")
    assert (rule["State"], "Description" in rule, "RoleArn" in rule) == ("ENABLED", False, False)


def test_what_does_not_exist_is_refused(aws: Aws) -> None:
    missing = ("ResourceNotFoundException", "Rule none does not exist on EventBusName default.")
    assert _refused(aws.events.disable_rule, Name="none") == missing
    assert _refused(aws.events.enable_rule, Name="none") == missing
    assert _refused(aws.events.describe_rule, Name="none") == missing
    assert _refused(aws.events.list_targets_by_rule, Rule="none") == missing
    _rule(aws)
    assert _refused(aws.events.delete_rule, Name="orders")[0] == "ValidationException"


def test_a_managed_rule_cannot_be_switched(aws: Aws) -> None:
    _service_makes_a_rule(aws, {"Name": "managed", "EventPattern": PATTERN, "ManagedBy": "s.amazonaws.com"})
    assert aws.events.describe_rule(Name="managed")["ManagedBy"] == "s.amazonaws.com"
    assert _refused(aws.events.disable_rule, Name="managed")[0] == "ManagedRuleException"
    assert _refused(aws.events.delete_rule, Name="managed")[0] == "ManagedRuleException"
    assert aws.events.describe_rule(Name="managed")["State"] == "ENABLED"
    aws.events.delete_rule(Name="managed", Force=True)
    assert aws.events.list_rules()["Rules"] == []


def _service_makes_a_rule(aws: Aws, rule: dict[str, str]) -> None:
    """Put a rule with a member that no SDK sends."""
    scope = f"{aws.demo.account}/20260101/us-east-1/events/aws4_request"
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AWSEvents.PutRule",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Security-Token": aws.demo.session_token,
    }
    request = urllib.request.Request(aws.demo.endpoint_url, json.dumps(rule).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
