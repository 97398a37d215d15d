"""How each function is invoked and what becomes of its failed events, function by function.

No list operation returns this: three calls a function, so functions take turns, those on screen first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from lambdatop.aws.facts import known
from lambdatop.aws.facts.known import RECENT_POINTS, round_robin
from lambdatop.aws.facts.resource_policy import NoPolicy, push_triggers
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND, not_known
from lambdatop.aws.reads.single_reads import Parts
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import Missing, SourceError
from lambdatop.domain.facts.not_read import Gap, NotKnown
from lambdatop.domain.facts.triggers import FunctionTriggers, PushTrigger
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import TRIGGERS
from lambdatop.domain.state.events import Event, TriggersObserved

PER_ROUND = 10
AT_ONCE = 3
T = TypeVar("T")

_PARTS = ("GetFunctionEventInvokeConfig", "GetPolicy", "GetFunctionRecursionConfig")


class TriggersSource:
    """Event-invoke config, resource policy and loop detection of at most ten functions a round.

    Functions never read come before all others, so that 1,000 functions take 100 rounds.
    """

    name = TRIGGERS.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._parts = Parts(api, scope)
        self._asked: dict[Key, int] = {}
        self._round = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round; raises what refused the first read when nothing of it could be read."""
        self._round += 1
        at = self._api.now()
        keys = [f.key for f in known.functions(view, self._scope)]
        self._asked = {k: self._asked[k] for k in keys if k in self._asked}
        chosen = self._chosen(view, keys)
        gate = asyncio.Semaphore(AT_ONCE)
        failed: list[SourceError] = []

        async def one(key: Key) -> tuple[FunctionTriggers | None, list[SourceError]]:
            async with gate:
                if failed:  # throttled: the others would be too
                    return None, []
                try:
                    return await self._read(key)
                except SourceError as error:
                    failed.append(error)
                    return None, []

        answers = await asyncio.gather(*(one(key) for key in chosen))
        if failed:
            raise failed[0]
        self._asked |= dict.fromkeys(chosen, self._round)
        found = tuple(triggers for triggers, _ in answers if triggers is not None)
        refused = [error for _, errors in answers for error in errors]
        if refused and all(len(t.unread) == len(_PARTS) for t in found):
            raise refused[0]
        return (TriggersObserved(self._scope, at, found),) if found else ()

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return the functions that were not asked about yet."""
        waiting = sum(f.key not in view.world.triggers for f in known.functions(view, self._scope))
        actions = TRIGGERS.each_function if waiting else ()
        return tuple(Gap(self.name, action, None, "not asked", waiting) for action in actions)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def _chosen(self, view: View, keys: Sequence[Key]) -> list[Key]:
        unread = [k for k in keys if k not in self._asked]
        first = round_robin(view, unread, self._asked, PER_ROUND, self._api.give_way)
        watched = sorted(view.watched.intersection(keys))
        rest = round_robin(view, keys, self._asked, PER_ROUND, self._api.give_way)
        return list(dict.fromkeys((*watched, *_urgent(view, unread), *first, *rest)))[:PER_ROUND]

    async def _read(self, key: Key) -> tuple[FunctionTriggers | None, list[SourceError]]:
        """Return all parts of one function, each read by itself; None for one that has just been deleted."""
        refused: list[SourceError] = []

        async def part(read: Callable[[str], Awaitable[T]], operation: str) -> T | NotKnown:
            try:
                return await read(key.id)
            except (Missing, *ENDS_THE_ROUND):
                raise
            except SourceError as error:
                refused.append(error)
                return not_known(error, "lambda", operation)

        try:
            config = await part(self._parts.async_config, _PARTS[0])
            policy = await part(self._policy, _PARTS[1])
            loop = await part(self._parts.recursive_loop, _PARTS[2])
        except Missing:
            return None, []
        push, size, left = (policy, None, 0) if isinstance(policy, NotKnown) else policy
        return FunctionTriggers(key, config, push, loop, size, left), refused

    async def _policy(self, name: str) -> tuple[tuple[PushTrigger, ...] | NotKnown, int | None, int]:
        """Return the triggers that the policy allows, its size in bytes, and how many are left out."""
        try:
            answer = await self._api.read("lambda", "GetPolicy", FunctionName=name)
        except Missing:
            return (), 0, 0
        policy = answer["Policy"]
        try:
            allowed = push_triggers(policy)
        except NoPolicy:
            return NotKnown("not readable", "lambda:GetPolicy"), None, 0
        return allowed.kept, len(policy.encode(errors="replace")), allowed.left


SPEC = CollectorSpec(
    source=TRIGGERS,
    make=lambda opened: TriggersSource(opened.api, opened.scope),
)


def _urgent(view: View, unread: Sequence[Key]) -> list[Key]:
    """Return functions that may lose asynchronous events: their failure path is read here."""

    def count(key: Key, metric: str) -> float:
        return sum(view.world.metric(key, metric).values[-RECENT_POINTS:])

    lost = {k: n for k in unread if (n := count(k, "AsyncEventsDropped")) or k in view.hot}
    pushed = {k: n for k in unread if k not in lost and (n := count(k, "AsyncEventsReceived"))}
    return [k for group in (lost, pushed) for k in sorted(group, key=lambda k: (-group[k], k))]
