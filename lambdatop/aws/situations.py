"""Everything a planner wants to know of one target, read fresh and side by side.

What is essential raises; every other part that cannot be read becomes a sentence in `gaps`, which names
the operation, and the plan shows it instead of pretending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from lambdatop.aws.facts import arn_text, function_facts, mapping_facts, reserved_of
from lambdatop.aws.gaps import Gaps
from lambdatop.aws.mappings import list_mappings
from lambdatop.aws.parts import Parts, unasked
from lambdatop.aws.queues import QueueReader
from lambdatop.aws.session import Api
from lambdatop.domain.finding import Ref
from lambdatop.domain.mapping import MappingFacts
from lambdatop.domain.queue import MoveTask, QueueFacts
from lambdatop.domain.scope import Key, Scope
from lambdatop.domain.situation import Consumer, FunctionSituation, MappingSituation, QueueSituation
from lambdatop.domain.stream import DYNAMODB_RETENTION_S


class Situations:
    """Reads situations of functions, mappings and queues of one scope."""

    def __init__(self, api: Api, scope: Scope, queues: QueueReader) -> None:
        self._api = api
        self._scope = scope
        self._parts = Parts(api, scope)
        self._queues = queues

    async def function(self, key: Key) -> FunctionSituation:
        """A function; its configuration and reserved concurrency are essential."""
        name, gaps, at, parts = key.id, Gaps(), self._api.now(), self._parts
        fill = gaps.fill
        config, concurrency = await asyncio.gather(
            parts.function("GetFunctionConfiguration", name),
            parts.function("GetFunctionConcurrency", name),
        )
        facts = function_facts(self._scope, config)
        provisioned, invoke, mappings, aliases, url, account = await asyncio.gather(
            fill(
                "lambda:ListProvisionedConcurrencyConfigs",
                "provisioned concurrency is",
                (),
                parts.provisioned(name),
            ),
            fill(
                "lambda:GetFunctionEventInvokeConfig",
                "where failed async events go is",
                None,
                parts.async_config(name),
            ),
            fill("lambda:ListEventSourceMappings", "its triggers are", (), parts.mappings_of(key)),
            fill("lambda:ListAliases", "its aliases are", (), parts.aliases(name)),
            fill("lambda:ListFunctionUrlConfigs", "whether it has a URL is", None, parts.url(name)),
            fill("lambda:GetAccountSettings", "what is left of the pool is", None, parts.account()),
        )
        queues, principals, stack = await asyncio.gather(
            self._source_queues(mappings, gaps),
            fill("lambda:GetPolicy", "callers by policy are", (), parts.principals(name, aliases)),
            fill("lambda:ListTags", "whether a stack owns it is", None, parts.stack((facts.arn,))),
        )
        gaps.sentences += unasked(aliases)
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
        )

    async def mapping(self, key: Key) -> MappingSituation:
        """A mapping; its own configuration is essential."""
        gaps, at, parts = Gaps(), self._api.now(), self._parts
        answer = await self._api.read("lambda", "GetEventSourceMapping", UUID=key.id)
        facts = mapping_facts(self._scope, answer)
        owners = (arn_text(answer.get("EventSourceMappingArn")), facts.function_arn)
        (queue, retention), age, stack = await asyncio.gather(
            self._retention(facts, gaps),
            gaps.fill(
                "cloudwatch:GetMetricData", "the oldest event's age is", None, parts.oldest_age_s(facts)
            ),
            gaps.fill("lambda:ListTags", "whether a stack owns it is", None, parts.stack(owners)),
        )
        return MappingSituation(
            ref=Ref(facts.key, facts.uuid, f"{facts.source_name} → {facts.function.id}"),
            at=at,
            facts=facts,
            queue=queue,
            retention_s=retention,
            oldest_age_s=age,
            stack=stack,
            gaps=tuple(gaps.sentences),
        )

    async def queue(self, key: Key) -> QueueSituation:
        """A queue; its attributes are essential."""
        gaps, at, parts = Gaps(), self._api.now(), self._parts
        facts = await self._queues.read(queue_arn(key))
        mappings, sources, age = await asyncio.gather(
            gaps.fill(
                "lambda:ListEventSourceMappings",
                "the functions that read it are",
                (),
                list_mappings(self._api, self._scope),
            ),
            gaps.fill(
                "sqs:ListDeadLetterSourceQueues",
                "whether it holds dead letters of other queues is",
                (),
                parts.dead_letters_of(facts.url),
            ),
            gaps.fill(
                "cloudwatch:GetMetricData",
                "the oldest message's age is",
                None,
                parts.oldest_message_s(facts.key),
            ),
        )
        behind = tuple(m for m in mappings if m.source_name in sources and m.source_kind == "sqs")
        task, fared = await self._redrive(facts.arn, behind, gaps) if sources else (None, ())
        return QueueSituation(
            ref=Ref(facts.key, facts.arn, facts.name),
            at=at,
            facts=facts,
            consumers=tuple(m for m in mappings if m.source_arn == facts.arn),
            dead_letters_of=sources,
            behind=fared,
            move_task=task,
            oldest_age_s=age,
            gaps=tuple(gaps.sentences),
        )

    async def _redrive(
        self, arn: str, behind: tuple[MappingFacts, ...], gaps: Gaps
    ) -> tuple[MoveTask | None, tuple[Consumer, ...]]:
        """The newest redrive, and how those fare who would get the messages."""
        fill, parts = gaps.fill, self._parts
        task = await fill("sqs:ListMessageMoveTasks", "whether a redrive runs is", None, parts.move_task(arn))
        fared = await asyncio.gather(
            *(
                fill(
                    "cloudwatch:GetMetricData",
                    f"how {m.function.id} fares is",
                    Consumer(m),
                    parts.fares(m),
                )
                for m in behind
            ),
        )
        return task, tuple(fared)

    async def _source_queues(self, mappings: Iterable[MappingFacts], gaps: Gaps) -> tuple[QueueFacts, ...]:
        arns = sorted({m.source_arn for m in mappings if m.source_kind == "sqs"})
        found = await asyncio.gather(*(self._queue(arn, gaps) for arn in arns))
        return tuple(q for q in found if q is not None)

    async def _queue(self, arn: str, gaps: Gaps) -> QueueFacts | None:
        return await gaps.fill(
            "sqs:GetQueueAttributes", f"the state of {arn} is", None, self._read_queue(arn)
        )

    async def _read_queue(self, arn: str) -> QueueFacts | None:
        return await self._queues.read(arn)

    async def _retention(self, facts: MappingFacts, gaps: Gaps) -> tuple[QueueFacts | None, int | None]:
        """The source queue, if it is one, and how long the source keeps events (s)."""
        if facts.source_kind == "sqs":
            queue = await self._queue(facts.source_arn, gaps)
            return queue, queue.retention_s if queue else None
        if facts.source_kind == "dynamodb":
            return None, DYNAMODB_RETENTION_S
        if facts.source_kind != "kinesis":
            return None, None
        retention = await gaps.fill(
            "kinesis:DescribeStreamSummary",
            "how long the stream keeps records is",
            None,
            self._parts.kinesis_retention_s(facts.source_arn),
        )
        return None, retention


def queue_arn(key: Key) -> str:
    """The ARN of a queue key, in the partition of its region."""
    return f"arn:{partition(key.scope.region)}:sqs:{key.scope.region}:{key.scope.account}:{key.id}"


def partition(region: str) -> str:
    """The ARN partition of a region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
