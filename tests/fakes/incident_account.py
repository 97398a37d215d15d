"""An account in trouble behind a wire stub: everything that a source or a planner reads has an answer.

shop is fed by a queue whose messages fail, and asynchronously by a topic; clicks is stuck at a record of a
stream that gives records up after an hour; spare stands at zero; saga is durable, and one execution runs.
spare is on managed instances, whose vCPUs are nearly used up.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Answer, Fault, WireStub
from fakes.wire_world_callers import MACHINE, PIPE, READS, SCHEDULE, callers
from fakes.wire_world_changes import named

from lambdatop.domain.facts.function_state import VCPUS
from lambdatop.domain.keys import Key

NOW = 1_800_000_000.0
FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
Q = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
BUCKET = "arn:aws:s3:::uploads"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly"
FED, STREAMED, OFF = (f"0f1e2d3c-0000-4000-8000-00000000000{i}" for i in (1, 2, 3))
GONE = Fault("ResourceNotFoundException", status=404)
MINUTES = 60

TARGETS: tuple[tuple[str, Key, dict[str, str]], ...] = (
    ("throttle_to_zero", Key(SCOPE, "function", "shop"), {}),
    ("throttle_to_zero", Key(SCOPE, "function", "shop"), {"triggers": "first"}),
    ("throttle_to_zero", Key(SCOPE, "function", "clicks"), {}),
    ("cap_concurrency", Key(SCOPE, "function", "shop"), {"reserved": "3"}),
    ("cap_concurrency", Key(SCOPE, "function", "clicks"), {"reserved": "3"}),
    ("restore_concurrency", Key(SCOPE, "function", "shop"), {"reserved": "9"}),
    ("restore_concurrency", Key(SCOPE, "function", "shop"), {"reserved": "5000"}),
    ("stop_async_retries", Key(SCOPE, "function", "shop"), {}),
    ("restore_async", Key(SCOPE, "function", "shop"), {"retries": "1"}),
    ("stop_recursion", Key(SCOPE, "function", "shop"), {}),
    ("stop_durable", Key(SCOPE, "function", "saga"), {}),
    ("disable_trigger", Key(SCOPE, "mapping", FED), {}),
    ("disable_trigger", Key(SCOPE, "mapping", STREAMED), {}),
    ("enable_trigger", Key(SCOPE, "mapping", OFF), {}),
    ("tune_trigger", Key(SCOPE, "mapping", FED), {"max_concurrency": "2"}),
    ("tune_trigger", Key(SCOPE, "mapping", STREAMED), {"skip_poison": "yes", "on_failure": "none"}),
    ("purge_queue", Key(SCOPE, "queue", "orders"), {}),
    ("purge_queue", Key(SCOPE, "queue", "orders-dlq"), {}),
    ("quarantine_queue", Key(SCOPE, "queue", "orders"), {}),
    ("quarantine_queue", Key(SCOPE, "queue", "orders"), {"to": "file"}),
    ("quarantine_queue", Key(SCOPE, "queue", "orders-dlq"), {"to": Q + "aside"}),
    ("redrive_dlq", Key(SCOPE, "queue", "orders-dlq"), {}),
    ("redrive_dlq", Key(SCOPE, "queue", "orders-dlq"), {"cancel": "yes"}),
    ("redrive_dlq", Key(SCOPE, "queue", "orders"), {}),
    ("rollback_alias", Key(SCOPE, "alias", "shop:live"), {"version": "1"}),
    ("disable_rule", Key(SCOPE, "rule", "default/nightly"), {}),
    ("disable_schedule", Key(SCOPE, "schedule", SCHEDULE), {}),
    ("stop_pipe", Key(SCOPE, "pipe", PIPE), {}),
    ("start_pipe", Key(SCOPE, "pipe", "halted"), {}),
    ("stop_executions", Key(SCOPE, "state machine", MACHINE), {}),
)
"""Every mitigation with something that it can act on."""


NAMES = ("shop", "clicks", "spare", "saga")
PROVIDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:shop"


def _functions() -> list[dict[str, Any]]:
    base = {"Timeout": 30, "MemorySize": 256, "Runtime": "python3.13", "CodeSize": 1000}
    base |= {"LastModified": "2026-01-01T00:00:00.000+0000"}
    made = [base | {"FunctionName": n, "FunctionArn": FN + n} for n in NAMES]
    made[-1] |= {"DurableConfig": {"ExecutionTimeout": 86_400}}
    config = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": PROVIDER}}
    made[-2] |= {"CapacityProviderConfig": config, "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
    return made


def _mappings() -> list[dict[str, Any]]:
    base = {"State": "Enabled", "BatchSize": 10, "LastModified": NOW - 9e5, "FunctionArn": FN + "shop"}
    stream = {"EventSourceArn": STREAM, "FunctionArn": FN + "clicks", "StartingPosition": "LATEST"}
    return [
        base | {"UUID": FED, "EventSourceArn": Q + "orders"},
        base | stream | {"UUID": STREAMED, "MaximumRecordAgeInSeconds": 3600, "MaximumRetryAttempts": -1},
        base | {"UUID": OFF, "EventSourceArn": Q + "aside", "State": "Disabled"},
    ]


_REDRIVE = json.dumps({"deadLetterTargetArn": Q + "orders-dlq", "maxReceiveCount": 3})
_QUEUES: dict[str, dict[str, str]] = {
    "orders": {"RedrivePolicy": _REDRIVE, "ApproximateNumberOfMessages": "40"},
    "orders-dlq": {"ApproximateNumberOfMessages": "9"},
    "aside": {"ApproximateNumberOfMessages": "2"},
    "kept": {"ApproximateNumberOfMessages": "5"},
}

_METRICS: dict[tuple[str, str], float] = {
    ("shop", "Invocations"): 100,
    ("shop", "Errors"): 60,
    ("shop", "Throttles"): 5,
    ("shop", "Duration"): 90_000,
    ("shop", "ConcurrentExecutions"): 20,
    ("shop", "AsyncEventsReceived"): 10,
    ("shop", "AsyncEventAge"): 400_000,
    ("shop", "AsyncEventsDropped"): 12,
    ("clicks", "Invocations"): 10,
    ("clicks", "Errors"): 10,
    ("clicks", "Duration"): 9_000,
    ("clicks", "ConcurrentExecutions"): 2,
    ("spare", "Throttles"): 3,
    ("orders", "NumberOfMessagesReceived"): 300,
    ("orders", "NumberOfMessagesDeleted"): 100,
    ("orders", "NumberOfMessagesSent"): 100,
    ("orders", "ApproximateNumberOfMessagesVisible"): 40,
    ("orders", "ApproximateAgeOfOldestMessage"): 600,
    ("orders-dlq", "ApproximateNumberOfMessagesVisible"): 9,
    ("orders-dlq", "ApproximateAgeOfOldestMessage"): 60,
    ("shop", VCPUS[0]): 52,
    ("shop", VCPUS[1]): 8,
    ("", "ConcurrentExecutions"): 22,
    ("", "ClaimedAccountConcurrency"): 60,
    ("", "UnreservedConcurrentExecutions"): 15,
}


_VCPUS = {
    "Namespace": "AWS/Lambda",
    "MetricName": VCPUS[0],
    "Dimensions": [
        {"Name": "CapacityProviderName", "Value": "shop"},
        {"Name": "InstanceType", "Value": "m7g.large"},
    ],
}


def _value(name: str, metric: str, at: int) -> float | None:
    if metric == "IteratorAge":  # as old as the record that blocks: it grows with the clock
        return 1000.0 * (at - (NOW - 2700)) if name == "clicks" else None
    return _METRICS.get((name, metric))


def _metric_data(params: dict[str, Any]) -> Answer:
    end = int(NOW) // 60 * 60
    found = []
    for query in params["MetricDataQueries"]:
        metric = query["MetricStat"]["Metric"]
        names = [d["Value"] for d in metric.get("Dimensions") or ()]
        times = [end - 60 * i for i in range(1, MINUTES + 1)]
        pairs = [(t, v) for t in times if (v := _value(names[0] if names else "", metric["MetricName"], t))]
        values = {"Timestamps": [t for t, _ in pairs], "Values": [float(v) for _, v in pairs]}
        found.append({"Id": query["Id"], "StatusCode": "Complete"} | values)
    return {"MetricDataResults": found}


def furnish(stub: WireStub) -> None:
    """Answer every read of the account."""
    _lambda(stub)
    _sqs(stub)
    _callers(stub)
    on = stub.on
    on("cloudwatch", "GetMetricData", _metric_data)
    on(
        "cloudwatch",
        "ListMetrics",
        lambda p: {"Metrics": [_VCPUS] if p.get("MetricName") == VCPUS[0] else []},
    )
    on("cloudwatch", "DescribeAlarms", {"MetricAlarms": []})
    summary = {"StreamName": "clicks", "RetentionPeriodHours": 168, "OpenShardCount": 1}
    on("kinesis", "DescribeStreamSummary", {"StreamDescriptionSummary": summary})
    on("sns", "ListSubscriptionsByTopic", {"Subscriptions": [{"Endpoint": FN + "shop", "TopicArn": TOPIC}]})
    rule = {"Name": "nightly", "Arn": RULE, "State": "ENABLED", "ScheduleExpression": "rate(1 day)"}
    on("events", "ListRules", {"Rules": [rule]})
    on("events", "DescribeRule", rule | {"EventBusName": "default"})
    on("events", "ListTargetsByRule", {"Targets": [{"Id": "1", "Arn": FN + "shop"}]})
    on("s3", "GetBucketNotificationConfiguration", {})
    on("logs", "FilterLogEvents", {"events": []})
    on("logs", "DescribeLogGroups", {"logGroups": []})
    quota = {"QuotaCode": "L-B99A9384", "Value": 1000.0, "Adjustable": True}
    on("service-quotas", "ListServiceQuotas", {"Quotas": [quota]})
    on("iam", "GetRole", {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/ops"}})
    on("iam", "SimulatePrincipalPolicy", {"EvaluationResults": []})
    on("pricing", "GetProducts", {"PriceList": []})


def _callers(stub: WireStub) -> None:
    """Answer reads of a schedule, of two pipes (one of them stopped) and of a state machine that runs."""
    state = callers(FN + "shop")
    halted = {"Name": "halted", "CurrentState": "STOPPED", "DesiredState": "STOPPED"}
    state["pipes"]["halted"] = state["pipes"][PIPE] | halted
    for (service, operation), answer in READS.items():
        stub.on(service, operation, partial(answer, state))


def _lambda(stub: WireStub) -> None:
    functions, mappings = _functions(), _mappings()
    by_name, by_uuid = {f["FunctionName"]: f for f in functions}, {m["UUID"]: m for m in mappings}
    reserved = {"shop": {"ReservedConcurrentExecutions": 50}, "spare": {"ReservedConcurrentExecutions": 0}}
    kept = {"OnFailure": {"Destination": Q + "kept"}}
    invoke = {"shop": {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 600, "DestinationConfig": kept}}
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "lambda:Invoke*"}
    statement["Condition"] = {"ArnLike": {"AWS:SourceArn": TOPIC}}
    policy = {"Policy": json.dumps({"Statement": [statement]})}
    alias = {"Name": "live", "AliasArn": f"{FN}shop:live", "FunctionVersion": "2", "RevisionId": "r"}
    own = {"FunctionArn": f"{FN}shop:live", "MaximumRetryAttempts": 2}

    def on(operation: str, reply: Any) -> None:
        stub.on("lambda", operation, reply)

    on("ListFunctions", {"Functions": functions})
    provider: dict[str, Any] = {"CapacityProviderArn": PROVIDER, "State": "Active"}
    provider |= {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}}
    provider |= {"PermissionsConfig": {"CapacityProviderOperatorRoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"}}
    provider |= {"CapacityProviderScalingConfig": {"MaxVCpuCount": 64}}
    on("ListCapacityProviders", {"CapacityProviders": [provider]})
    on("GetFunctionConfiguration", lambda p: by_name[named(p)] | {"State": "Active"})
    on("GetFunctionConcurrency", lambda p: reserved.get(named(p), {}))
    on("ListEventSourceMappings", {"EventSourceMappings": mappings})
    on("GetEventSourceMapping", lambda p: by_uuid[p["UUID"]])
    on("GetFunctionEventInvokeConfig", lambda p: invoke.get(named(p), GONE))
    on("ListFunctionEventInvokeConfigs", {"FunctionEventInvokeConfigs": [own]})
    on("GetPolicy", lambda p: policy if named(p) == "shop" and "Qualifier" not in p else GONE)
    run: dict[str, Any] = {
        "DurableExecutionArn": f"{FN}saga:2/durable-execution/order-1/0f1e",
        "FunctionArn": f"{FN}saga:2",
    }
    run |= {"DurableExecutionName": "order-1", "Status": "RUNNING", "StartTimestamp": NOW - 7200}
    runs = {"2": [run]}
    on("ListDurableExecutionsByFunction", lambda p: {"DurableExecutions": runs.get(p["Qualifier"], [])})
    on("GetFunctionRecursionConfig", {"RecursiveLoop": "Allow"})
    on("ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": []})
    on("ListAliases", lambda p: {"Aliases": [alias] if named(p) == "shop" else []})
    on("GetAlias", alias)
    on("ListVersionsByFunction", {"Versions": [{"Version": str(i), "CodeSha256": "x"} for i in (1, 2)]})
    on("ListFunctionUrlConfigs", {"FunctionUrlConfigs": []})
    on("ListTags", {"Tags": {"aws:cloudformation:stack-name": "shop"}})
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 950, "TotalCodeSize": 1 << 36}
    usage = {"TotalCodeSize": 1 << 30, "FunctionCount": 3}
    on("GetAccountSettings", {"AccountLimit": limit, "AccountUsage": usage})


def _sqs(stub: WireStub) -> None:
    def attributes(p: dict[str, Any]) -> Answer:
        name = p["QueueUrl"].rsplit("/", 1)[1]
        base = {"QueueArn": Q + name, "MessageRetentionPeriod": "345600", "VisibilityTimeout": "30"}
        base |= {"ApproximateNumberOfMessagesNotVisible": "7", "ApproximateNumberOfMessagesDelayed": "0"}
        return {"Attributes": base | _QUEUES[name]}

    def sources(p: dict[str, Any]) -> Answer:
        dead = p["QueueUrl"].endswith("orders-dlq")
        return {"queueUrls": [f"{stub.url}/{ACCOUNT}/orders"] if dead else []}

    stub.on("sqs", "GetQueueUrl", lambda p: {"QueueUrl": f"{stub.url}/{ACCOUNT}/{p['QueueName']}"})
    stub.on("sqs", "GetQueueAttributes", attributes)
    stub.on("sqs", "ListDeadLetterSourceQueues", sources)
    stub.on("sqs", "ListMessageMoveTasks", {"Results": []})
