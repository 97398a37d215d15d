"""What the stub's answers are read with: `metric_readers.py boto3|floor|columns PORT SERIES PER_CALL`.

`boto3` asks from eight threads, as most scripts do; `floor` sends ready-made requests over one connection and
does nothing with an answer but `json.loads`; `columns` puts each series into a tuple and an array besides, so
that somebody can look at the numbers: nobody who does can be quicker in Python.
Prints wall and CPU seconds.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

THREADS = 8


def queries(count: int) -> list[dict[str, Any]]:
    """Return `count` queries as the SDK takes them."""
    return [
        {
            "Id": f"q{i}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": "Invocations",
                    "Dimensions": [{"Name": "FunctionName", "Value": f"service-{i}"}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for i in range(count)
    ]


def boto3(port: int, batches: list[int]) -> None:
    """Read the plain way, eight at a time."""
    import boto3 as sdk
    from botocore.config import Config

    client = sdk.client(
        "cloudwatch",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(max_pool_connections=THREADS),
    )
    until = datetime.now(UTC)
    points: dict[tuple[int, str], dict[datetime, float]] = {}

    def ask(number: int) -> None:
        answer = client.get_metric_data(
            MetricDataQueries=queries(batches[number]), StartTime=until - timedelta(hours=1), EndTime=until
        )
        for result in answer["MetricDataResults"]:
            points[number, result["Id"]] = dict(zip(result["Timestamps"], result["Values"], strict=True))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(ask, range(len(batches))))
    assert len(points) == sum(batches)


def columns(port: int, batches: list[int]) -> None:
    """Send, receive, `json.loads`, keep."""
    kept = floor(port, batches, keep=True)
    assert len(kept) == sum(batches)


def floor(port: int, batches: list[int], *, keep: bool = False) -> list[tuple[tuple[int, ...], array[float]]]:
    """Send, receive, `json.loads`."""
    kept: list[tuple[tuple[int, ...], array[float]]] = []
    line = http.client.HTTPConnection("127.0.0.1", port)
    ready = {n: json.dumps({"MetricDataQueries": queries(n)}).encode() for n in set(batches)}
    for n in batches:
        line.request("POST", "/", ready[n], {"Content-Type": "application/x-amz-json-1.0"})
        results = json.loads(line.getresponse().read())["MetricDataResults"]
        assert len(results) == n
        if keep:
            kept += [(tuple(map(int, r["Timestamps"])), array("d", r["Values"])) for r in results]
    return kept


def main() -> None:
    kind, port, series, per_call = sys.argv[1], *map(int, sys.argv[2:])
    batches = [min(per_call, series - i) for i in range(0, series, per_call)]
    readers: dict[str, Callable[[int, list[int]], object]] = {
        "boto3": boto3,
        "floor": floor,
        "columns": columns,
    }
    read = readers[kind]
    read(port, batches[:1])  # imports, models and connections are not what is measured
    wall, cpu = time.perf_counter(), time.process_time()
    read(port, batches)
    print(time.perf_counter() - wall, time.process_time() - cpu)


if __name__ == "__main__":
    main()
