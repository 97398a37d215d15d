"""An account of any size whose figures and logs never rest: `busy_stub.py FUNCTIONS CHANGING [LINES_PER_S]`.

`account_stub.py` with figures that differ at every look (`CHANGING` is the share of active functions), and
for each function the same log at a steady pace. Prints its port, then a line `first OPERATION SECONDS` when
the first answer of an operation goes out (s of `perf_counter`, which is one clock for all processes).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from aiohttp import web
from bench.account_stub import Account
from bench.log_flow_stub import FlowStub
from bench.log_stub import serve


class BusyAccount(Account):
    """Answers by operation, never the same."""

    def __init__(self, functions: int, changing: float, lines_per_s: int) -> None:
        super().__init__(functions, changing)
        self._lines_per_s = lines_per_s
        self._flow: FlowStub | None = None
        self._said: set[str] = set()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request of any service."""
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        operation = operation or request.path.strip("/").rpartition("/")[2] or "GetCallerIdentity"
        if operation == "FilterLogEvents" and self._lines_per_s:
            self._flow = self._flow or FlowStub(self._lines_per_s)
            response = self._flow.filter_events(json.loads(await request.read()))
        else:
            response = await super().answer(request)
        if operation not in self._said:
            self._said.add(operation)
            print(f"first {operation} {time.perf_counter():.6f}", flush=True)
        return response

    def _series(self, query: dict[str, Any], stamps: list[int]) -> dict[str, Any]:
        told = super()._series(query, stamps)
        if told["Values"] and (len(query["Id"]) + int(told["Values"][0])) % 100 < self._changing * 100:
            told["Values"][-1] += int(time.time() * 3) % 9
        return told


if __name__ == "__main__":
    count, share = int(sys.argv[1]), float(sys.argv[2])
    asyncio.run(serve(BusyAccount(count, share, int(sys.argv[3]) if len(sys.argv) > 3 else 0)))  # type: ignore[arg-type]
