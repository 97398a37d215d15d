"""What boto3 reads from a server, by place: the same values that lambdatop shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from foreign.servers import REGION, Server
from foreign.shown import METRICS
from foreign.values import UNREAD, Values

ABSENT = ("ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Truth(NamedTuple):
    """Values by place, and the IAM actions that the server did not answer."""

    values: Values
    unanswered: frozenset[str]


class Reader:
    """Reads one server in one region."""

    def __init__(self, server: Server, region: str = REGION) -> None:
        self._server = server
        self._region = region
        self._clients: dict[str, Any] = {}
        self.unanswered: set[str] = set()

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def at(self, service: str) -> Any:
        """Return the client of a service."""
        if service not in self._clients:
            self._clients[service] = self._server.client(service, self._region)
        return self._clients[service]

    def ask(self, action: str, ask: Callable[[], Any]) -> Any:
        """Return the answer, None where there is no such thing, UNREAD where the server has no answer."""
        try:
            return ask()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ABSENT:
                return None
        except BotoCoreError:
            pass
        self.unanswered.add(action)
        return UNREAD

    def pages(self, service: str, operation: str, key: str) -> list[dict[str, Any]]:
        """Return all items of a listing."""
        paginator = self.at(service).get_paginator(operation)
        return [item for page in paginator.paginate() for item in page.get(key) or ()]

    def truth(self) -> Truth:
        """Read everything that is compared."""
        values: Values = {}
        for part in (self.functions, self.mappings, self.queues, self.alarms, self.account):
            values |= part()
        return Truth(values, frozenset(self.unanswered))

    def functions(self) -> Values:
        """Read each function's settings, and its reservation."""
        found: Values = {}
        for f in self.pages("lambda", "list_functions", "Functions"):
            name = f["FunctionName"]
            found |= {
                ("function", name, "arn"): f["FunctionArn"],
                ("function", name, "runtime"): f.get("Runtime") or "",
                ("function", name, "memory_mb"): f["MemorySize"],
                ("function", name, "timeout_s"): f["Timeout"],
                ("function", name, "dlq_arn"): (f.get("DeadLetterConfig") or {}).get("TargetArn"),
                ("function", name, "log_group"): (f.get("LoggingConfig") or {}).get("LogGroup")
                or f"/aws/lambda/{name}",
                ("function", name, "reserved"): self.reserved(name),
            }
        return found

    def reserved(self, name: str) -> Any:
        """Read a function's reserved concurrency; None without one."""
        answer = self.ask(
            "lambda:GetFunctionConcurrency",
            lambda: self.at("lambda").get_function_concurrency(FunctionName=name),
        )
        return answer.get("ReservedConcurrentExecutions") if isinstance(answer, dict) else answer

    def mappings(self) -> Values:
        """Read each event source mapping."""
        found: Values = {}
        for m in self.pages("lambda", "list_event_source_mappings", "EventSourceMappings"):
            destination = ((m.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
            settings = {
                "source_arn": m["EventSourceArn"],
                "function_arn": m["FunctionArn"],
                "state": m["State"],
                "batch_size": m.get("BatchSize"),
                "batching_window_s": m.get("MaximumBatchingWindowInSeconds"),
                "parallelization_factor": m.get("ParallelizationFactor"),
                "max_concurrency": (m.get("ScalingConfig") or {}).get("MaximumConcurrency"),
                "max_retry_attempts": m.get("MaximumRetryAttempts"),
                "max_record_age_s": m.get("MaximumRecordAgeInSeconds"),
                "bisect_on_error": m.get("BisectBatchOnFunctionError"),
                "partial_responses": "ReportBatchItemFailures" in (m.get("FunctionResponseTypes") or ()),
                "on_failure_arn": destination or None,
                "starting_position": m.get("StartingPosition"),
            }
            found |= {("mapping", m["UUID"], field): value for field, value in settings.items()}
        return found

    def queues(self) -> Values:
        """Read each queue's counts and settings."""
        found: Values = {}
        sqs = self.at("sqs")
        for url in self.pages("sqs", "list_queues", "QueueUrls"):
            a = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            redrive = json.loads(a.get("RedrivePolicy") or "{}")
            most = redrive.get("maxReceiveCount")
            settings = {
                "visible": int(a["ApproximateNumberOfMessages"]),
                "in_flight": int(a["ApproximateNumberOfMessagesNotVisible"]),
                "delayed": int(a["ApproximateNumberOfMessagesDelayed"]),
                "dlq_arn": redrive.get("deadLetterTargetArn"),
                "max_receive_count": int(most) if most is not None else None,
                "visibility_timeout_s": int(a["VisibilityTimeout"]),
                "retention_s": int(a["MessageRetentionPeriod"]),
            }
            found |= {("queue", a["QueueArn"], field): value for field, value in settings.items()}
        return found

    def alarms(self) -> Values:
        """Read the alarms in ALARM, with their actions."""
        found: Values = {}
        pages = self.at("cloudwatch").get_paginator("describe_alarms").paginate(StateValue="ALARM")
        for a in [alarm for page in pages for alarm in page.get("MetricAlarms") or ()]:
            function = {d["Name"]: d["Value"] for d in a.get("Dimensions") or ()}.get("FunctionName")
            found |= {
                ("alarm", a["AlarmName"], "actions"): list(a.get("AlarmActions") or ()),
                ("alarm", a["AlarmName"], "of"): function,
            }
        return found

    def account(self) -> Values:
        """Read the account's concurrency."""
        answer = self.ask("lambda:GetAccountSettings", lambda: self.at("lambda").get_account_settings())
        limits = answer["AccountLimit"] if isinstance(answer, dict) else {}
        return {
            ("account", "concurrency", "limit"): limits.get("ConcurrentExecutions", UNREAD),
            ("account", "unreserved", "limit"): limits.get("UnreservedConcurrentExecutions", UNREAD),
        }

    def metrics(self, now: float) -> Values:
        """Read the newest whole minute of each function's metrics: no data is 0 for sums, else not known."""
        end = int(now) // 60 * 60
        found: Values = {}
        for f in self.pages("lambda", "list_functions", "Functions"):
            name = f["FunctionName"]
            for field, (metric, stat) in METRICS.items():
                found[("function", name, field)] = self._metric(name, metric, stat, end)
        return found

    def _metric(self, name: str, metric: str, stat: str, end: int) -> Any:
        of = {"Namespace": "AWS/Lambda", "MetricName": metric}
        of["Dimensions"] = [{"Name": "FunctionName", "Value": name}]  # type: ignore[assignment]
        query = {"Id": "q", "MetricStat": {"Metric": of, "Period": 60, "Stat": stat}}
        answer = self.ask(
            "cloudwatch:GetMetricData",
            lambda: self.at("cloudwatch").get_metric_data(
                MetricDataQueries=[query], StartTime=end - 600, EndTime=end, ScanBy="TimestampDescending"
            ),
        )
        if not isinstance(answer, dict):
            return UNREAD
        values = answer["MetricDataResults"][0]["Values"]
        return float(values[0]) if values else 0.0 if stat == "Sum" else UNREAD

    def log(self, group: str) -> list[str]:
        """Read a log group's messages, oldest first."""
        pages = self.at("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page.get("events") or ()]
        return [event["message"] for event in sorted(events, key=lambda e: e["timestamp"])]


@contextmanager
def reading(server: Server, region: str = REGION) -> Iterator[Reader]:
    """Read a server, and close the connections."""
    reader = Reader(server, region)
    try:
        yield reader
    finally:
        reader.close()
