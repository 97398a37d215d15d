"""Clients on a demo, and waiting for what it does."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from fakes.time_limit import PATIENCE_S

from lambdatop.demo.process.launch import Demo

_T = TypeVar("_T")


def wait_for(ask: Callable[[], _T], timeout_s: float = PATIENCE_S) -> _T:
    """Ask until the answer is truthy; fail with the last answer when it never is."""
    deadline = time.monotonic() + timeout_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout_s} s"
        time.sleep(0.03)
    return answer


class Aws:
    """Clients on one demo, and the few long-winded things that tests do with them."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self._clients: dict[str, Any] = {}

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        if service not in self._clients:
            self._clients[service] = boto3.client(
                {"functions": "lambda"}.get(service, service),
                endpoint_url=self.demo.endpoint_url,
                region_name=self.demo.region,
                aws_access_key_id=self.demo.access_key,
                aws_secret_access_key=self.demo.secret_key,
                aws_session_token=self.demo.session_token,
                config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
            )
        return self._clients[service]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def function(self, name: str, code: str, **settings: Any) -> str:
        """Create a function whose handler is ``handler`` in ``code``; return its name."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", code)
        self.functions.create_function(
            FunctionName=name,
            Role="arn:aws:iam::123456789012:role/test",
            Handler="app.handler",
            Code={"ZipFile": buffer.getvalue()},
            **{"Runtime": "python3.12", **settings},
        )
        return name

    def queue(self, name: str, **attributes: str) -> str:
        """Create a queue; return its ARN."""
        self.sqs.create_queue(QueueName=name, Attributes=attributes)
        return f"arn:aws:sqs:us-east-1:{self.demo.account}:{name}"

    def map_queue(self, queue_arn: str, function: str) -> str:
        mapping = self.functions.create_event_source_mapping(
            EventSourceArn=queue_arn, FunctionName=function, BatchSize=1
        )
        return str(mapping["UUID"])

    def invoke(self, name: str, event: Any = None, kind: str = "RequestResponse") -> Any:
        return self.functions.invoke(
            FunctionName=name, InvocationType=kind, Payload=json.dumps(event or {}).encode()
        )

    def metric(
        self, namespace: str, name: str, stat: str = "Sum", period_s: int = 60, **dimensions: str
    ) -> list[float]:
        """Return the last hour of one metric, newest first."""
        metric = {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
        }
        query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": period_s, "Stat": stat}}
        now = time.time()
        answer = self.cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=now - 3600, EndTime=now + 60
        )
        [result] = answer["MetricDataResults"]
        assert result["StatusCode"] == "Complete"
        return list(result["Values"])

    def total(self, name: str, function: str) -> float:
        return sum(self.metric("AWS/Lambda", name, FunctionName=function))

    def counted(self, function: str) -> dict[str, Any]:
        """Return the ledger's account of a function."""
        counts: dict[str, Any] = self.demo.ledger()["functions"].get(function, {"started": 0, "finished": 0})
        return counts

    def finished(self, function: str, executions: int) -> dict[str, Any]:
        """Wait until so many executions of a function have ended."""
        wait_for(lambda: self.counted(function)["finished"] >= executions)
        return self.counted(function)

    def log(self, group: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.logs.filter_log_events(logGroupName=group)["events"]
        return events
