"""An account of any size on the wire: `account_stub.py FUNCTIONS [CHANGING]`, prints its port.

A process of its own that answers from memory what the console asks of Lambda and CloudWatch; everything else
is denied, as in many accounts. Every third function runs; `CHANGING` is the share of them whose figures
differ from minute to minute (1: all).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from aiohttp import web

ACCOUNT, REGION = "123456789012", "us-east-1"
PAGE = 50
ACTIVE = 3


def name_of(number: int) -> str:
    return f"team-{number % 97:02}-service-{number:05}"


def function(number: int) -> dict[str, Any]:
    name = name_of(number)
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
        "Runtime": ("python3.12", "nodejs22.x", "java21")[number % 3],
        "Role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "Handler": "app.handler",
        "CodeSize": 48_213 + number,
        "Timeout": 30,
        "MemorySize": 256,
        "LastModified": "2026-10-02T09:11:00.000+0000",
        "CodeSha256": "x" * 43,
        "Version": "$LATEST",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }


class Account:
    """Answers by operation."""

    def __init__(self, functions: int, changing: float) -> None:
        self._count, self._changing = functions, changing
        self._pages = [self._page(first) for first in range(0, functions, PAGE)]
        self._numbers = {name_of(i): i for i in range(functions)}
        self.calls = 0

    def _page(self, first: int) -> bytes:
        last = min(self._count, first + PAGE)
        more = {"NextMarker": str(last)} if last < self._count else {}
        return json.dumps({"Functions": [function(i) for i in range(first, last)], **more}).encode()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request of any service."""
        self.calls += 1
        body, target = await request.read(), request.headers.get("X-Amz-Target", "")
        if b"Action=GetCallerIdentity" in body:
            return web.Response(body=_IDENTITY, content_type="text/xml")
        operation = target.rpartition(".")[2]
        if operation == "GetMetricData":
            return _json(self._metrics(json.loads(body)))
        if operation == "ListMetrics":
            return _json({"Metrics": [_metric(i) for i in range(0, self._count, ACTIVE)][:500]})
        if operation in ("DescribeAlarms", "ListQueues", "ListRules", "ListServiceQuotas"):
            return _json({})
        if request.path.endswith("/functions/") or request.path.endswith("/functions"):
            return web.Response(
                body=self._pages[int(request.query.get("Marker") or 0) // PAGE],
                content_type="application/json",
            )
        if "event-source-mappings" in request.path:
            return _json({"EventSourceMappings": []})
        if "/account-settings" in request.path:
            return _json(_SETTINGS)
        if request.path.endswith("/concurrency"):
            return _json({})
        return _json({"__type": "AccessDeniedException", "message": "not in this account"}, 403)

    def _metrics(self, asked: dict[str, Any]) -> dict[str, Any]:
        start, end = int(asked["StartTime"]), min(int(asked["EndTime"]), int(time.time()) // 60 * 60)
        stamps = list(range(start - start % 60, end, 60))
        return {"MetricDataResults": [self._series(query, stamps) for query in asked["MetricDataQueries"]]}

    def _series(self, query: dict[str, Any], stamps: list[int]) -> dict[str, Any]:
        told: dict[str, Any] = {"Id": query["Id"], "Label": "x", "StatusCode": "Complete"}
        metric = query.get("MetricStat", {}).get("Metric", {})
        dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions", ())}
        number = self._numbers.get(dimensions.get("FunctionName", ""))
        if (
            number is None
            or number % ACTIVE
            or metric["MetricName"] in ("Errors", "Throttles", "IteratorAge")
        ):
            return told | {"Timestamps": [], "Values": []}
        moving = (number // ACTIVE % 100) < self._changing * 100
        values = [float(50 + number % 40 + (t // 60 * 7 % 11 if moving else 0)) for t in stamps]
        return told | {"Timestamps": [float(t) for t in stamps], "Values": values}


def _metric(number: int) -> dict[str, Any]:
    dimension = {"Name": "FunctionName", "Value": name_of(number)}
    return {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": [dimension]}


_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>arn:aws:iam::{ACCOUNT}:user/kim</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
).encode()
_SETTINGS = {
    "AccountLimit": {
        "TotalCodeSize": 80 << 30,
        "CodeSizeUnzipped": 262_144_000,
        "CodeSizeZipped": 52_428_800,
        "ConcurrentExecutions": 10_000,
        "UnreservedConcurrentExecutions": 10_000,
    },
    "AccountUsage": {"TotalCodeSize": 5 << 30, "FunctionCount": 1},
}


def _json(value: Any, status: int = 200) -> web.Response:
    headers = {"x-amzn-ErrorType": value["__type"]} if "__type" in value else {}
    return web.json_response(value, status=status, headers=headers)


async def serve(functions: int, changing: float) -> None:
    account = Account(functions, changing)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", account.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)  # type: ignore[union-attr]
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.2))
