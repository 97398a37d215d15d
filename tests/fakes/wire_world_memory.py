"""A `WireWorld` without the wire: the real reader over its answers, and a mutator over its changes."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from botocore.exceptions import ClientError
from fakes.aws_doubles import SCOPE, Counter
from fakes.clock import FakeClock
from fakes.wire_stub import Fault
from fakes.wire_world import WireWorld

from lambdatop.aws.facts.schedule_copy import AS_SENT
from lambdatop.aws.mutation.switch_schedule import is_switch, read_params, update_of
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.errors import translate
from lambdatop.aws.targets.reader import AwsReader
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.plan import Call, State
from lambdatop.domain.ports.aws import Sent
from lambdatop.domain.ports.storage import Spill


def told(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as the wire gives it: that of GetSchedule holds its own JSON, too."""
    beside = {AS_SENT: copy.deepcopy(answer)} if operation == "GetSchedule" else {}
    return copy.deepcopy(answer) | beside


class MemoryApi(Api):
    """The reading door, with the world right behind it."""

    def __init__(self, world: WireWorld, clock: FakeClock) -> None:
        self._world = world
        self._clock = clock
        self.meter = Counter()

    async def turns(self, service: str, count: int) -> None:
        """Wait for nothing: no rate is limited here."""

    async def read(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Return what the world answers, errors in the domain's words."""
        await asyncio.sleep(0)
        answer = self._world.answer(service, operation, params)
        if isinstance(answer, Fault):
            code = answer.code.rpartition("#")[2]
            response: Any = {"Error": {"Code": code, "Message": answer.message}}
            response["ResponseMetadata"] = {"HTTPStatusCode": answer.status}
            raise translate(ClientError(response, operation), service, operation)
        return told(operation, answer)


class MemoryMutator:
    """`Mutator` over the world; a refusal is one, nothing is ever lost."""

    def __init__(self, world: WireWorld) -> None:
        self._world = world

    async def signer(self, call: Call) -> str:
        """Return the connection's own identity."""
        return ""

    async def send(self, call: Call, digest: str) -> Sent:
        """Change the world."""
        await asyncio.sleep(0)
        if is_switch(call):
            there = self._world.answer("scheduler", "GetSchedule", read_params(call))
            assert not isinstance(there, Fault)
            call = update_of(call, told("GetSchedule", there))
        done = self._world.change(call.service, call.operation, call.params)
        return Sent("refused", done.code) if isinstance(done, Fault) else Sent("applied")

    async def drain(self, call: Call, digest: str, spill: Spill) -> Sent:
        """Drain nothing."""
        raise AssertionError("a drain needs a wire")


async def peek(world: WireWorld, target: Key, fields: Any) -> State:
    """Return control fields as a console would read them now, without moving slow changes on."""
    mirror = WireWorld()
    mirror.state = copy.deepcopy(world.state)
    return await AwsReader(MemoryApi(mirror, FakeClock(auto=True)), SCOPE).state(target, fields)
