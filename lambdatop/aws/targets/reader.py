"""Read single targets afresh: find one by what a person types, and read its present state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from lambdatop.aws.facts.resources import mapping_facts
from lambdatop.aws.reads.aliases import Aliases
from lambdatop.aws.reads.callers import CallerReads
from lambdatop.aws.reads.durable import DurableReads
from lambdatop.aws.reads.queues import QueueReader
from lambdatop.aws.reads.single_reads import Parts
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.targets.callers import Callers
from lambdatop.aws.targets.cloudtrail import read_trail
from lambdatop.aws.targets.find import Finder
from lambdatop.aws.targets.situations import Situations
from lambdatop.domain.errors import NotAnswered, SourceError, TargetNotFound
from lambdatop.domain.facts.arns import function_arn, queue_arn
from lambdatop.domain.facts.event_source_mapping import CONTROL_FIELDS, MappingFacts
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.mitigations import durable, managed, one_by_one, provisioned, redrive, skip
from lambdatop.domain.plans.plan import State
from lambdatop.domain.plans.situation import Situation
from lambdatop.domain.ports.aws import Related

TRAIL_S = 7 * 86_400.0


class AwsReader:
    """Implements `domain.ports.aws.Reader`; every method raises LambdatopError kinds."""

    def __init__(self, api: Api, scope: Scope, looked: CallerReads | None = None) -> None:
        self._api = api
        self._scope = scope
        self._queues = QueueReader(api, scope)
        looked = looked or CallerReads(api, scope)
        self._situations = Situations(api, scope, self._queues, looked)
        self._aliases = Aliases(api, scope, looked)
        self._callers = Callers(api, scope, self._queues, looked)
        self._durable = DurableReads(api, scope)
        self._finder = Finder(api, scope, self._queues, self._aliases, self._callers)
        self._parts = parts = Parts(api, scope)
        self._controls: dict[str, Callable[[str], Awaitable[Any]]] = {
            "reserved_concurrency": parts.reserved,
            "recursive_loop": parts.recursive_loop,
            "async_config": parts.async_settings,
        }

    async def find(self, target: str, kinds: Collection[str]) -> Key:
        """Find the one thing that `target` means, of these kinds; see `find.Finder`."""
        return await self._finder.find(target, kinds)

    async def situation(self, key: Key) -> Situation:
        """Read everything that a planner needs to know of this target."""
        if key.kind == "function":
            return await self._situations.function(key)
        if key.kind == "mapping":
            return await self._situations.mapping(key)
        if key.kind == "queue":
            return await self._situations.queue(key)
        if key.kind == "alias":
            return await self._aliases.alias(key)
        if key.kind == "rule":
            return await self._aliases.rule(key)
        if (caller := self._callers.of(key.kind)) is not None:
            return await caller.situation(key)
        raise TargetNotFound(f"A {key.kind} cannot be changed.")

    async def related(self, function: Key, kind: str) -> Related:
        """Find the aliases of a function, or the rules, schedules, pipes or state machines that call it."""
        if kind == "alias":
            return Related(tuple(await self._aliases.find_alias(function.id, None)))
        if self._callers.of(kind) is not None:
            found, hidden = await self._callers.invoking(kind, function)
            return Related(tuple(found), hidden)
        answer = await self._api.read("lambda", "GetFunctionConfiguration", FunctionName=function.id)
        arn = str(answer.get("FunctionArn") or "")
        aliases = await self._aliases.find_alias(function.id, None)
        ends = (arn, *(f"{arn}:{key.id.partition(':')[2]}" for key in aliases))
        found, hidden = await self._aliases.rules_of(*ends)
        return Related(tuple(found), hidden)

    async def who(self, key: Key) -> tuple[TrailEvent, ...]:
        """Return who changed it within the last week; raises Denied, Throttled … like every read."""
        return await read_trail(self._api, key, self._api.now() - TRAIL_S)

    async def state(self, plan_target: Key, fields: Collection[str]) -> State:
        """Read the named control fields as they are now; nothing is asked when nothing is named."""
        if not fields:
            return {}
        known: dict[str, Any] = {}
        if plan_target.kind == "function":
            address = function_arn(self._scope, plan_target.id)
            known = {f: await self._controls[f](address) for f in fields if f in self._controls}
            known |= await self._provisioned(address, fields)
            known |= await self._scaling(address, fields)
            known |= await self._executions(plan_target, fields)
        elif plan_target.kind == "mapping":
            known = await self._mapping(plan_target, fields)
        elif plan_target.kind == "queue" and redrive.FIELD in fields:
            task = await self._parts.move_task(queue_arn(plan_target))
            known = {redrive.FIELD: task.control if task else None}
        elif plan_target.kind == "alias":
            known = await self._aliases.alias_state(plan_target)
        elif plan_target.kind == "rule":
            known = await self._aliases.rule_state(plan_target)
        elif (caller := self._callers.of(plan_target.kind)) is not None:
            known = await caller.state(plan_target, fields)
        unknown = sorted(set(fields) - set(known))
        if unknown:
            raise SourceError(f"A {plan_target.kind} has no control field {', '.join(unknown)}.")
        return {field: known[field] for field in fields}

    async def _provisioned(self, function: str, fields: Collection[str]) -> dict[str, Any]:
        """Read provisioned concurrency by alias or version; None for one that has none."""
        asked = [f for f in fields if f.startswith(provisioned.FIELD)]
        if not asked:
            return {}
        there = dict(await self._parts.provisioned(function))
        return {f: there.get(f.removeprefix(provisioned.FIELD)) for f in asked}

    async def _scaling(self, function: str, fields: Collection[str]) -> dict[str, Any]:
        """Read the scaling of versions on managed instances."""
        asked = [f for f in fields if f.startswith(managed.FIELD)]
        found = [await self._parts.scaling(function, f.removeprefix(managed.FIELD)) for f in asked]
        return dict(zip(asked, map(managed.control, found), strict=True))

    async def _executions(self, function: Key, fields: Collection[str]) -> dict[str, Any]:
        """Read the status of single durable executions, and all that run where a plan asks for these."""
        asked = [f for f in fields if f.startswith(one_by_one.FIELD)]
        found = [await self._durable.status(function, f.removeprefix(one_by_one.FIELD)) for f in asked]
        known: dict[str, Any] = dict(zip(asked, found, strict=True))
        if durable.LOOKED_AT in fields:
            known[durable.LOOKED_AT] = await self._durable.running(function)
        return known

    async def _age(self, facts: MappingFacts) -> float | None:
        """Return the oldest event's age, None while CloudWatch has none: then it falls or rises nowhere."""
        try:
            return await self._parts.oldest_age_s(facts)
        except NotAnswered:
            return None

    async def _mapping(self, key: Key, fields: Collection[str]) -> dict[str, Any]:
        """Read control fields of a mapping; the age of its oldest event costs a call of its own."""
        answer = await self._api.read("lambda", "GetEventSourceMapping", UUID=key.id)
        facts = mapping_facts(self._scope, answer)
        known = {name: read(facts) for name, read in CONTROL_FIELDS.items()}
        known[skip.PROBLEM] = facts.last_result if facts.last_result.startswith("PROBLEM") else ""
        if skip.AGE in fields:
            known[skip.AGE] = await self._age(facts)
        return known
