"""The repair layer as a whole: everything that stands between ministack and the demo's endpoint."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from msgspec import Struct

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.emulator.ledger_sources import SourceLedger
from lambdatop.demo.emulator.log_writer import LogWriter
from lambdatop.demo.emulator.metric_store import MetricStore, Scope
from lambdatop.demo.emulator.timeline import Timeline
from lambdatop.demo.patches import (
    aliases,
    control_plane,
    identity,
    quotas,
    rules,
    sampler,
    state_machines,
)
from lambdatop.demo.patches import (
    logs as repair_logs,
)
from lambdatop.demo.patches.async_invoke import AsyncRepair
from lambdatop.demo.patches.durable import DurableRepair
from lambdatop.demo.patches.executions import ExecutionRepair
from lambdatop.demo.patches.loops import LoopRepair
from lambdatop.demo.patches.metrics import MetricRepair
from lambdatop.demo.patches.pipes import PipeRepair
from lambdatop.demo.patches.queues import QueueRepair
from lambdatop.demo.patches.redrive import MoveRepair
from lambdatop.demo.patches.streams import StreamRepair
from lambdatop.demo.patches.trail import TrailRepair

LEDGER_PATH = "/_lambdatop/ledger"
RESET_PATH = "/_ministack/reset"

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class RepairLayer(Struct, frozen=True):
    """The installed repairs, and the ASGI application in front of ministack's."""

    store: MetricStore
    ledger: Ledger
    sources: SourceLedger
    queues: QueueRepair
    moves: MoveRepair
    trail: TrailRepair
    logs: LogWriter
    home: Scope

    @classmethod
    def install(cls, home: Scope, compression: int, async_retry_s: float, token: str) -> RepairLayer:
        """Check ministack's shape and put every wrapper in place. Raises EmulatorChanged.

        ``token`` is what the gate in front asks for.
        """
        _ministack.check()
        store = MetricStore(Timeline(compression))
        ledger, sources, logs = Ledger(store, control_plane.allocated), SourceLedger(store), LogWriter(store)
        executions, queues = ExecutionRepair(ledger, logs), QueueRepair(sources)
        streams = StreamRepair(ledger, sources)
        executions.on_begin.append(streams.on_begin)
        executions.install()
        AsyncRepair(ledger, async_retry_s).install()
        DurableRepair(ledger).install()
        LoopRepair(ledger).install()
        queues.install()
        moves = MoveRepair(queues)
        moves.install()
        streams.install()
        control_plane.install()
        aliases.install()
        rules.install(compression)
        state_machines.install()
        PipeRepair().install()
        identity.install(token)
        repair_logs.install()
        MetricRepair(store).install()
        trail = TrailRepair()
        trail.install()
        sampler.start(store, ledger, queues)
        return cls(store, ledger, sources, queues, moves, trail, logs, home)

    async def app(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer the ledger's path and what ministack lacks, clear the ledger on reset, pass the rest on."""
        path = scope.get("path") if scope["type"] == "http" else None
        if path == LEDGER_PATH:
            await _respond(send, self._report(scope.get("query_string", b"").decode()))
            return
        if path and (b"x-amz-target", quotas.TARGET) in scope["headers"]:
            await _respond(send, quotas.answer())
            return
        if path == RESET_PATH:
            self.clear()  # From here on, what still runs belongs to the past and leaves no trace.
        await _ministack.get("app.app")(scope, receive, send)
        if path == RESET_PATH:
            self.clear()

    def clear(self) -> None:
        """Forget what was counted."""
        for counted in (self.ledger, self.sources, self.store, self.queues, self.moves, self.trail):
            counted.clear()

    def _report(self, query: str) -> dict[str, Any]:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        home = Scope(asked.get("account", self.home.account), asked.get("region", self.home.region))
        return {
            "account": home.account,
            "region": home.region,
            "compression": self.store.timeline.compression,
            "functions": self.ledger.report(home),
            **self.sources.report(home),
        }


async def _respond(send: _Send, answer: dict[str, Any]) -> None:
    body = json.dumps(answer, sort_keys=True).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
