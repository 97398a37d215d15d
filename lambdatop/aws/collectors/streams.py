"""The streams behind event source mappings: how long they keep their records."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from lambdatop.aws.facts import known
from lambdatop.aws.facts.resources import optional
from lambdatop.aws.reads.gaps import ReportedGaps, gap_of
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.errors import gravest
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import CredentialsError, Missing, NotAnswered, SourceError, Throttled
from lambdatop.domain.facts.event_source_mapping import DYNAMODB_RETENTION_S, MappingFacts, StreamFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.graph.nodes import node
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import STREAMS
from lambdatop.domain.state.events import Event, StreamsObserved

PER_ROUND = 10
"""DescribeStreamSummary allows 20 calls a second in the whole account."""

AGAIN_AFTER = 10
"""Rounds after which a stream is read again: retention and shards seldom change."""

_log = logging.getLogger(__name__)


class StreamsSource:
    """DescribeStreamSummary of each Kinesis stream in turn; a DynamoDB stream's retention is fixed."""

    name = STREAMS.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._asked: dict[Key, int] = {}
        self._answered: dict[Key, int] = {}
        self._unread: dict[Key, Gap] = {}
        self._reported = ReportedGaps(self.name)
        self._round = self._ended = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round; raises Denied when no stream may be read, and whatever stops all reads."""
        self._round += 1
        behind = self._behind(view)
        found = [
            StreamFacts(key, node(m.source_arn), "dynamodb", DYNAMODB_RETENTION_S)
            for key, m in sorted(behind.items())
            if m.source_kind == "dynamodb" and key not in view.world.streams
        ]
        failures: list[SourceError] = []
        answered = bool(found)
        for key in self._waiting([k for k, m in behind.items() if m.source_kind == "kinesis"]):
            try:
                facts = await self._read(key, node(behind[key].source_arn))
                found += [facts] if facts is not None else []
                self._answered[key] = self._round
                answered = True
                self._unread.pop(key, None)
            except (Throttled, CredentialsError) as error:
                failures.append(error)  # the others would fail, too
                break
            except SourceError as error:
                failures.append(error)
                self._unread[key] = gap_of(self.name, error, "kinesis", "DescribeStreamSummary", key.id)
                _log.debug("%s was not read: %s", key, error)
            self._asked[key] = self._round
        self._ended = self._round
        if failures and not answered:
            raise gravest(failures)
        self._unread = {key: gap for key, gap in self._unread.items() if key in behind}
        events: list[Event] = [StreamsObserved(self._scope, self._api.now(), tuple(found))] if found else []
        return (*events, *self._reported.changes(self._scope, self._api.now(), self._unread.values()))

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return the Kinesis streams that were not read yet."""
        behind = self._behind(view).items()
        waiting = sum(
            m.source_kind == "kinesis" and not 0 < self._asked.get(key, 0) <= self._ended for key, m in behind
        )
        return (Gap(self.name, STREAMS.action, None, "not asked", waiting),) if waiting else ()

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def _behind(self, view: View) -> dict[Key, MappingFacts]:
        """Return one mapping of each stream and table; enabled ones come before disabled ones."""
        found: dict[Key, MappingFacts] = {}
        for mapping in sorted(known.mappings(view, self._scope), key=lambda m: (not m.enabled, m.key)):
            if mapping.source_stream is not None:
                found.setdefault(mapping.source_stream, mapping)
        return found

    def _waiting(self, keys: Sequence[Key]) -> list[Key]:
        """Return streams never read or read long ago; those asked about longest ago come first."""
        self._asked = {k: self._asked.get(k, 0) for k in keys}
        self._answered = {k: self._answered.get(k, -AGAIN_AFTER) for k in keys}
        due = [k for k in keys if self._round - self._answered[k] >= AGAIN_AFTER]
        return sorted(due, key=lambda k: (self._asked[k], k))[:PER_ROUND]

    async def _read(self, key: Key, arn: str) -> StreamFacts | None:
        try:
            answer = await self._api.read("kinesis", "DescribeStreamSummary", StreamARN=arn)
        except Missing:
            return None
        summary = answer.get("StreamDescriptionSummary") or {}
        hours, shards = optional(summary.get("RetentionPeriodHours")), optional(summary.get("OpenShardCount"))
        if not hours:
            raise NotAnswered(f"DescribeStreamSummary of {key.id} answered without a retention.")
        return StreamFacts(key, arn, "kinesis", hours * 3600, shards)


SPEC = CollectorSpec(
    source=STREAMS,
    make=lambda opened: StreamsSource(opened.api, opened.scope),
)
