"""An account on the wire in which three of many functions are in trouble, each of another kind.

One drops asynchronous events, one is in a loop that Lambda stops, one times out as only its log says; a
queue feeds the first. None of it shows in what is asked of every function: it takes a second question.
"""

from __future__ import annotations

import json
import time
from typing import Any

from fakes.wire_stub import Answer, Fault, WireStub
from fakes.wire_world_changes import named

ACCOUNT, REGION = "123456789012", "us-east-1"
FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
Q = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
LOSER, LOOPER, TIMER = "async-loser", "looper", "timer"
FEEDER, LETTERS, KEPT = "orders", "orders-dlq", "kept-for-replay"
GONE = Fault("ResourceNotFoundException", "there is none", 404)
MINUTES = 60


class TroubleWorld(WireStub):
    """`functions` in all; `kept`: the events that are given up go to a queue; `calm`: all is well."""

    def __init__(self, functions: int = 40, *, kept: bool = False, calm: bool = False) -> None:
        super().__init__()
        quiet = [f"quiet-{i:03d}" for i in range(max(0, functions - 3))]
        self.names = [LOSER, LOOPER, TIMER, *quiet]
        self.kept, self.calm = kept, calm
        self._lambda()
        self._queues()
        self._cloudwatch()
        self.on("sts", "GetCallerIdentity", {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/kim"})
        self.on("logs", "FilterLogEvents", self._log)
        self.on("service-quotas", "ListServiceQuotas", {"Quotas": []})
        self.on("iam", "ListAccountAliases", {"AccountAliases": []})
        self.on("iam", "SimulatePrincipalPolicy", {"EvaluationResults": []})
        self.on("scheduler", "ListSchedules", {"Schedules": []})
        self.on("pipes", "ListPipes", {"Pipes": []})
        self.on("stepfunctions", "ListStateMachines", {"stateMachines": []})

    def deny(self, service: str, operation: str) -> None:
        """Refuse an operation from now on."""
        action = f"{service.replace('-', '').replace('stepfunctions', 'states')}:{operation}"
        words = f"User: arn:aws:iam::{ACCOUNT}:user/kim is not authorized to perform: {action}"
        code = "AccessDeniedException" if service in ("lambda", "logs") else "AccessDenied"
        self.on(service, operation, Fault(code, words, 403))

    def _lambda(self) -> None:
        self.on("lambda", "ListFunctions", {"Functions": [self._function(name) for name in self.names]})
        mapping = {
            "UUID": "0f1e2d3c-0000-4000-8000-000000000001",
            "FunctionArn": FN + LOSER,
            "EventSourceArn": Q + FEEDER,
            "State": "Enabled",
            "BatchSize": 10,
            "LastModified": time.time() - 9e6,
        }
        self.on("lambda", "ListEventSourceMappings", {"EventSourceMappings": [mapping]})
        self.on("lambda", "GetFunctionConfiguration", lambda p: self._function(named(p)))
        self.on("lambda", "GetFunctionConcurrency", {})
        self.on("lambda", "GetFunctionEventInvokeConfig", self._async_settings)
        self.on("lambda", "GetPolicy", GONE)
        self.on("lambda", "GetFunctionRecursionConfig", {"RecursiveLoop": "Terminate"})
        self.on("lambda", "ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": []})
        self.on("lambda", "ListAliases", {"Aliases": []})
        self.on("lambda", "ListTags", {"Tags": {}})
        limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
        usage = {"FunctionCount": len(self.names), "TotalCodeSize": 5000}
        self.on("lambda", "GetAccountSettings", {"AccountLimit": limit, "AccountUsage": usage})

    def _function(self, name: str) -> dict[str, Any]:
        return {
            "FunctionName": name,
            "FunctionArn": FN + name,
            "Runtime": "python3.13",
            "Timeout": 3,
            "MemorySize": 128,
            "LastModified": "2026-01-01T00:00:00.000+0000",
            "Version": "$LATEST",
            "PackageType": "Zip",
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        }

    def _async_settings(self, params: dict[str, Any]) -> Answer:
        if not self.kept:
            return GONE
        ends = {"OnFailure": {"Destination": Q + KEPT}}
        return {
            "FunctionArn": FN + named(params),
            "MaximumRetryAttempts": 1,
            "MaximumEventAgeInSeconds": 600,
            "DestinationConfig": ends,
        }

    def _queues(self) -> None:
        def url(params: dict[str, Any]) -> Answer:
            return {"QueueUrl": f"{self.url}/{ACCOUNT}/{params['QueueName']}"}

        def attributes(params: dict[str, Any]) -> Answer:
            name = params["QueueUrl"].rsplit("/", 1)[1]
            found = {
                "QueueArn": Q + name,
                "ApproximateNumberOfMessages": "3",
                "ApproximateNumberOfMessagesNotVisible": "0",
                "ApproximateNumberOfMessagesDelayed": "0",
                "MessageRetentionPeriod": "345600",
                "VisibilityTimeout": "60",
            }
            if name == FEEDER:
                redrive = {"deadLetterTargetArn": Q + LETTERS, "maxReceiveCount": 4}
                found["RedrivePolicy"] = json.dumps(redrive)
            return {"Attributes": found}

        self.on("sqs", "GetQueueUrl", url)
        self.on("sqs", "GetQueueAttributes", attributes)
        self.on("sqs", "ListMessageMoveTasks", {"Results": []})

    def _cloudwatch(self) -> None:
        alarm = {
            "AlarmName": "orders-errors",
            "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:orders-errors",
            "StateValue": "ALARM",
            "StateReason": "Threshold Crossed",
            "StateTransitionedTimestamp": time.time() - 600,
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "Dimensions": [{"Name": "FunctionName", "Value": LOSER}],
            "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"],
        }
        self.on("cloudwatch", "DescribeAlarms", {"MetricAlarms": [alarm], "CompositeAlarms": []})
        listed = [
            {
                "Namespace": "AWS/Lambda",
                "MetricName": "Invocations",
                "Dimensions": [{"Name": "FunctionName", "Value": name}],
            }
            for name in self.names
        ]
        self.on("cloudwatch", "ListMetrics", {"Metrics": listed})
        self.on("cloudwatch", "GetMetricData", self._data)

    def _data(self, params: dict[str, Any]) -> Answer:
        newest = int(time.time()) // 60 * 60 - 60
        stamps = [newest - 60 * i for i in range(MINUTES)][::-1]
        results = []
        for query in params["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions", ())}
            stat = query["MetricStat"]["Stat"]
            value = self.value(metric["MetricName"], stat, dimensions.get("FunctionName"))
            points = [] if value is None else [float(at) for at in stamps]
            results.append(
                {
                    "Id": query["Id"],
                    "StatusCode": "Complete",
                    "Timestamps": points,
                    "Values": [value] * len(points),
                }
            )
        return {"MetricDataResults": results}

    def value(self, metric: str, stat: str, function: str | None) -> float | None:
        """Return the value of each minute; None: CloudWatch has no points."""
        if function is None:
            return None
        figures = {"Invocations": 20.0, "ConcurrentExecutions": 1.0}
        figures |= {"Duration": 20_000.0 if stat == "Sum" else 1_000.0, "Errors": 0.0, "Throttles": 0.0}
        if self.calm:
            return figures.get(metric)
        if function == LOSER:
            figures |= {"AsyncEventsReceived": 12.0, "AsyncEventsDropped": 12.0, "AsyncEventAge": 12.0}
        if function == LOOPER:
            figures |= {"RecursiveInvocationsDropped": 4.0}
        if function == TIMER:
            figures["Errors"] = 10.0
        return figures.get(metric)

    def _log(self, params: dict[str, Any]) -> Answer:
        if self.calm or params["logGroupName"] != f"/aws/lambda/{TIMER}":
            return {"events": []}
        now = int(time.time() * 1000)
        events: list[dict[str, Any]] = []
        for i in range(38):
            request = f"11111111-2222-3333-4444-5555555555{i:02d}"
            at = now - 200_000 + i * 5_000
            for offset, text in (
                (0, f"START RequestId: {request} Version: $LATEST\n"),
                (3_000, f"2026-01-01T00:00:00.000Z {request} Task timed out after 3.00 seconds\n\n"),
                (3_001, f"END RequestId: {request}\n"),
                (3_002, _report(request)),
            ):
                events.append(
                    {
                        "logStreamName": "2026/01/01/[$LATEST]abc",
                        "timestamp": at + offset,
                        "ingestionTime": at + offset,
                        "message": text,
                        "eventId": f"{i}-{offset}",
                    }
                )
        inside = [e for e in events if params.get("startTime", 0) <= e["timestamp"] <= now]
        return {"events": inside}


def _report(request: str) -> str:
    return (
        f"REPORT RequestId: {request}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 40 MB\tStatus: timeout\n"
    )
