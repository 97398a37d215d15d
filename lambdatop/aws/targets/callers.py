"""Dispatch to what reads schedules, pipes and state machines: what invokes functions by a role of its own.

No resource policy names them, so they are looked for when somebody asks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from lambdatop.aws.reads.callers import CallerReads
from lambdatop.aws.reads.pipes import Pipes, pipe_of_arn
from lambdatop.aws.reads.queues import QueueReader
from lambdatop.aws.reads.schedules import Schedules, schedule_of_arn
from lambdatop.aws.reads.state_machines import StateMachines, machine_of_arn
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import Missing
from lambdatop.domain.keys import Key, Kind, Scope
from lambdatop.domain.plans.situation import Situation


class Caller(Protocol):
    """Reads one kind of them; every method raises SourceError kinds."""

    async def find(self, name: str) -> list[Key]:
        """Find the one of this name; raises Missing."""

    async def names(self) -> set[str]:
        """Return the names of all."""

    async def situation(self, key: Key) -> Situation:
        """Read what a planner needs to know."""

    async def state(self, key: Key, fields: Collection[str]) -> dict[str, Any]:
        """Read control fields."""


WORDS: Mapping[str, str] = {
    "schedule": "schedule (GROUP/NAME, or NAME in the default group)",
    "pipe": "pipe",
    "state machine": "state machine",
}
"""The kinds, as a sentence calls them."""


class Callers:
    """The kinds of one scope, by name."""

    def __init__(self, api: Api, scope: Scope, queues: QueueReader, reads: CallerReads) -> None:
        self.invoking = reads.invoking
        self._kinds: Mapping[str, Caller] = {
            "schedule": Schedules(api, scope),
            "pipe": Pipes(api, scope, queues),
            "state machine": StateMachines(api, scope),
        }

    def of(self, kind: str) -> Caller | None:
        """Return what reads this kind; None for another kind of thing."""
        return self._kinds.get(kind)

    async def find(self, kind: str, text: str) -> list[Key]:
        """Find the one that `text` names, by its name or ARN."""
        named = named_by(text)
        try:
            return await self._kinds[kind].find(named[1] if named and named[0] == kind else text)
        except Missing:
            return []


def named_by(text: str) -> tuple[Kind, str] | None:
    """Return kind and name of an ARN of one of these, None for any other text."""
    if (schedule := schedule_of_arn(text)) is not None:
        return "schedule", schedule
    if (pipe := pipe_of_arn(text)) is not None:
        return "pipe", pipe
    machine = machine_of_arn(text)
    return ("state machine", machine) if machine is not None else None
