"""What people write instead of `lambdatop snapshot --json`: `headless_readers.py boto3 | aws AWS`.

Lists functions, mappings, account settings and alarms, asks CloudWatch for eight metrics of an hour of each
function, and prints one JSON document. `boto3` one call after the other; `aws` the same by commands of the
AWS CLI, one after the other. Address and credentials come from the environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

METRICS = (
    ("Invocations", "Sum"),
    ("Errors", "Sum"),
    ("Throttles", "Sum"),
    ("Duration", "Sum"),
    ("Duration", "Maximum"),
    ("Duration", "p99"),
    ("ConcurrentExecutions", "Maximum"),
    ("AsyncEventsReceived", "Sum"),
)
AT_ONCE = 500


def batches(names: list[str]) -> Iterator[list[dict[str, Any]]]:
    """Yield all queries, in batches as large as CloudWatch takes."""
    wanted = [(name, *metric) for name in names for metric in METRICS]
    for first in range(0, len(wanted), AT_ONCE):
        yield [
            {
                "Id": f"q{i}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": metric,
                        "Dimensions": [{"Name": "FunctionName", "Value": name}],
                    },
                    "Period": 60,
                    "Stat": stat,
                },
            }
            for i, (name, metric, stat) in enumerate(wanted[first : first + AT_ONCE])
        ]


def by_boto3() -> dict[str, Any]:
    """Read with clients, pagers and one thread."""
    import boto3

    functions, cloudwatch = boto3.client("lambda"), boto3.client("cloudwatch")
    pages = functions.get_paginator("list_functions").paginate()
    listed = [f for page in pages for f in page["Functions"]]
    until = datetime.now(UTC)
    series: list[Any] = []
    for queries in batches([f["FunctionName"] for f in listed]):
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=queries, StartTime=until - timedelta(hours=1), EndTime=until
        )
        series += answer["MetricDataResults"]
    return {
        "functions": listed,
        "mappings": functions.list_event_source_mappings()["EventSourceMappings"],
        "account": functions.get_account_settings(),
        "alarms": cloudwatch.describe_alarms(),
        "series": series,
    }


def by_cli(aws: str) -> dict[str, Any]:
    """Read with one process for each question.

    The queries go through a file, being too long for arguments.
    """

    def ask(*words: str) -> Any:
        out = subprocess.run([aws, *words, "--output", "json"], check=True, capture_output=True, timeout=300)
        return json.loads(out.stdout or b"{}")  # it prints nothing where nothing is listed

    listed = ask("lambda", "list-functions")["Functions"]
    until = datetime.now(UTC)
    span = ("--start-time", (until - timedelta(hours=1)).isoformat(), "--end-time", until.isoformat())
    series: list[Any] = []
    for queries in batches([f["FunctionName"] for f in listed]):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(queries, file)
            file.flush()
            given = f"file://{file.name}"
            answer = ask("cloudwatch", "get-metric-data", "--metric-data-queries", given, *span)
            series += answer["MetricDataResults"]
    return {
        "functions": listed,
        "mappings": ask("lambda", "list-event-source-mappings")["EventSourceMappings"],
        "account": ask("lambda", "get-account-settings"),
        "alarms": ask("cloudwatch", "describe-alarms"),
        "series": series,
    }


def main() -> None:
    """Fetch and print."""
    found = by_boto3() if sys.argv[1] == "boto3" else by_cli(sys.argv[2])
    json.dump(found, sys.stdout, default=str)


if __name__ == "__main__":
    main()
