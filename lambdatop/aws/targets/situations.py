"""Read everything that a planner needs to know of one target, afresh and concurrently.

Essential parts raise; every other part that cannot be read becomes a sentence in `gaps`, which names the
operation, and the plan shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from lambdatop.aws.facts.resources import (
    arn_text,
    function_facts,
    mapping_facts,
    provider_of,
    reserved_of,
)
from lambdatop.aws.reads.callers import CallerReads
from lambdatop.aws.reads.gaps import Gaps
from lambdatop.aws.reads.queues import QueueReader
from lambdatop.aws.reads.single_reads import Parts, list_mappings, unasked
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.facts.arns import function_arn, queue_arn
from lambdatop.domain.facts.event_source_mapping import DYNAMODB_RETENTION_S, MappingFacts
from lambdatop.domain.facts.function_state import Scaling
from lambdatop.domain.facts.not_read import NEVER_ASKED, NotKnown, or_none
from lambdatop.domain.facts.queue import MoveTask, QueueFacts
from lambdatop.domain.facts.triggers import AsyncConfig
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.situation import (
    Consumer,
    FunctionSituation,
    MappingSituation,
    QueueSituation,
)


class Situations:
    """Reads situations of functions, mappings and queues of one scope."""

    def __init__(self, api: Api, scope: Scope, queues: QueueReader, callers: CallerReads) -> None:
        self._api = api
        self._scope = scope
        self._parts = Parts(api, scope)
        self._queues = queues
        self._callers = callers

    async def function(self, key: Key) -> FunctionSituation:
        """Read a function; its configuration and reserved concurrency are essential."""
        gaps, at, parts = Gaps(), self._api.now(), self._parts
        name = function_arn(self._scope, key.id)
        read = gaps.read
        config, concurrency = await asyncio.gather(
            parts.function("GetFunctionConfiguration", name),
            parts.function("GetFunctionConcurrency", name),
        )
        facts = function_facts(self._scope, config, "lambda:GetFunctionConfiguration")
        invoke, provisioned, mappings, (aliases, own), url, account = await asyncio.gather(
            read(
                "lambda:GetFunctionEventInvokeConfig",
                "where failed async events go is",
                parts.async_config(name),
            ),
            read(
                "lambda:ListProvisionedConcurrencyConfigs",
                "provisioned concurrency is",
                parts.provisioned(name),
            ),
            read("lambda:ListEventSourceMappings", "its triggers are", parts.mappings_of(key)),
            self._aliases(name, gaps),
            read("lambda:ListFunctionUrlConfigs", "whether it has a URL is", parts.url(name)),
            read("lambda:GetAccountSettings", "what is left of the pool is", parts.account()),
        )
        scalings = await self._scalings(name, config, gaps)
        known = or_none(aliases) or ()
        (queues, unread), principals, stack, looked = await asyncio.gather(
            self._source_queues(or_none(mappings) or (), gaps),
            read("lambda:GetPolicy", "callers by policy are", parts.principals(name, known)),
            read("lambda:ListTags", "whether a stack owns it is", parts.stack((facts.arn,))),
            self._callers.of(key),
        )
        gaps.sentences += unasked(known)
        return FunctionSituation(
            ref=Ref(facts.key, facts.arn, facts.name),
            at=at,
            facts=facts,
            reserved=reserved_of(concurrency),
            provisioned=provisioned,
            async_config=invoke,
            mappings=mappings,
            queues=queues,
            policy_principals=principals,
            aliases=aliases,
            url=url,
            account=account,
            stack=stack,
            gaps=tuple(gaps.sentences),
            alias_configs=own,
            unread_queues=unread,
            scalings=scalings,
            looked_for=looked,
        )

    async def _scalings(
        self, name: str, config: Mapping[str, Any], gaps: Gaps
    ) -> tuple[Scaling, ...] | NotKnown:
        """Read how versions on managed instances scale; nothing is asked of other functions."""
        arn = provider_of(config)
        if not arn:
            return ()
        return await gaps.read(
            "lambda:GetFunctionScalingConfig",
            "how its versions scale on managed instances is",
            self._parts.scalings(name, arn),
        )

    async def _aliases(
        self, name: str, gaps: Gaps
    ) -> tuple[tuple[str, ...] | NotKnown, tuple[tuple[str, AsyncConfig], ...] | NotKnown]:
        """Read the aliases of a function, and the event-invoke configurations of those that have one."""
        found = await gaps.read("lambda:ListAliases", "its aliases are", self._parts.aliases(name))
        if isinstance(found, NotKnown) or not found:
            return found, found if isinstance(found, NotKnown) else ()
        own = await gaps.read(
            "lambda:ListFunctionEventInvokeConfigs",
            "event-invoke configurations of its aliases are",
            self._parts.alias_configs(name),
        )
        return found, own

    async def mapping(self, key: Key) -> MappingSituation:
        """Read a mapping; its own configuration is essential."""
        gaps, at, parts = Gaps(), self._api.now(), self._parts
        answer = await self._api.read("lambda", "GetEventSourceMapping", UUID=key.id)
        facts = mapping_facts(self._scope, answer)
        owners = (arn_text(answer.get("EventSourceMappingArn")), facts.function_arn)
        (queue, retention, dead_letters), invoked, age, stack = await asyncio.gather(
            self._retention(facts, gaps),
            gaps.read(
                "lambda:GetFunctionConfiguration",
                "whether its function exists is",
                parts.invoked(facts.function_arn),
            ),
            self._oldest_s(facts, gaps),
            gaps.read("lambda:ListTags", "whether a stack owns it is", parts.stack(owners)),
        )
        there, timeout_s = (invoked, invoked) if isinstance(invoked, NotKnown) else invoked
        return MappingSituation(
            ref=Ref(facts.key, facts.uuid, facts.label),
            at=at,
            facts=facts,
            queue=queue,
            retention_s=retention,
            oldest_age_s=age,
            stack=stack,
            gaps=tuple(gaps.sentences),
            dead_letters=dead_letters,
            function_there=there,
            timeout_s=timeout_s,
        )

    async def _oldest_s(self, facts: MappingFacts, gaps: Gaps) -> float | NotKnown:
        """Read the age of the oldest waiting event, s; no metric shows it for other kinds of sources."""
        if facts.source_kind != "sqs" and not facts.kind.ages:
            return NEVER_ASKED
        read = self._parts.greatest_age_s(facts)
        return await gaps.read("cloudwatch:GetMetricData", "the oldest event's age is", read)

    async def queue(self, key: Key) -> QueueSituation:
        """Read a queue; its attributes are essential."""
        gaps, at, parts = Gaps(), self._api.now(), self._parts
        facts = await self._queues.read(queue_arn(key))
        mappings, sources, age, pipes = await asyncio.gather(
            gaps.read(
                "lambda:ListEventSourceMappings",
                "the functions that read it are",
                list_mappings(self._api, self._scope),
            ),
            self._dead_letters_of(facts, gaps),
            gaps.read(
                "cloudwatch:GetMetricData", "the oldest message's age is", parts.oldest_message_s(facts.key)
            ),
            self._callers.pipes.reading(facts.arn),
        )
        task, fared = await self._redrive(facts.arn, mappings, sources, gaps)
        return QueueSituation(
            ref=Ref(facts.key, facts.arn, facts.name),
            at=at,
            facts=facts,
            consumers=mappings
            if isinstance(mappings, NotKnown)
            else tuple(m for m in mappings if m.source_arn == facts.arn),
            dead_letters_of=sources,
            behind=fared,
            move_task=task,
            oldest_age_s=age,
            gaps=tuple(gaps.sentences),
            pipes=pipes,
        )

    async def _dead_letters_of(self, queue: QueueFacts, gaps: Gaps) -> tuple[str, ...] | NotKnown:
        return await gaps.read(
            "sqs:ListDeadLetterSourceQueues",
            "whether it holds dead letters of other queues is",
            self._parts.dead_letters_of(queue.url),
        )

    async def _redrive(
        self,
        arn: str,
        mappings: tuple[MappingFacts, ...] | NotKnown,
        sources: tuple[str, ...] | NotKnown,
        gaps: Gaps,
    ) -> tuple[MoveTask | NotKnown | None, tuple[Consumer, ...] | NotKnown]:
        """Read the newest redrive, and errors and throttles of the functions that would get the messages."""
        if not sources:
            return None, ()
        read, parts = gaps.read, self._parts
        task = await read("sqs:ListMessageMoveTasks", "whether a redrive runs is", parts.move_task(arn))
        if isinstance(mappings, NotKnown):
            return task, mappings
        if isinstance(sources, NotKnown):
            return task, sources
        behind = [m for m in mappings if m.source_name in sources and m.source_kind == "sqs"]
        fared = await asyncio.gather(
            *(
                read(
                    "cloudwatch:GetMetricData",
                    f"the recent errors of {m.function.id} are",
                    parts.recent_errors(m),
                )
                for m in behind
            ),
        )
        pairs = zip(behind, fared, strict=True)
        return task, tuple(Consumer(m) if isinstance(f, NotKnown) else f for m, f in pairs)

    async def _source_queues(
        self, mappings: Iterable[MappingFacts], gaps: Gaps
    ) -> tuple[tuple[QueueFacts, ...], tuple[tuple[str, NotKnown], ...]]:
        """Read the queues that feed these mappings; returns, by ARN, also those that could not be read."""
        arns = sorted({m.source_arn for m in mappings if m.source_kind == "sqs"})
        found = await asyncio.gather(*(self._queue(arn, gaps) for arn in arns))
        pairs = tuple(zip(arns, found, strict=True))
        unread = tuple((arn, q) for arn, q in pairs if isinstance(q, NotKnown))
        return tuple(q for _, q in pairs if not isinstance(q, NotKnown)), unread

    async def _queue(self, arn: str, gaps: Gaps) -> QueueFacts | NotKnown:
        return await gaps.read("sqs:GetQueueAttributes", f"the state of {arn} is", self._queues.read(arn))

    async def _retention(
        self, facts: MappingFacts, gaps: Gaps
    ) -> tuple[QueueFacts | NotKnown | None, int | NotKnown, bool | NotKnown]:
        """Read the source queue, how long the source keeps events (s), and whether these are dead letters."""
        if facts.source_kind == "sqs":
            queue = await self._queue(facts.source_arn, gaps)
            if isinstance(queue, NotKnown):
                return queue, queue, queue
            dead_letters = await self._dead_letters_of(queue, gaps)
            return (
                queue,
                queue.retention_s,
                dead_letters if isinstance(dead_letters, NotKnown) else bool(dead_letters),
            )
        if facts.source_kind == "dynamodb":
            return None, DYNAMODB_RETENTION_S, False
        if facts.source_kind != "kinesis":
            return None, NEVER_ASKED, False
        retention = await gaps.read(
            "kinesis:DescribeStreamSummary",
            "how long the stream keeps records is",
            self._parts.kinesis_retention_s(facts.source_arn),
        )
        return None, retention, False
