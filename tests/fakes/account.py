"""An account small enough to hold in one hand: real state, a reader and a mutator over it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from fakes.entries import SCOPE, WORKER

from lambdatop.domain.errors import TargetNotFound
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Call, State
from lambdatop.domain.plans.situation import (
    FunctionSituation,
    MappingSituation,
    QueueSituation,
    Situation,
)
from lambdatop.domain.ports.aws import Related, Sent
from lambdatop.domain.ports.storage import Spill

MAPPING = Key(SCOPE, "mapping", "0f1e2d3c-0000-4000-8000-000000000001")
ORDERS = Key(SCOPE, "queue", "orders")
ARN = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:{WORKER.id}"
QUEUE_ARN = f"arn:aws:sqs:{SCOPE.region}:{SCOPE.account}:orders"
QUEUE_URL = "http://127.0.0.1/111122223333/orders"


class Account:
    """One function, its trigger and its queue. With `file`, the state outlives the process."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.reserved: int | None = 7
        self.trigger = "Enabled"
        self.messages = 12
        self.calls: list[str] = []
        if file is not None and file.exists():
            self.__dict__.update(json.loads(file.read_text()))

    def apply(self, call: Call) -> None:
        """Do what AWS would do."""
        self.calls.append(call.operation)
        if call.operation == "PutFunctionConcurrency":
            self.reserved = call.params["ReservedConcurrentExecutions"]
        elif call.operation == "DeleteFunctionConcurrency":
            self.reserved = None
        elif call.operation == "UpdateEventSourceMapping":
            self.trigger = "Enabled" if call.params["Enabled"] else "Disabled"
        elif call.operation == "PurgeQueue":
            self.messages = 0
        else:
            raise AssertionError(f"nobody plans {call.operation}")
        if self.file is not None:
            kept = {k: v for k, v in vars(self).items() if k in ("reserved", "trigger", "messages", "calls")}
            self.file.write_text(json.dumps(kept))


class FakeReader:
    """`Reader` over an Account. `shown` replaces the next reads of state; `failing` fails them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.shown: list[State] = []
        self.failing: list[Exception | None] = []
        self.reads = 0
        self.on_read: Callable[[], None] = lambda: None

    async def related(self, function: Key, kind: str) -> Related:
        return Related()

    async def who(self, key: Key) -> tuple[TrailEvent, ...]:
        return (TrailEvent(0.0, "PutFunctionConcurrency", "kim"),)

    async def find(self, target: str, kinds: Collection[str]) -> Key:
        """Return the key of a name."""
        for key in (WORKER, MAPPING, ORDERS):
            if key.id == target and key.kind in kinds:
                return key
        raise TargetNotFound(f"There is no {target}.")

    async def state(self, plan_target: Key, fields: Collection[str]) -> State:
        """Return the control fields as they are now."""
        await asyncio.sleep(0)
        self.reads += 1
        self.on_read()
        error = self.failing.pop(0) if self.failing else None
        if error is not None:
            raise error
        if self.shown:
            return self.shown.pop(0)
        state: dict[str, Any] = {}
        if plan_target.kind == "function":
            state = {"reserved_concurrency": self.account.reserved}
        elif plan_target.kind == "mapping":
            state = {"state": self.account.trigger, "max_record_age_s": None}
        return {f: state[f] for f in fields}

    async def situation(self, key: Key) -> Situation:
        """Return everything that a planner needs."""
        await asyncio.sleep(0)
        queue = QueueFacts(ORDERS, QUEUE_ARN, QUEUE_URL, 0.0, self.account.messages, 0, 0)
        if key.kind == "function":
            facts = FunctionFacts(WORKER, ARN, timeout_s=5)
            return FunctionSituation(Ref(WORKER, ARN, WORKER.id), 0.0, facts, self.account.reserved)
        if key.kind == "mapping":
            mapping = MappingFacts(MAPPING, WORKER, ARN, QUEUE_ARN, "sqs", self.account.trigger)
            return MappingSituation(Ref(MAPPING, MAPPING.id, "orders → orders-worker"), 0.0, mapping, queue)
        return QueueSituation(Ref(ORDERS, QUEUE_ARN, "orders"), 0.0, queue)


class FakeMutator:
    """`Mutator` over an Account.

    `behave`: applied, refused, not-sent (nothing done), lost (done, answer lost), dropped (not done,
    answer lost), raises (done, then an exception), raises-before. With `gate`, a call waits for it
    after `reached` was set.
    """

    def __init__(self, account: Account, behave: str = "applied") -> None:
        self.account = account
        self.behave = behave
        self.sent: list[tuple[Call, str]] = []
        self.reached = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.on_send: Callable[[], None] = lambda: None

    async def signer(self, call: Call) -> str:
        """Return the connection's own identity."""
        return ""

    async def send(self, call: Call, digest: str) -> Sent:
        """Send one call."""
        self.on_send()
        self.sent.append((call, digest))
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.behave == "raises-before":
            raise RuntimeError("never left the machine, as it happens")
        if self.behave in ("applied", "lost", "raises"):
            self.account.apply(call)
        if self.behave == "raises":
            raise ConnectionResetError("peer went away")
        if self.behave == "refused":
            return Sent("refused", "ResourceConflictException: another update is running.")
        if self.behave == "not-sent":
            return Sent("not-sent", "no connection.")
        return Sent("applied") if self.behave == "applied" else Sent("unknown", "read timeout.")

    async def drain(self, call: Call, digest: str, spill: Spill) -> Sent:
        """Move the queue's messages into the spill; `behave` other than applied ends it before anything."""
        self.sent.append((call, digest))
        if self.behave != "applied":
            return Sent("not-sent", "no connection.")
        bodies = [f"message {n}" for n in range(self.account.messages)]
        kept = spill.keep([{"MessageId": body, "Body": body, "MD5OfBody": _md5(body)} for body in bodies])
        self.account.messages = 0
        return Sent("applied", f"drained {kept} messages to {spill.path}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
