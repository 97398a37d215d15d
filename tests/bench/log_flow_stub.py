"""CloudWatch Logs of a function that never stops writing: `log_flow_stub.py LINES_PER_S`, prints its port.

Unlike `log_stub.py` it minds the time that is asked for: event number i is written at start + i / rate, and
FilterLogEvents hands out what had been written by then, in pages as AWS cuts them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from aiohttp import web
from bench.log_stub import MIX, PAGE_EVENTS, STREAMS, Stub, serve

HISTORY_S = 5.0


class FlowStub(Stub):
    """Lines at a steady pace."""

    def __init__(self, per_s: int) -> None:
        super().__init__(1)
        self._per_s = per_s
        self._began = time.time() - HISTORY_S
        self._made: list[str] = []

    def _event(self, i: int) -> str:
        rid = f"{i // len(MIX):08x}-0000-4000-8000-{i // len(MIX):012x}"
        event: dict[str, Any] = {
            "logStreamName": f"2026/11/21/[$LATEST]{i % STREAMS:032x}",
            "timestamp": int((self._began + i / self._per_s) * 1000),
            "message": MIX[i % len(MIX)].format(rid=rid, n=i) + "\n",
            "ingestionTime": int((self._began + i / self._per_s) * 1000),
            "eventId": f"{39_000_000_000_000_000_000_000 + i:056d}",
        }
        return json.dumps(event)

    def filter_events(self, asked: dict[str, Any]) -> web.Response:
        """Answer with the events of [startTime, endTime] that exist by now; newest first when asked so."""
        written = int((time.time() - self._began) * self._per_s)
        while len(self._made) < written:
            self._made.append(self._event(len(self._made)))
        first = self._index(asked.get("startTime", 0))
        last = min(written, self._index(asked["endTime"] + 1) if "endTime" in asked else written)
        size = min(asked.get("limit", PAGE_EVENTS), PAGE_EVENTS, 1_000_000 // 180)
        forwards = asked.get("startFromHead", True)
        at = int(asked.get("nextToken") or (first if forwards else last))
        begin, end = (at, min(last, at + size)) if forwards else (max(first, at - size), at)
        found = self._made[begin:end] if forwards else self._made[begin:end][::-1]
        left = end < last if forwards else begin > first
        token = f', "nextToken": "{end if forwards else begin}"' if left else ""
        body = f'{{"events": [{", ".join(found)}], "searchedLogStreams": []{token}}}'
        return web.Response(text=body, content_type="application/x-amz-json-1.1")

    def _index(self, ms: float) -> int:
        """Return the number of the first event at or after a moment (ms since the epoch)."""
        return max(0, int((ms / 1000 - self._began) * self._per_s))


if __name__ == "__main__":
    asyncio.run(serve(FlowStub(int(sys.argv[1]))))
