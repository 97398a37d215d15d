"""An account for servers that others wrote: what a team has, made by boto3 alone.

What a server does not take is left out and said (`Seeded.refused`): that is the server's own word, and no
fault of lambdatop's.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from foreign.servers import ACCOUNT, REGION, Server

MINUTE = 60
METRIC_MINUTES = 25
"""So many minutes before now and after it have the same value: a figure stays what it is meanwhile."""
CODE = "def handler(event, context):\n    return event\n"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"

FUNCTIONS: dict[str, dict[str, Any]] = {
    "orders-worker": {"MemorySize": 512, "Timeout": 90},
    "async-heavy": {"MemorySize": 256, "Timeout": 30, "DeadLetterConfig": {"TargetArn": QUEUE_ARN + "dead"}},
    "stream-fn": {"MemorySize": 1769, "Timeout": 60, "Runtime": "nodejs22.x", "Handler": "app.handler"},
    "table-fn": {"MemorySize": 128, "Timeout": 3},
    "web-api": {"MemorySize": 1024, "Timeout": 29, "Runtime": "java21"},
    "parked": {"MemorySize": 10240, "Timeout": 900, "EphemeralStorage": {"Size": 2048}},
    "us-east-1.edge-replica": {"MemorySize": 128, "Timeout": 5},
    "UPPER_lower-9": {"MemorySize": 3008, "Timeout": 1, "Architectures": ["arm64"]},
}
RESERVED = {"orders-worker": 7, "parked": 0}
QUEUES: dict[str, dict[str, str]] = {
    "dead": {"MessageRetentionPeriod": "1209600"},
    "orders-dlq": {"MessageRetentionPeriod": "1209600"},
    "orders": {
        "VisibilityTimeout": "90",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": QUEUE_ARN + "orders-dlq", "maxReceiveCount": 4}),
    },
    "images": {"VisibilityTimeout": "31", "MessageRetentionPeriod": "345600"},
    "kept": {},
    "pay.fifo": {"FifoQueue": "true", "ContentBasedDeduplication": "true"},
}
MESSAGES = {"orders": 12, "orders-dlq": 3, "dead": 1}
LINES = 40
METRICS = {
    "Invocations": 60.0,
    "Errors": 6.0,
    "Throttles": 2.0,
    "Duration": 1234.0,
    "ConcurrentExecutions": 5.0,
}


class Seeded(NamedTuple):
    """Sentences about what was made and what was not."""

    made: list[str]
    refused: list[str]


def furnish(server: Server, now: float | None = None) -> Seeded:
    """Make the account on a server."""
    seed = _Seed(server, time.time() if now is None else now)
    seed.all()
    return Seeded(seed.made, seed.refused)


def empty_zip() -> bytes:
    """Return a deployment package."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", CODE)
    return buffer.getvalue()


class _Seed:
    def __init__(self, server: Server, now: float) -> None:
        self._server = server
        self._now = now
        self._clients: dict[str, Any] = {}
        self.made: list[str] = []
        self.refused: list[str] = []

    def _at(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._server.client(service)
        return self._clients[service]

    def _try(self, what: str, make: Callable[..., Any], **arguments: Any) -> Any:
        try:
            made = make(**arguments)
        except (ClientError, BotoCoreError, ParamValidationError) as error:
            self.refused.append(f"{what}: {' '.join(str(error).split())[:160]}")
            return None
        self.made.append(what)
        return made if made is not None else True

    def all(self) -> None:
        """Make what others lean on first."""
        self._queues()
        self._functions()
        self._streams()
        self._logs()
        self._mappings()
        self._pushers()
        self._alarms()
        self._metrics()
        for client in self._clients.values():
            client.close()

    def _queues(self) -> None:
        sqs = self._at("sqs")
        for name, attributes in QUEUES.items():
            self._try(f"queue {name}", sqs.create_queue, QueueName=name, Attributes=attributes)
        for name, many in MESSAGES.items():
            url = self._try(f"url of {name}", sqs.get_queue_url, QueueName=name)
            for i in range(many if url else 0):
                self._try(
                    f"message {i} in {name}",
                    sqs.send_message,
                    QueueUrl=url["QueueUrl"],
                    MessageBody=f"{i}",
                )

    def _functions(self) -> None:
        role = self._try("role", self._role)
        functions = self._at("lambda")
        for name, settings in FUNCTIONS.items():
            base = {
                "Runtime": "python3.13",
                "Handler": "app.handler",
                "Role": role,
                "Code": {"ZipFile": empty_zip()},
            }
            self._try(
                f"function {name}",
                functions.create_function,
                FunctionName=name,
                **base | settings,
            )
        for name, many in RESERVED.items():
            self._try(
                f"reserved concurrency of {name}",
                functions.put_function_concurrency,
                FunctionName=name,
                ReservedConcurrentExecutions=many,
            )
        for i in range(2):
            self._try(f"version {i + 1} of web-api", functions.publish_version, FunctionName="web-api")
            more = {"ZipFile": empty_zip() + b"\0" * (i + 1)}
            self._try("code", functions.update_function_code, FunctionName="web-api", **more)
        self._try(
            "alias live",
            functions.create_alias,
            FunctionName="web-api",
            Name="live",
            FunctionVersion="1",
        )
        self._try(
            "url of web-api",
            functions.create_function_url_config,
            FunctionName="web-api",
            AuthType="AWS_IAM",
        )
        kept = {"OnFailure": {"Destination": QUEUE_ARN + "kept"}}
        self._try(
            "async settings",
            functions.put_function_event_invoke_config,
            FunctionName="async-heavy",
            MaximumRetryAttempts=1,
            MaximumEventAgeInSeconds=3600,
            DestinationConfig=kept,
        )
        self._try(
            "recursion setting",
            functions.put_function_recursion_config,
            FunctionName="table-fn",
            RecursiveLoop="Allow",
        )

    def _role(self) -> str:
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
        trust["Statement"][0]["Principal"] = {"Service": "lambda.amazonaws.com"}  # type: ignore[index]
        made = self._at("iam").create_role(RoleName="runner", AssumeRolePolicyDocument=json.dumps(trust))
        return str(made["Role"]["Arn"])

    def _streams(self) -> None:
        kinesis, tables = self._at("kinesis"), self._at("dynamodb")
        self._try("stream clicks", kinesis.create_stream, StreamName="clicks", ShardCount=2)
        self._try(
            "retention of clicks",
            kinesis.increase_stream_retention_period,
            StreamName="clicks",
            RetentionPeriodHours=48,
        )
        self._try(
            "table carts",
            tables.create_table,
            TableName="carts",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )

    def _mappings(self) -> None:
        functions = self._at("lambda")

        def map_(what: str, **settings: Any) -> None:
            self._try(f"mapping {what}", functions.create_event_source_mapping, **settings)

        map_("orders", FunctionName="orders-worker", EventSourceArn=QUEUE_ARN + "orders", BatchSize=5,
             FunctionResponseTypes=["ReportBatchItemFailures"],
             ScalingConfig={"MaximumConcurrency": 4})  # fmt: skip
        map_(
            "images",
            FunctionName="web-api:live",
            EventSourceArn=QUEUE_ARN + "images",
            BatchSize=10,
            Enabled=False,
        )
        map_("clicks", FunctionName="stream-fn", BatchSize=100, StartingPosition="TRIM_HORIZON",
             EventSourceArn=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks", MaximumRetryAttempts=3,
             MaximumRecordAgeInSeconds=3600, BisectBatchOnFunctionError=True, ParallelizationFactor=2,
             DestinationConfig={"OnFailure": {"Destination": QUEUE_ARN + "kept"}})  # fmt: skip
        found = self._try("stream of carts", self._at("dynamodb").describe_table, TableName="carts")
        arn = found["Table"].get("LatestStreamArn") if found else None
        if arn:
            map_("carts", FunctionName="table-fn", EventSourceArn=arn, StartingPosition="LATEST")

    def _pushers(self) -> None:
        sns, events, s3 = self._at("sns"), self._at("events"), self._at("s3")
        function = FUNCTION_ARN + "async-heavy"
        self._try("topic news", sns.create_topic, Name="news")
        self._try("subscription", sns.subscribe, TopicArn=TOPIC, Protocol="lambda", Endpoint=function)
        self._allow("async-heavy", "sns.amazonaws.com", TOPIC)
        rule = self._try("rule nightly", events.put_rule, Name="nightly", ScheduleExpression="rate(1 day)")
        self._try("target", events.put_targets, Rule="nightly", Targets=[{"Id": "1", "Arn": function}])
        if rule:
            self._allow("async-heavy", "events.amazonaws.com", rule["RuleArn"])
        self._try("bus audit", events.create_event_bus, Name="audit")
        pattern = json.dumps({"source": ["shop"]})
        on_bus = self._try(
            "rule of audit",
            events.put_rule,
            Name="orders",
            EventBusName="audit",
            EventPattern=pattern,
        )
        target = {"Id": "1", "Arn": FUNCTION_ARN + "web-api"}
        self._try("its target", events.put_targets, Rule="orders", EventBusName="audit", Targets=[target])
        if on_bus:
            self._allow("web-api", "events.amazonaws.com", on_bus["RuleArn"])
        self._try("bucket", s3.create_bucket, Bucket="uploads")
        self._allow("table-fn", "s3.amazonaws.com", "arn:aws:s3:::uploads")
        notify = {"LambdaFunctionArn": FUNCTION_ARN + "table-fn", "Events": ["s3:ObjectCreated:*"]}
        self._try(
            "notification",
            s3.put_bucket_notification_configuration,
            Bucket="uploads",
            NotificationConfiguration={"LambdaFunctionConfigurations": [notify]},
        )
        api = self._try("API", self._at("apigateway").create_rest_api, name="shop")
        if api:
            self._allow(
                "web-api",
                "apigateway.amazonaws.com",
                f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api['id']}/*/*/*",
            )

    def _allow(self, name: str, service: str, source: str) -> None:
        permission = {"Action": "lambda:InvokeFunction", "Principal": service, "SourceArn": source}
        statement = service.partition(".")[0]
        self._try(
            f"permission of {service} on {name}",
            self._at("lambda").add_permission,
            FunctionName=name,
            StatementId=statement,
            **permission,
        )

    def _logs(self) -> None:
        logs = self._at("logs")
        for name in FUNCTIONS:
            group = f"/aws/lambda/{name}"
            self._try(f"group {group}", logs.create_log_group, logGroupName=group)
        group, stream = "/aws/lambda/orders-worker", "2026/01/01/[$LATEST]0123456789abcdef"
        self._try("stream", logs.create_log_stream, logGroupName=group, logStreamName=stream)
        start = int((self._now - 300) * 1000)
        lines = [{"timestamp": start + i * 1000, "message": text} for i, text in enumerate(log_lines())]
        self._try(
            "log events",
            logs.put_log_events,
            logGroupName=group,
            logStreamName=stream,
            logEvents=lines,
        )

    def _alarms(self) -> None:
        watch = self._at("cloudwatch")
        for name, function, state in (
            ("orders-errors", "orders-worker", "ALARM"),
            ("web-errors", "web-api", "OK"),
            ("heavy-throttles", "async-heavy", "ALARM"),
        ):
            self._try(
                f"alarm {name}",
                watch.put_metric_alarm,
                AlarmName=name,
                Namespace="AWS/Lambda",
                MetricName="Errors",
                Dimensions=[{"Name": "FunctionName", "Value": function}],
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1.0,
                ComparisonOperator="GreaterThanThreshold",
                AlarmActions=[TOPIC],
            )
            self._try(
                f"state of {name}",
                watch.set_alarm_state,
                AlarmName=name,
                StateValue=state,
                StateReason="as it is",
            )

    def _metrics(self) -> None:
        watch = self._at("cloudwatch")
        whole = int(self._now) // MINUTE * MINUTE
        for name in ("orders-worker", "web-api"):
            dimension = [{"Name": "FunctionName", "Value": name}]
            for metric, value in METRICS.items():
                data = [
                    {
                        "MetricName": metric,
                        "Dimensions": dimension,
                        "Timestamp": whole - MINUTE * i,
                        "Value": value,
                    }
                    for i in range(-METRIC_MINUTES, METRIC_MINUTES)
                ]
                self._try(
                    f"{metric} of {name}",
                    watch.put_metric_data,
                    Namespace="AWS/Lambda",
                    MetricData=data,
                )


def log_lines() -> list[str]:
    """Return what orders-worker wrote, oldest first."""
    lines = []
    for i in range(LINES // 4):
        request = f"11111111-2222-4333-8444-{i:012d}"
        lines += [
            f"START RequestId: {request} Version: $LATEST\n",
            f"order {i} was taken\n",
            f"END RequestId: {request}\n",
            f"REPORT RequestId: {request}\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
            f"Memory Size: 512 MB\tMax Memory Used: {90 + i} MB\n",
        ]
    return lines
