"""CloudWatch that answers GetMetricData from memory: `metric_stub.py MINUTES`, prints its port.

A process of its own and no framework, so that what is measured is the reader. The answer for so many series
is made once: CloudWatch's JSON, with the ids that both readers give (`q0`, `q1` …).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


def answer(series: int, minutes: int) -> bytes:
    """Return an answer with `series` series of `minutes` points, oldest first."""
    first = int(time.time() // 60 - minutes + 1) * 60
    stamps = [float(first + 60 * i) for i in range(minutes)]
    results = [
        {
            "Id": f"q{i}",
            "Label": "Invocations",
            "Timestamps": stamps,
            "Values": [float((i + m) % 97) for m in range(minutes)],
            "StatusCode": "Complete",
        }
        for i in range(series)
    ]
    body = json.dumps({"Messages": [], "MetricDataResults": results}).encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: 1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Stub(asyncio.Protocol):
    """One connection; requests are counted by their ids."""

    made: dict[int, bytes] = {}  # noqa: RUF012 - shared by all connections on purpose
    minutes = 60

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._got = transport, b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = self._got[:end].lower()
            length = (
                int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
            )
            if len(self._got) < end + 4 + length:
                return
            body, self._got = self._got[end + 4 : end + 4 + length], self._got[end + 4 + length :]
            series = body.count(b'"MetricStat"')
            if series not in self.made:
                self.made[series] = answer(series, self.minutes)
            self._transport.write(self.made[series])  # type: ignore[attr-defined]


async def serve(minutes: int) -> None:
    Stub.minutes = minutes
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
