"""Creates a scenario's queues, streams, functions and mappings on the emulator."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any, TypeVar

from lambdatop.demo.process.http_client import Wire
from lambdatop.demo.scenarios.model import (
    FunctionSpec,
    MachineSpec,
    MappingSpec,
    PipeSpec,
    QueueSpec,
    Scenario,
    ScheduleSpec,
)

_T = TypeVar("_T")
_PARALLEL = 8


def package(module: str, remark: str = "") -> bytes:
    """Return the deployment zip of one handler from ``lambdatop/demo/functions``, a remark at its end."""
    source = files("lambdatop.demo.functions").joinpath(f"{module}.py").read_text(encoding="utf-8") + remark
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date: the same source has the same CodeSha256.
        archive.writestr(zipfile.ZipInfo(f"{module}.py", (2026, 1, 1, 0, 0, 0)), source)
    return buffer.getvalue()


class Deployment:
    """Carries one scenario to one emulator."""

    def __init__(self, wire: Wire, scenario: Scenario) -> None:
        """Address the emulator behind ``wire``."""
        self._wire = wire
        self._scenario = scenario
        self._table_streams: dict[str, str] = {}

    def run(self) -> None:
        """Create everything; what depends on something else comes after it, the rest at once."""
        scenario = self._scenario
        with ThreadPoolExecutor(_PARALLEL) as pool:
            self._all(pool, self._queue, [q for q in scenario.queues if not q.dead_letter])
            self._all(pool, self._queue, [q for q in scenario.queues if q.dead_letter])
            self._all(pool, self._stream, scenario.streams)
            self._all(pool, self._table, scenario.tables)
            self._all(pool, self._function, scenario.functions)
            self._all(pool, self._mapping, scenario.mappings)
            self._all(pool, self._machine, scenario.machines)
            self._all(pool, self._pipe, scenario.pipes)
            self._all(pool, self._schedule, scenario.schedules)

    @staticmethod
    def _all(pool: ThreadPoolExecutor, create: Callable[[_T], None], specs: Iterable[_T]) -> None:
        for _ in pool.map(create, specs):
            pass  # Iterating raises what a call raised.

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._wire.region}:{self._wire.account}:{resource}"

    def _queue(self, spec: QueueSpec) -> None:
        attributes = {"VisibilityTimeout": str(spec.visibility_s)}
        if spec.dead_letter:
            target, receives = self._arn("sqs", spec.dead_letter), spec.max_receives
            policy = f'{{"deadLetterTargetArn":"{target}","maxReceiveCount":{receives}}}'
            attributes["RedrivePolicy"] = policy
        self._wire.call("sqs", "CreateQueue", QueueName=spec.name, Attributes=attributes)

    def _stream(self, name: str) -> None:
        self._wire.call("kinesis", "CreateStream", StreamName=name, ShardCount=1)

    def _table(self, name: str) -> None:
        table = self._wire.call(
            "dynamodb",
            "CreateTable",
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self._table_streams[name] = table["TableDescription"]["LatestStreamArn"]

    def _function(self, spec: FunctionSpec) -> None:
        module = spec.name.replace("-", "_")
        request: dict[str, Any] = {
            "FunctionName": spec.name,
            "Runtime": spec.runtime,
            "Role": f"arn:aws:iam::{self._wire.account}:role/{spec.name}",
            "Handler": f"{module}.handler",
            "Code": {"ZipFile": base64.b64encode(package(module)).decode()},
            "Description": spec.description,
            "Timeout": spec.timeout_s,
            "MemorySize": spec.memory_mb,
            "Architectures": [spec.architecture],
            "Publish": bool(spec.provisioned or spec.durable_s),
        }
        if spec.durable_s:
            request["DurableConfig"] = {"ExecutionTimeout": spec.durable_s, "RetentionPeriodInDays": 1}
        if spec.environment:
            request["Environment"] = {
                "Variables": {name: self._value(text) for name, text in spec.environment}
            }
        if spec.log_group:
            request["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": spec.log_group}
        self._wire.rest("POST", "/2015-03-31/functions", request)
        if spec.reserved is not None:
            path = f"/2017-10-31/functions/{spec.name}/concurrency"
            self._wire.rest("PUT", path, {"ReservedConcurrentExecutions": spec.reserved})
        if spec.provisioned:
            path = f"/2019-09-30/functions/{spec.name}/provisioned-concurrency?Qualifier=1"
            self._wire.rest("PUT", path, {"ProvisionedConcurrentExecutions": spec.provisioned})
        if spec.on_failure:
            destination = {"OnFailure": {"Destination": self._arn("sqs", spec.on_failure)}}
            path = f"/2019-09-25/functions/{spec.name}/event-invoke-config"
            self._wire.rest("PUT", path, {"DestinationConfig": destination})
        for number, caller in enumerate(spec.pushed_by):
            service, _, arn = caller.format(region=self._wire.region, account=self._wire.account).partition(
                " "
            )
            statement = {
                "StatementId": f"caller-{number}",
                "Action": "lambda:InvokeFunction",
                "Principal": service,
                "SourceArn": arn,
            }
            self._wire.rest("POST", f"/2015-03-31/functions/{spec.name}/policy", statement)

    def _value(self, text: str) -> str:
        """Return an environment variable's value; ``{queue:NAME}`` becomes that queue's URL."""
        if not text.startswith("{queue:"):
            return text
        name = text.removeprefix("{queue:").removesuffix("}")
        url: str = self._wire.call("sqs", "GetQueueUrl", QueueName=name)["QueueUrl"]
        return url

    def _mapping(self, spec: MappingSpec) -> None:
        sources = {
            "sqs": lambda: self._arn("sqs", spec.source),
            "kinesis": lambda: self._arn("kinesis", f"stream/{spec.source}"),
            "dynamodb": lambda: self._table_streams[spec.source],
        }
        request: dict[str, Any] = {
            "FunctionName": spec.function,
            "EventSourceArn": sources[spec.kind](),
            "BatchSize": spec.batch_size,
        }
        if spec.kind != "sqs":
            request["StartingPosition"] = "TRIM_HORIZON"
        elif spec.max_concurrency:
            request["ScalingConfig"] = {"MaximumConcurrency": spec.max_concurrency}
        if spec.partial_responses:
            request["FunctionResponseTypes"] = ["ReportBatchItemFailures"]
        if not spec.enabled:
            request["Enabled"] = False
        self._wire.rest("POST", "/2015-03-31/event-source-mappings/", request)

    def _machine(self, spec: MachineSpec) -> None:
        retry = {
            "ErrorEquals": ["States.ALL"],
            "MaxAttempts": spec.max_attempts,
            "IntervalSeconds": spec.interval_s,
            "BackoffRate": spec.backoff,
        }
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {
                "FunctionName": self._arn("lambda", f"function:{spec.function}"),
                "Payload.$": "$",
            },
            "Retry": [retry],
            "End": True,
        }
        definition = json.dumps({"StartAt": spec.state, "States": {spec.state: task}})
        self._wire.call(
            "states",
            "CreateStateMachine",
            name=spec.name,
            definition=definition,
            roleArn=self._role(spec.name),
        )

    def _pipe(self, spec: PipeSpec) -> None:
        request = {
            "Source": self._arn("sqs", spec.queue),
            "Target": self._arn("lambda", f"function:{spec.function}"),
            "RoleArn": self._role(spec.name),
            "SourceParameters": {"SqsQueueParameters": {"BatchSize": spec.batch_size}},
        }
        self._wire.rest("POST", f"/v1/pipes/{spec.name}", request, "pipes")

    def _schedule(self, spec: ScheduleSpec) -> None:
        target = {
            "Arn": self._arn("lambda", f"function:{spec.function}"),
            "RoleArn": self._role(spec.name),
            "Input": json.dumps(spec.payload),
            "RetryPolicy": {"MaximumRetryAttempts": spec.retries, "MaximumEventAgeInSeconds": 3600},
        }
        request = {
            "ScheduleExpression": spec.expression,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": target,
        }
        self._wire.rest("POST", f"/schedules/{spec.name}", request, "scheduler")

    def _role(self, name: str) -> str:
        return f"arn:aws:iam::{self._wire.account}:role/{name}"
