"""A small AWS account behind the wire stub: real state, every read of a plan, every mutating operation.

The state is a plain JSON-able dict in the process of the test; a client that is killed does not
take it along. Mutating requests are recorded in their order, each with the intent that stood on disk then.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from botocore.model import OperationModel
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Answer, Fault, WireStub
from fakes.wire_world_callers import callers, journaled, settled
from fakes.wire_world_changes import CHANGES, FN, Done, Params, Q, apply
from fakes.wire_world_reads import READS, read

from lambdatop.domain.keys import Key

FUNCTION, ALIAS, RULE = "orders-worker", "live", "default/nightly"
FED, STREAMED = "0f1e2d3c-0000-4000-8000-000000000001", "0f1e2d3c-0000-4000-8000-000000000002"
VOLATILE = ("RevisionId", "count", "moves", "queues", "queue_host", "executions", "durable_executions")
"""What no undo brings back: counters of AWS, messages, and executions."""


def key(kind: Any, name: str) -> Key:
    return Key(SCOPE, kind, name)


def _account() -> dict[str, Any]:
    ends = {"OnFailure": {"Destination": Q + "orders-lost"}}
    mapping = {"FunctionArn": f"{FN}{FUNCTION}", "State": "Enabled", "BatchSize": 10, "LastModified": 1.7e9}
    stream: dict[str, Any] = {
        "EventSourceArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks",
        "StartingPosition": "LATEST",
    }
    stream |= {"MaximumRetryAttempts": -1, "BisectBatchOnFunctionError": False}
    alias: dict[str, Any] = {"Name": ALIAS, "FunctionVersion": "3", "Description": "what callers use"}
    alias |= {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.25}}}
    rule = {
        "Name": "nightly",
        "EventBusName": "default",
        "State": "ENABLED",
        "ScheduleExpression": "rate(1 day)",
    }
    rule |= {"Arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly"}
    return {
        "limit": 1000,
        "queue_host": "",
        "count": 0,
        "function": {
            "name": FUNCTION,
            "reserved": 7,
            "provisioned": [],
            "scaling": {},
            "durable": False,
            "recursion": "Allow",
            "event_invoke": {
                "MaximumRetryAttempts": 2,
                "MaximumEventAgeInSeconds": 3600,
                "DestinationConfig": ends,
            },
        },
        "versions": ["1", "2", "3"],
        "aliases": {ALIAS: alias | {"RevisionId": "00000000-0000-4000-8000-000000000000"}},
        "mappings": {
            FED: mapping | {"UUID": FED, "EventSourceArn": Q + "orders"},
            STREAMED: mapping | {"UUID": STREAMED} | stream,
        },
        "changing": {},
        "queues": {
            "orders": {"visible": 12, "in_flight": 2, "delayed": 0, "dlq": "orders-dlq"},
            "orders-dlq": {"visible": 5, "in_flight": 0, "delayed": 0},
            "orders-aside": {"visible": 0, "in_flight": 0, "delayed": 0},
        },
        "rules": {RULE: rule | {"Targets": [{"Id": "1", "Arn": f"{FN}{FUNCTION}"}]}},
        "moves": [],
        **callers(f"{FN}{FUNCTION}"),
        "durable_executions": {},
    }


@dataclass(frozen=True)
class Trouble:
    """What happens to a mutating request: whether it is applied, and what is answered instead."""

    applied: bool = True
    answer: Answer | Held | None = None


@dataclass(frozen=True)
class Held:
    """The answer waits for `gate`; with `effect`, the change itself does too. `done` is set after it."""

    gate: asyncio.Event
    effect: Callable[[], None] = lambda: None
    done: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Request:
    """A mutating request that reached the account, and what stood in the journal when it did.

    `intent` is the open entry with this very call, if any; `attempts` are the further ones it announced.
    """

    service: str
    operation: str
    params: dict[str, Any]
    intent: str | None
    pid: int = 0
    attempts: int = 0
    applied: bool = False
    answer: str = ""


class Witness:
    """Reads the journal's bytes on its own: which open intent names this call, and whose process wrote it."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._offset = 0
        self._open: dict[str, dict[str, Any]] = {}

    def find(self, service: str, operation: str, params: Params) -> tuple[str | None, int, int]:
        """Return id, process and announced further attempts of the newest such intent without an outcome."""
        self._catch_up()
        service, operation, params = journaled(service, operation, params)
        wanted = json.loads(json.dumps({"service": service, "operation": operation, "params": params}))
        for intent in reversed(self._open.values()):
            if intent["call"] == wanted:
                return intent["id"], intent["pid"], intent.get("attempts", 0)
        return None, 0, 0

    def _catch_up(self) -> None:
        if self.file is None or not self.file.exists():
            return
        with self.file.open("rb") as stream:
            stream.seek(self._offset)
            complete, feed, _ = stream.read().rpartition(b"\n")
        if not feed:
            return
        self._offset += len(complete) + 1
        for record in map(json.loads, complete.split(b"\n")):
            if record["record"] == "intent":
                self._open[record["id"]] = record
            elif record["record"] == "outcome":
                self._open.pop(record["id"], None)
            elif record["record"] == "attempt":
                self._open[record["id"]]["attempts"] = record["number"] - 1


class WireWorld:
    """The account: `state`, the `requests` that reached it, and the `trouble` that awaits the next ones."""

    def __init__(self) -> None:
        self.queue_host = ""
        self.reset()

    def reset(self, journal: Path | None = None) -> None:
        """Start a new account that is watched from the journal file `journal`."""
        self.state = _account()
        self.state["queue_host"] = self.queue_host
        self.requests: list[Request] = []
        self.held: list[Held] = []
        self.witness = Witness(journal)
        self.trouble: Callable[[int], Trouble] = lambda number: Trouble()
        self.on_request: Callable[[Request], None] = lambda request: None

    def settings(self) -> dict[str, Any]:
        """Return everything that an undo has to bring back, once all slow changes have arrived."""
        state = copy.deepcopy(self.state)
        for uuid, change in state.pop("changing").items():
            state["mappings"][uuid]["State"] = change["to"]
        for alias in state["aliases"].values():
            alias.pop("RevisionId")
        settled(state)
        return {k: v for k, v in state.items() if k not in VOLATILE}

    def answer(self, service: str, operation: str, params: Params) -> Done:
        """Answer a read as AWS does."""
        return read(self.state, service, operation, params)

    def change(self, service: str, operation: str, params: Params) -> Answer | Held:
        """Answer a mutating request, with the trouble that awaits it."""
        request = Request(service, operation, dict(params), *self.witness.find(service, operation, params))
        self.requests.append(request)
        trouble = self.trouble(len(self.requests))
        honest: Answer = {}
        if trouble.applied:
            honest = self._apply(request)
        told = honest if trouble.answer is None or isinstance(honest, Fault) else trouble.answer
        request.answer = told.code if isinstance(told, Fault) else type(told).__name__
        if isinstance(told, Held):
            self.held.append(told)
        self.on_request(request)
        return told

    async def release(self) -> None:
        """Let everything arrive that is held."""
        for held in self.held:
            held.gate.set()
            await held.done.wait()

    def _apply(self, request: Request) -> Done:
        done = apply(self.state, request.service, request.operation, request.params)
        request.applied = not isinstance(done, Fault)
        return done

    def _apply_newest(self) -> None:
        self._apply(self.requests[-1])

    def late(self) -> Trouble:
        """Return trouble that applies the request only when its gate opens.

        It was on its way all the time.
        """
        return Trouble(False, Held(asyncio.Event(), self._apply_newest))


class WorldStub(WireStub):
    """The wire stub in front of a `WireWorld`."""

    def __init__(self, world: WireWorld) -> None:
        super().__init__()
        self.world = world
        for service, operation in READS:
            self.on(service, operation, partial(world.answer, service, operation))
        for service, operation in CHANGES:
            self.on(service, operation, partial(world.change, service, operation))  # type: ignore[arg-type]

    async def __aenter__(self) -> WorldStub:
        await super().__aenter__()
        self.world.queue_host = self.world.state["queue_host"] = f"{self.url}/{ACCOUNT}/"
        return self

    async def _answer(
        self, request: web.Request, operation: OperationModel, answer: Answer | Held
    ) -> web.StreamResponse:
        if isinstance(answer, Held):
            await answer.gate.wait()
            answer.effect()
            answer.done.set()
            answer = {}
        return await super()._answer(request, operation, answer)
