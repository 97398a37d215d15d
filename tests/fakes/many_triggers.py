"""A function with many queue triggers, each of which takes a while to be off, as on AWS."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from fakes.account import ARN, Account, FakeMutator, FakeReader
from fakes.clock import FakeClock
from fakes.entries import SCOPE, WORKER

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Call, Plan, State
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.ports.aws import Sent

OFF_S = 8.0


def trigger(number: int) -> Key:
    return Key(SCOPE, "mapping", f"0f1e2d3c-0000-4000-8000-{number:012}")


class Triggers:
    """What AWS knows: when each trigger is off. `refused` names those that AWS refuses, `stuck` never end."""

    def __init__(self, clock: FakeClock, count: int) -> None:
        self.clock = clock
        self.account = Account()
        self.off_at: dict[str, float | None] = {trigger(n).id: None for n in range(1, count + 1)}
        self.sent_at: dict[str, float] = {}
        self.refused: set[str] = set()
        self.stuck: set[str] = set()

    def state(self, uuid: str) -> str:
        since = self.off_at[uuid]
        if since is None:
            return "Enabled"
        return "Disabling" if uuid in self.stuck or self.clock.monotonic() < since else "Disabled"


class TriggersReader(FakeReader):
    def __init__(self, triggers: Triggers) -> None:
        super().__init__(triggers.account)
        self.triggers = triggers
        self.closed = False

    async def state(self, plan_target: Key, fields: Collection[str]) -> State:
        assert not self.closed, "this connection was closed"
        if plan_target.kind == "mapping":
            await asyncio.sleep(0)
            return {"state": self.triggers.state(plan_target.id)}
        return await super().state(plan_target, fields)


class TriggersMutator(FakeMutator):
    def __init__(self, triggers: Triggers) -> None:
        super().__init__(triggers.account)
        self.triggers = triggers

    async def send(self, call: Call, digest: str) -> Sent:
        if call.operation != "UpdateEventSourceMapping":
            return await super().send(call, digest)
        self.sent.append((call, digest))
        await asyncio.sleep(0)
        uuid, now = str(call.params["UUID"]), self.triggers.clock.monotonic()
        self.triggers.sent_at[uuid] = now
        if uuid in self.triggers.refused:
            return Sent("refused", "ResourceConflictException: somebody is at it.")
        self.triggers.off_at[uuid] = None if call.params["Enabled"] else now + OFF_S
        return Sent("applied")


def stop_in_order(clock: FakeClock, count: int, plan_id: str = "p") -> Plan:
    """Return `throttle_to_zero` with `triggers=first` of a function with so many queue triggers."""
    facts = FunctionFacts(WORKER, ARN, timeout_s=5)
    mappings = tuple(
        MappingFacts(trigger(n), WORKER, ARN, f"arn:aws:sqs:eu-central-1:111122223333:q{n}", "sqs", "Enabled")
        for n in range(1, count + 1)
    )
    situation = FunctionSituation(Ref(WORKER, ARN, WORKER.id), clock.now(), facts, 7, mappings=mappings)
    params: dict[str, Any] = {"triggers": "first"}
    made = plan("throttle_to_zero", situation, params, clock.now(), plan_id)
    assert isinstance(made, Plan), made
    return made
