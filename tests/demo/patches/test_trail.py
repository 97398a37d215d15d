"""CloudTrail and IAM over the wire."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws

pytestmark = pytest.mark.wire

ECHO = "def handler(event, context):\n    return event\n"


def _events(aws: Aws, name: str, **request: Any) -> list[dict[str, Any]]:
    attributes = [{"AttributeKey": "ResourceName", "AttributeValue": name}]
    found: list[dict[str, Any]] = aws.cloudtrail.lookup_events(LookupAttributes=attributes, **request)[
        "Events"
    ]
    return found


def test_changes_of_a_function_are_in_the_trail(aws: Aws) -> None:
    uuid = aws.map_queue(aws.queue("jobs"), aws.function("worker", ECHO, Publish=True))
    aws.function("other", ECHO)
    functions = aws.functions
    answer = functions.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=0)
    functions.delete_function_concurrency(FunctionName="worker")
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    functions.create_alias(FunctionName="worker", Name="live", FunctionVersion="1")
    functions.update_alias(FunctionName="worker", Name="live", Description="d")
    functions.put_function_event_invoke_config(FunctionName="worker", MaximumRetryAttempts=0)
    functions.update_function_event_invoke_config(FunctionName="worker", MaximumEventAgeInSeconds=60)
    functions.delete_function_event_invoke_config(FunctionName="worker")
    functions.put_function_recursion_config(FunctionName="worker", RecursiveLoop="Allow")
    functions.get_function(FunctionName="worker")
    aws.invoke("worker")
    events = _events(aws, "worker")
    assert [e["EventName"] for e in events] == [
        "PutFunctionRecursionConfig",
        "DeleteFunctionEventInvokeConfig",
        "UpdateFunctionEventInvokeConfig",
        "PutFunctionEventInvokeConfig",
        "UpdateAlias20150331",
        "CreateAlias20150331",
        "UpdateEventSourceMapping20150331",
        "DeleteFunctionConcurrency20171031",
        "PutFunctionConcurrency20171031",
        "CreateEventSourceMapping20150331",
        "CreateFunction20150331",
    ]
    put = events[8]
    assert (put["Username"], put["ReadOnly"], put["EventSource"]) == ("root", "false", "lambda.amazonaws.com")
    assert put["Resources"] == [{"ResourceType": "AWS::Lambda::Function", "ResourceName": "worker"}]
    detail = json.loads(put["CloudTrailEvent"])
    assert detail["userIdentity"]["arn"] == aws.sts.get_caller_identity()["Arn"]
    assert (detail["sourceIPAddress"], detail["eventSource"]) == ("127.0.0.1", "lambda.amazonaws.com")
    assert detail["requestParameters"] == {"functionName": "worker", "reservedConcurrentExecutions": 0}
    assert detail["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert detail["userAgent"].startswith("Boto3/")
    assert put["EventTime"].timestamp() == datetime.fromisoformat(detail["eventTime"]).timestamp()
    mapping = json.loads(events[6]["CloudTrailEvent"])
    assert mapping["requestParameters"] == {"uUID": uuid, "enabled": False}
    assert [e["EventName"] for e in _events(aws, uuid)] == ["UpdateEventSourceMapping20150331"]


def test_a_refused_change_is_there_with_its_error_and_without_secrets(aws: Aws) -> None:
    aws.function("worker", ECHO, Environment={"Variables": {"TOKEN": "hush"}})
    with pytest.raises(ClientError):
        aws.functions.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=950)
    refused, created = _events(aws, "worker")
    assert json.loads(refused["CloudTrailEvent"])["errorCode"] == "InvalidParameterValueException"
    assert "errorCode" not in json.loads(created["CloudTrailEvent"])
    assert "hush" not in created["CloudTrailEvent"]


def test_a_full_arn_is_found_by_the_name(aws: Aws) -> None:
    arn = f"arn:aws:lambda:us-east-1:{aws.demo.account}:function:{aws.function('worker', ECHO)}"
    aws.functions.put_function_concurrency(FunctionName=arn, ReservedConcurrentExecutions=1)
    aws.functions.tag_resource(Resource=arn, Tags={"lambdatop:incident": "I1"})
    tagged, put, _ = _events(aws, "worker")
    assert tagged["EventName"] == "TagResource20170331v2"
    assert json.loads(put["CloudTrailEvent"])["requestParameters"]["functionName"] == arn


def test_pages_times_and_other_attributes(aws: Aws) -> None:
    aws.function("worker", ECHO)
    for value in range(3):
        aws.functions.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=value)
    attributes = [{"AttributeKey": "ResourceName", "AttributeValue": "worker"}]
    pages = aws.cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=attributes, PaginationConfig={"PageSize": 3}
    )
    assert [len(page["Events"]) for page in pages] == [3, 1]
    [newest, *_] = _events(aws, "worker")
    assert _events(aws, "worker", StartTime=newest["EventTime"].timestamp() + 5) == []
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "CreateFunction20150331"}]
    assert len(aws.cloudtrail.lookup_events(LookupAttributes=by_name)["Events"]) == 1
    aws.demo.reset()
    assert _events(aws, "worker") == []


def test_rules_are_in_the_trail(aws: Aws) -> None:
    aws.events.put_rule(Name="orders", EventPattern=json.dumps({"source": ["shop"]}))
    aws.events.disable_rule(Name="orders")
    aws.events.describe_rule(Name="orders")
    assert [e["EventName"] for e in _events(aws, "orders")] == ["DisableRule", "PutRule"]


def test_the_emulators_own_identity_may_do_everything(aws: Aws) -> None:
    me = aws.sts.get_caller_identity()["Arn"]
    actions = ["lambda:PutFunctionConcurrency", "lambda:UpdateAlias"]
    resources = [f"arn:aws:lambda:us-east-1:{aws.demo.account}:function:{name}" for name in ("a", "b")]
    simulate = aws.iam.simulate_principal_policy
    results = simulate(PolicySourceArn=me, ActionNames=actions, ResourceArns=resources)["EvaluationResults"]
    assert [(r["EvalActionName"], r["EvalDecision"]) for r in results] == [(a, "allowed") for a in actions]
    for result in results:
        found = [
            (r["EvalResourceName"], r["EvalResourceDecision"]) for r in result["ResourceSpecificResults"]
        ]
        assert found == [(resource, "allowed") for resource in resources]
    [alone] = simulate(PolicySourceArn=me, ActionNames=actions[:1])["EvaluationResults"]
    assert (alone["EvalResourceName"], alone["MissingContextValues"]) == ("*", [])


def test_a_role_s_policies_are_evaluated(aws: Aws) -> None:
    allow = {"Effect": "Allow", "Action": "lambda:UpdateAlias", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    aws.iam.create_role(RoleName="operator", AssumeRolePolicyDocument="{}", Path="/team/")
    aws.iam.put_role_policy(RoleName="operator", PolicyName="p", PolicyDocument=policy)
    role = aws.iam.get_role(RoleName="operator")["Role"]
    assert (role["RoleName"], role["Path"]) == ("operator", "/team/")
    assert role["Arn"] == f"arn:aws:iam::{aws.demo.account}:role/team/operator"
    actions = ["lambda:UpdateAlias", "lambda:DeleteFunction"]
    answer = aws.iam.simulate_principal_policy(PolicySourceArn=role["Arn"], ActionNames=actions)
    decisions = [r["EvalDecision"] for r in answer["EvaluationResults"]]
    assert decisions == ["allowed", "implicitDeny"]
    with pytest.raises(ClientError) as missing:
        aws.iam.get_role(RoleName="nobody")
    assert missing.value.response["Error"]["Code"] == "NoSuchEntity"
