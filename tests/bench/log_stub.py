"""CloudWatch Logs with many lines, answering from memory: `log_stub.py LINES`, prints its port.

A process of its own, so that what is measured is the reader. Pages are made beforehand, as AWS cuts them: at
most 10,000 events and about 1 MB.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from aiohttp import web

GROUP = "/aws/lambda/orders-worker"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders-worker"
PAGE_EVENTS, PAGE_BYTES = 10_000, 1_000_000
EVENT_OVERHEAD = 26
STREAMS = 8
MIX = (
    "START RequestId: {rid} Version: $LATEST",
    "[INFO]\t2026-11-21T10:00:00.000Z\t{rid}\torder {n}: booked 129.{n} EUR for customer {n}",
    "[INFO]\t2026-11-21T10:00:00.000Z\t{rid}\tfetched 3 rows from inventory in 12 ms, cache hit true",
    "[WARNING]\t2026-11-21T10:00:00.000Z\t{rid}\tprice of item {n} is older than a day",
    "END RequestId: {rid}",
    "REPORT RequestId: {rid}\tDuration: 128.83 ms\tBilled Duration: 129 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 74 MB\t",
)


def events(count: int) -> Iterator[dict[str, Any]]:
    """Yield lines of the last two minutes, oldest first.

    Readers that are asked later find them in their ten.
    """
    begin = int(time.time() * 1000) - 120_000
    for i in range(count):
        rid = f"{i // len(MIX):08x}-0000-4000-8000-{i // len(MIX):012x}"
        yield {
            "logStreamName": f"2026/11/21/[$LATEST]{i % STREAMS:032x}",
            "timestamp": begin + i * 110_000 // count,
            "message": MIX[i % len(MIX)].format(rid=rid, n=i) + "\n",
            "ingestionTime": begin + i * 110_000 // count + 300,
            "eventId": f"{39_000_000_000_000_000_000_000 + i:056d}",
        }


def pages(count: int) -> list[bytes]:
    """Return answers of FilterLogEvents in their order; the token of each names the next."""
    cut: list[list[dict[str, Any]]] = [[]]
    size = 0
    for event in events(count):
        cost = len(event["message"]) + EVENT_OVERHEAD
        if len(cut[-1]) >= PAGE_EVENTS or size + cost > PAGE_BYTES:
            cut.append([])
            size = 0
        cut[-1].append(event)
        size += cost
    made = []
    for number, page in enumerate(cut):
        more = {"nextToken": f"page-{number + 1}"} if number + 1 < len(cut) else {}
        made.append(json.dumps({"events": page, "searchedLogStreams": [], **more}).encode())
    return made


class Stub:
    """The few operations that readers of logs ask for."""

    def __init__(self, count: int) -> None:
        self._pages = pages(count)

    async def answer(self, request: web.Request) -> web.Response:
        """Return one request of any service."""
        body = await request.read()
        target = request.headers.get("X-Amz-Target", "")
        if target.endswith("FilterLogEvents"):
            return self.filter_events(json.loads(body))
        if target:
            return _json({"logGroups": [{"logGroupName": GROUP}], "logStreams": _streams()})
        if b"GetCallerIdentity" in body:
            return web.Response(text=_IDENTITY, content_type="text/xml")
        facts = {"FunctionName": "orders-worker", "FunctionArn": ARN, "Timeout": 3, "MemorySize": 256}
        return _json({"Functions": [facts], **facts})

    def filter_events(self, asked: dict[str, Any]) -> web.Response:
        """Return the page that was made beforehand."""
        token = asked.get("nextToken") or "page-0"
        return web.Response(
            body=self._pages[int(token.split("-")[1])], content_type="application/x-amz-json-1.1"
        )


def _streams() -> list[dict[str, Any]]:
    now = int(time.time() * 1000)
    names = (f"2026/11/21/[$LATEST]{i:032x}" for i in range(STREAMS))
    return [
        {"logStreamName": n, "firstEventTimestamp": now - 600_000, "lastEventTimestamp": now} for n in names
    ]


_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::123456789012:user/bench</Arn><UserId>U</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def _json(value: Any) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/x-amz-json-1.1")


async def serve(stub: Stub) -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stub.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Stub(int(sys.argv[1]))))
