"""Kinds of event sources, one entry each: where events wait, what a failed batch holds up, what can be set.

Sources: Lambda developer guide, "Using Lambda with Amazon SQS", "… Kinesis", "… DynamoDB", "… Amazon MQ"
(with "Troubleshoot Amazon MQ event source mapping errors"), "… Amazon DocumentDB", "Configuring error
handling controls for Kafka event sources", "Apache Kafka event poller scaling modes in Lambda", "Configuring
scaling behavior for SQS event source mappings"; model of UpdateEventSourceMapping, ProvisionedPollerConfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from lambdatop.domain.facts.triggers import Invocation
from lambdatop.domain.keys import parse_arn

When = Literal["always", "provisioned", "never"]
"""When AWS takes a setting: for each mapping of the kind, or for those with provisioned pollers."""


class SourceKind(Struct, frozen=True):
    """One kind of event source.

    `event` is what it delivers, `place` where that waits. `part` is what a failed batch holds up, "" where
    others go past it. `limits` says when AWS takes MaximumRetryAttempts, MaximumRecordAgeInSeconds,
    BisectBatchOnFunctionError and ReportBatchItemFailures; `partial` when the last of these alone. `ages` is
    whether IteratorAge of the function shows how far it is behind. `at_once` are the invocations at once of
    one mapping where AWS fixes them. `least_pollers`, `fewest_most` and `most_pollers` are the bounds of its
    provisioned mode: MinimumPollers is from the first to the second, MaximumPollers from the first to the
    third (0: it has none); `per_poller` are the invocations at once of each. `default_window` says what
    MaximumBatchingWindowInSeconds is where it was never set; a default below 1 s cannot be set again.
    """

    name: str
    service: str
    event: str
    place: str
    part: str = ""
    invocation: Invocation = "stream poll"
    limits: When = "never"
    partial: When = "never"
    ages: bool = False
    at_once: str = ""
    least_pollers: int = 0
    fewest_most: int = 0
    most_pollers: int = 0
    per_poller: int = 0
    default_window: str = "0 s"

    @property
    def window_returns(self) -> bool:
        """Whether its default batching window can be set again."""
        return self.default_window == "0 s"


HALF_A_SECOND = "500 ms"
"""MaximumBatchingWindowInSeconds of Kafka, Amazon MQ and DocumentDB where it was never set: whole seconds
only can be set (model of UpdateEventSourceMapping)."""

_KINDS = (
    SourceKind(
        "sqs",
        "sqs",
        "messages",
        "the queue",
        invocation="queue poll",
        partial="always",
        least_pollers=2,
        fewest_most=200,
        most_pollers=10_000,
        per_poller=10,
    ),
    SourceKind(
        "kinesis", "kinesis", "records", "the stream", "shard", limits="always", partial="always", ages=True
    ),
    SourceKind(
        "dynamodb", "dynamodb", "records", "the stream", "shard", limits="always", partial="always", ages=True
    ),
    SourceKind(
        "kafka",
        "kafka",
        "records",
        "the topic",
        "partition",
        limits="provisioned",
        partial="provisioned",
        least_pollers=1,
        fewest_most=200,
        most_pollers=2_000,
        per_poller=5,
        default_window=HALF_A_SECOND,
    ),
    SourceKind(
        "mq",
        "mq",
        "messages",
        "the broker",
        invocation="broker poll",
        at_once="at most 5 (ActiveMQ) or 1 (RabbitMQ) at once",
        default_window=HALF_A_SECOND,
    ),
    SourceKind(
        "documentdb",
        "rds",
        "changes",
        "the change stream",
        "change stream",
        ages=True,
        at_once="one at a time",
        default_window=HALF_A_SECOND,
    ),
)
OTHER = SourceKind("other", "", "events", "their source")
"""An event source of a kind that lambdatop does not know."""

SOURCE_KINDS: Mapping[str, SourceKind] = {kind.name: kind for kind in _KINDS}
_BY_SERVICE: Mapping[str, str] = {kind.service: kind.name for kind in _KINDS}
STREAMS = tuple(kind.name for kind in _KINDS if kind.part == "shard")
"""Kinds whose records wait in shards, for a time that can be read."""
ORDERED = tuple(kind.name for kind in _KINDS if kind.part)
"""Kinds of which a failed batch holds up what comes behind it."""
AGED = tuple(kind.name for kind in _KINDS if kind.ages)
"""Kinds whose functions have an IteratorAge."""


def kind_of(name: str) -> SourceKind:
    """Return the kind of this name."""
    return SOURCE_KINDS.get(name, OTHER)


def source_kind(arn: str | None) -> str:
    """Return the kind of an event source: sqs, kinesis, dynamodb, kafka, mq, documentdb, other.

    A self-managed Kafka cluster has addresses and no ARN.
    """
    parsed = parse_arn(arn or "")
    return _BY_SERVICE.get(parsed.service, OTHER.name) if parsed else "kafka"
