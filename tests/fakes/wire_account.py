"""A small account behind a wire stub: orders-worker and billing are fed by queues, twin is two things."""

from __future__ import annotations

import json
from typing import Any

from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Fault, WireStub
from fakes.wire_world_changes import named

from lambdatop.domain.keys import Key

FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
Q = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
ONE, TWO, THREE = (f"0f1e2d3c-0000-4000-8000-00000000000{i}" for i in (1, 2, 3))
GONE = Fault("ResourceNotFoundException", status=404)
NO_QUEUE = Fault("AWS.SimpleQueueService.NonExistentQueue")


ATTRIBUTES = {
    "ApproximateNumberOfMessages": "0",
    "ApproximateNumberOfMessagesNotVisible": "0",
    "ApproximateNumberOfMessagesDelayed": "0",
    "MessageRetentionPeriod": "345600",
    "VisibilityTimeout": "30",
}
"""What SQS tells of every queue."""


def key(kind: Any, name: str) -> Key:
    return Key(SCOPE, kind, name)


def furnish(stub: WireStub) -> None:
    """Create orders-worker and billing, fed by queues; a function and a queue are both called twin."""
    functions = {"orders-worker", "billing", "twin"}
    queues = {"orders", "orders-dlq", "bills", "twin"}
    mappings = [
        {"UUID": ONE, "FunctionArn": FN + "orders-worker:live", "EventSourceArn": Q + "orders"},
        {"UUID": TWO, "FunctionArn": FN + "billing", "EventSourceArn": Q + "bills"},
        {"UUID": THREE, "FunctionArn": FN + "billing", "EventSourceArn": Q + "orders"},
    ]
    mappings = [m | {"State": "Enabled"} for m in mappings]
    by_uuid = {m["UUID"]: m for m in mappings}

    def configuration(p: dict[str, Any]) -> Any:
        name = named(p)
        return {"FunctionName": name, "FunctionArn": FN + name, "Timeout": 7} if name in functions else GONE

    def url(p: dict[str, Any]) -> Any:
        return (
            {"QueueUrl": f"{stub.url}/{ACCOUNT}/{p['QueueName']}"} if p["QueueName"] in queues else NO_QUEUE
        )

    def attributes(p: dict[str, Any]) -> Any:
        name = p["QueueUrl"].rsplit("/", 1)[1]
        redrive = {"deadLetterTargetArn": Q + "orders-dlq", "maxReceiveCount": 4}
        extra = {"RedrivePolicy": json.dumps(redrive)} if name == "orders" else {}
        return {"Attributes": ATTRIBUTES | {"QueueArn": Q + name, "MessageRetentionPeriod": "600"} | extra}

    stub.on("lambda", "GetFunctionConfiguration", configuration)
    stub.on("lambda", "ListFunctions", {"Functions": [{"FunctionName": n} for n in sorted(functions)]})
    stub.on("lambda", "ListEventSourceMappings", {"EventSourceMappings": mappings})
    stub.on("lambda", "GetEventSourceMapping", lambda p: by_uuid.get(p["UUID"], GONE))
    stub.on("sqs", "GetQueueUrl", url)
    stub.on("sqs", "ListQueues", {"QueueUrls": [f"{stub.url}/{ACCOUNT}/{n}" for n in sorted(queues)]})
    stub.on("sqs", "GetQueueAttributes", attributes)


def answer_snapshots(stub: WireStub) -> None:
    """Answer what only a snapshot asks for: without it, a snapshot would ask again until its time is up."""
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
    usage = {"FunctionCount": 3, "TotalCodeSize": 5000}
    stub.on("lambda", "GetAccountSettings", {"AccountLimit": limit, "AccountUsage": usage})
    stub.on("lambda", "GetFunctionConcurrency", {})
    stub.on("lambda", "GetFunctionRecursionConfig", {"RecursiveLoop": "Terminate"})
    stub.on("lambda", "ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": []})
    for operation in ("GetFunctionEventInvokeConfig", "GetPolicy"):
        stub.on("lambda", operation, GONE)
    stub.on("sqs", "ListMessageMoveTasks", {"Results": []})
    stub.on("service-quotas", "ListServiceQuotas", {"Quotas": []})
    stub.on("cloudwatch", "DescribeAlarms", {"MetricAlarms": []})
    stub.on("cloudwatch", "GetMetricData", _no_points)
    stub.on("logs", "FilterLogEvents", {"events": []})
    stub.on("iam", "ListAccountAliases", {"AccountAliases": []})
    stub.on("iam", "SimulatePrincipalPolicy", {"EvaluationResults": []})


def _no_points(params: dict[str, Any]) -> dict[str, Any]:
    none = {"StatusCode": "Complete", "Timestamps": [], "Values": []}
    return {"MetricDataResults": [{"Id": query["Id"], **none} for query in params["MetricDataQueries"]]}
