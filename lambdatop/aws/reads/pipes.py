"""Read pipes of EventBridge before a change, and find them by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lambdatop.aws.facts.resources import arn_text, optional
from lambdatop.aws.reads.gaps import Gaps
from lambdatop.aws.reads.queues import QueueReader
from lambdatop.aws.reads.single_reads import Parts
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.facts.not_read import NEVER_ASKED, NOT_ASKED, NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.source_kinds import source_kind
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.mitigations.pipes import FIELD, RECORD_AGE
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.situation import PipeSituation
from lambdatop.domain.sanitize import clean_name

_NAME = re.compile(r"^[._A-Za-z0-9-]{1,64}$")
_STREAMS = ("KinesisStreamParameters", "DynamoDBStreamParameters")


class Pipes:
    """Reads pipes of one scope; every method raises SourceError kinds."""

    def __init__(self, api: Api, scope: Scope, queues: QueueReader) -> None:
        self._api = api
        self._scope = scope
        self._queues = queues
        self._parts = Parts(api, scope)

    async def find(self, name: str) -> list[Key]:
        """Find the pipe of this name."""
        if not _NAME.match(name):
            return []
        await self._describe(name)
        return [Key(self._scope, "pipe", name)]

    async def names(self) -> set[str]:
        """Return the names of all pipes."""
        return {clean_name(str(one.get("Name") or "")) for one in await self._listed()}

    async def situation(self, key: Key) -> PipeSituation:
        """Read a pipe, and how long its source keeps events; of its parameters only what limits their age."""
        gaps, at = Gaps(), self._api.now()
        answer = await self._describe(key.id)
        source = arn_text(answer.get("Source"))
        queue, retention = await self._retention(source, gaps)
        age, dead_letters = await self._waiting(queue, gaps)
        return PipeSituation(
            ref=Ref(key, arn_text(answer.get("Arn")), key.id),
            at=at,
            state=clean_name(str(answer.get("CurrentState") or "")),
            wanted=clean_name(str(answer.get("DesiredState") or "")),
            source=source,
            target=arn_text(answer.get("Target")),
            enrichment=arn_text(answer.get("Enrichment")),
            queue=queue,
            retention_s=retention,
            record_age_s=_record_age_s(answer),
            oldest_age_s=age,
            dead_letters=dead_letters,
            gaps=tuple(gaps.sentences),
        )

    async def state(self, key: Key, fields: object = ()) -> dict[str, Any]:
        """Read the control fields of a pipe."""
        answer = await self._describe(key.id)
        return {FIELD: clean_name(str(answer.get("CurrentState") or "")), RECORD_AGE: _record_age_s(answer)}

    async def _listed(self) -> list[Mapping[str, Any]]:
        pages = self._api.pages("pipes", "ListPipes", token="NextToken", Limit=100)
        return [one async for page in pages for one in page.get("Pipes") or ()]

    async def _describe(self, name: str) -> dict[str, Any]:
        return await self._api.read("pipes", "DescribePipe", Name=name)

    async def _retention(
        self, source: str, gaps: Gaps
    ) -> tuple[QueueFacts | NotKnown | None, int | NotKnown]:
        """Read the source's queue, or how long its stream keeps records (s)."""
        kind = source_kind(source)
        if kind == "sqs":
            read = self._queues.read(source)
            return await gaps.read("sqs:GetQueueAttributes", f"the state of {source} is", read), NOT_ASKED
        if kind != "kinesis":
            return None, NEVER_ASKED
        read_retention = self._parts.kinesis_retention_s(source)
        action = "kinesis:DescribeStreamSummary"
        return None, await gaps.read(action, "how long the stream keeps records is", read_retention)

    async def _waiting(
        self, queue: QueueFacts | NotKnown | None, gaps: Gaps
    ) -> tuple[float | NotKnown, bool | NotKnown]:
        """Read how old a queue's oldest message is (s), and whether other queues' failures are put there."""
        if not isinstance(queue, QueueFacts):
            return (queue, queue) if queue is not None else (NEVER_ASKED, NEVER_ASKED)
        read, parts = gaps.read, self._parts
        age = await read(
            "cloudwatch:GetMetricData", "the oldest message's age is", parts.oldest_message_s(queue.key)
        )
        letters = await read(
            "sqs:ListDeadLetterSourceQueues",
            "whether it holds dead letters of other queues is",
            parts.dead_letters_of(queue.url),
        )
        return age, letters if isinstance(letters, NotKnown) else bool(letters)


def _record_age_s(answer: Mapping[str, Any]) -> int | None:
    """Return MaximumRecordAgeInSeconds of a pipe from a stream; None without a limit."""
    parameters = answer.get("SourceParameters") or {}
    ages = (optional((parameters.get(n) or {}).get("MaximumRecordAgeInSeconds")) for n in _STREAMS)
    return next((age for age in ages if age is not None and age >= 0), None)


def pipe_of_arn(text: str) -> str | None:
    """Return the name in a pipe's ARN, None for any other."""
    arn = parse_arn(text)
    if arn is None or arn.service != "pipes" or not arn.resource.startswith("pipe/"):
        return None
    return arn.resource.removeprefix("pipe/")
