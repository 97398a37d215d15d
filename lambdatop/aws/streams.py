"""The streams behind event source mappings: how long they keep their records."""

from __future__ import annotations

from collections.abc import Sequence

from lambdatop.aws import known
from lambdatop.aws.facts import optional
from lambdatop.aws.session import Api
from lambdatop.domain.errors import Missing
from lambdatop.domain.events import Event, StreamsObserved
from lambdatop.domain.mapping import MappingFacts
from lambdatop.domain.ports import View
from lambdatop.domain.scope import Key, Scope
from lambdatop.domain.stream import DYNAMODB_RETENTION_S, StreamFacts

PER_ROUND = 10
"""DescribeStreamSummary allows 20 calls a second in the whole account."""


class StreamsSource:
    """DescribeStreamSummary of each Kinesis stream in turn; a DynamoDB stream's retention is fixed."""

    name = "streams"

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._asked: dict[Key, int] = {}
        self._round = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """One round; raises Denied or another SourceError of the first stream that cannot be read."""
        self._round += 1
        behind: dict[Key, MappingFacts] = {}
        for mapping in known.mappings(view, self._scope):
            if mapping.source_stream is not None:
                behind.setdefault(mapping.source_stream, mapping)
        waiting = [k for k, m in behind.items() if m.source_kind == "kinesis"]
        waiting.sort(key=lambda k: (self._asked.get(k, 0), k))
        found = [
            StreamFacts(k, m.source_arn, "dynamodb", DYNAMODB_RETENTION_S)
            for k, m in sorted(behind.items())
            if m.source_kind == "dynamodb"
        ]
        for key in waiting[:PER_ROUND]:
            facts = await self._read(key, behind[key].source_arn)
            self._asked[key] = self._round
            if facts is not None:
                found.append(facts)
        return (StreamsObserved(self._scope, self._api.now(), tuple(found)),) if found else ()

    def pace_floor(self, view: View) -> tuple[float, str]:
        """The configured pace stands."""
        return 0.0, ""

    async def _read(self, key: Key, arn: str) -> StreamFacts | None:
        try:
            answer = await self._api.read("kinesis", "DescribeStreamSummary", StreamARN=arn)
        except Missing:
            return None
        summary = answer.get("StreamDescriptionSummary") or {}
        hours = optional(summary.get("RetentionPeriodHours"))
        return StreamFacts(
            key, arn, "kinesis", hours * 3600 if hours else None, optional(summary.get("OpenShardCount"))
        )
