"""Event source mappings: what feeds a function, and what happens to a failed event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from lambdatop.domain.facts.function import FunctionFacts, Reserved
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.source_kinds import STREAMS, SourceKind, When, kind_of
from lambdatop.domain.keys import Key, key_of, parse_arn, qualified_name

LEAST_CONCURRENCY = 2
"""The smallest MaximumConcurrency that AWS takes."""
SQS_CONCURRENCY = 1_250
"""Concurrent invocations of a queue's mapping without a limit of its own."""
SQS_FIRST, SQS_MORE_PER_MIN = 5, 300
"""Concurrent invocations with which a queue's mapping begins, and by how many more a minute it grows."""
POLLERS_MORE_PER_MIN = 1_000
"""The same in provisioned mode (all three: Lambda developer guide, "Configuring scaling behavior for SQS
event source mappings", which also says that MaximumConcurrency and provisioned mode exclude each other)."""
ENDLESS = -1
"""MaximumRetryAttempts and MaximumRecordAgeInSeconds: no limit, AWS's default."""
MOST_RETRIES = 10_000
MOST_AGE_S = 604_800
"""The greatest MaximumRetryAttempts and MaximumRecordAgeInSeconds (model of UpdateEventSourceMapping)."""
KAFKA_RETRIES = 10
"""Retries of Kafka records with a destination and no limit of their own (Lambda developer guide, "Configuring
error handling controls for Kafka event sources")."""
MAX_RECEIVES = 10
"""SQS's default of a redrive policy that names no count (SetQueueAttributes)."""


class MappingFacts(Struct, frozen=True):
    """One event source mapping. Absent optional settings are None, as in the API's answer.

    Units: `batching_window_s`, `max_record_age_s` s; `last_modified` s since the epoch. `pollers_max` and
    `pollers_min` are the bounds of the provisioned pollers, None without them. `part_of_source` names what of
    a cluster or broker is read.
    """

    key: Key
    function: Key
    function_arn: str
    source_arn: str
    source_kind: str
    state: str
    state_reason: str = ""
    last_result: str = ""
    batch_size: int | None = None
    batching_window_s: int | None = None
    parallelization_factor: int | None = None
    max_concurrency: int | None = None
    max_retry_attempts: int | None = None
    max_record_age_s: int | None = None
    bisect_on_error: bool | None = None
    partial_responses: bool = False
    on_failure_arn: str | None = None
    filters: int = 0
    starting_position: str | None = None
    last_modified: float | None = None
    metrics: tuple[str, ...] = ()
    pollers_max: int | None = None
    pollers_min: int | None = None
    poller_group: str = ""
    part_of_source: str = ""

    @property
    def uuid(self) -> str:
        """The mapping's UUID, its only identity."""
        return self.key.id

    @property
    def source_name(self) -> str:
        """Name of the queue, stream or table; of a cluster or broker with the topic, queue or collection."""
        arn = parse_arn(self.source_arn)
        name = arn.name if arn else self.source_arn
        return f"{name}/{self.part_of_source}" if self.part_of_source else name

    @property
    def qualifier(self) -> str:
        """The alias or version that it invokes, "" for the function itself."""
        arn = parse_arn(self.function_arn)
        return (arn.qualifier or "") if arn else ""

    @property
    def function_name(self) -> str:
        """The function that is invoked, with the alias or version that the trigger names."""
        return qualified_name(self.function, self.qualifier)

    @property
    def label(self) -> str:
        """Its source and what it invokes, for people: `orders → web-api:live`."""
        return f"{self.source_name} → {self.function_name}"

    @property
    def reading_order(self) -> tuple[str, str, str]:
        """Names to order a list of mappings by where nothing weighs more; UUIDs are random."""
        return self.source_name, self.function_name, self.key.id

    @property
    def kind(self) -> SourceKind:
        """What holds for sources of its kind."""
        return kind_of(self.source_kind)

    @property
    def limited(self) -> bool:
        """Whether AWS takes limits of retries and age, and bisecting, for it as it is set now."""
        return self._now(self.kind.limits)

    @property
    def takes_partial_responses(self) -> bool:
        """Whether AWS takes ReportBatchItemFailures for it as it is set now."""
        return self._now(self.kind.partial)

    def _now(self, when: When) -> bool:
        return when == "always" or (when == "provisioned" and self.pollers_max is not None)

    @property
    def retries(self) -> int | None:
        """Retries after which a failed batch is given up, None without a limit (ORDERED kinds only)."""
        return given_up_after(self.source_kind, self.max_retry_attempts, self.on_failure_arn)

    @property
    def endless(self) -> bool:
        """Whether a failed batch holds up what comes behind it until it expires.

        The greatest values that AWS takes are no limit: records expire before.
        """
        if not self.kind.part:
            return False
        return self.retries in (None, MOST_RETRIES) and self.max_record_age_s in (None, ENDLESS, MOST_AGE_S)

    @property
    def source_stream(self) -> Key | None:
        """Key of the Kinesis stream or DynamoDB table that feeds it, None for other kinds."""
        if self.source_kind not in STREAMS:
            return None
        return key_of("stream" if self.source_kind == "kinesis" else "table", self.source_arn)

    @property
    def enabled(self) -> bool:
        """Whether it polls or is about to (Enabled, Enabling, Creating, Updating)."""
        return self.state in ("Enabled", "Enabling", "Creating", "Updating")

    @property
    def pollers(self) -> dict[str, Any] | None:
        """Its provisioned pollers as AWS names them, None without provisioned mode."""
        if self.pollers_max is None:
            return None
        bounds = {"MinimumPollers": self.pollers_min, "MaximumPollers": self.pollers_max}
        return bounds | ({"PollerGroupName": self.poller_group} if self.poller_group else {})

    @property
    def source_queue(self) -> Key | None:
        """Key of the queue that feeds it, None for other kinds."""
        return key_of("queue", self.source_arn) if self.source_kind == "sqs" else None


def given_up_after(source_kind: str, max_retry_attempts: int | None, on_failure: str | None) -> int | None:
    """Return the retries after which a batch that fails is skipped, None where there is no limit."""
    if max_retry_attempts not in (None, ENDLESS):
        return max_retry_attempts
    return KAFKA_RETRIES if source_kind == "kafka" and on_failure else None


REFUSES_CHANGES = "AWS refuses changes of the mapping, perhaps disabling it too"
"""What AWS does where a queue's visibility timeout is below the function's timeout: it "validates this
requirement when you create or update an event source mapping and returns an error" (Lambda developer guide,
"Creating and configuring an Amazon SQS event source mapping"). Whether that holds for an update that only
disables it, the guide does not say."""


class Risk(NamedTuple):
    """A setting that can multiply the effect of a failure, in words; whether the mapping can mend it."""

    words: str
    tunable: bool = False


def risks(
    mapping: MappingFacts,
    function: FunctionFacts | None,
    queue: QueueFacts | None,
    reserved: Reserved,
) -> tuple[str, ...]:
    """Return the risks of a mapping as short sentences."""
    return tuple(risk.words for risk in mapping_risks(mapping, function, queue, reserved))


def mapping_risks(
    mapping: MappingFacts,
    function: FunctionFacts | None,
    queue: QueueFacts | None,
    reserved: Reserved,
) -> tuple[Risk, ...]:
    """Return settings that can multiply the effect of a failure. All are facts, or AWS's own advice."""
    found: list[Risk] = []
    if mapping.endless:
        gets = ", and its destination gets nothing before" if mapping.on_failure_arn else ""
        words = f"infinite retry: {_blocks(mapping.kind)} until it expires{gets}"
        found.append(Risk(words, mapping.kind.limits != "never"))
    if mapping.source_kind == "sqs" and queue is not None:
        if queue.dlq_arn is None:
            found.append(Risk("no redrive policy: a bad message comes back until it expires"))
        elif (queue.max_receive_count if queue.max_receive_count is not None else MAX_RECEIVES) < 5:
            words = f"maxReceiveCount {queue.max_receive_count} < 5: throttling sends good messages away"
            found.append(Risk(words))
        if function is not None and not isinstance(function.timeout_s, NotKnown):
            found += _short_visibility(mapping, function.timeout_s, queue.visibility_timeout_s)
    if (mapping.batch_size or 1) > 1 and not mapping.partial_responses and mapping.takes_partial_responses:
        found.append(Risk("no ReportBatchItemFailures: one bad message repeats its whole batch"))
    if reserved is not None and mapping.max_concurrency and mapping.max_concurrency > reserved:
        found.append(
            Risk(f"MaximumConcurrency {mapping.max_concurrency} > reserved {reserved}", tunable=True)
        )
    return tuple(found)


def _blocks(kind: SourceKind) -> str:
    """Return `a bad record blocks its shard`."""
    return f"a bad {kind.event.removesuffix('s')} blocks its {kind.part}"


def _short_visibility(mapping: MappingFacts, timeout_s: int, visibility_s: int) -> list[Risk]:
    """Return the risk of a visibility timeout below AWS's advice, six times the timeout and the window.

    Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping".
    """
    window_s = mapping.batching_window_s or 0
    if visibility_s >= 6 * timeout_s + window_s:
        return []
    window = f" + batching window {window_s} s" if window_s else ""
    refused = f"; {REFUSES_CHANGES}" if visibility_s < timeout_s else ""
    return [Risk(f"visibility {visibility_s} s < 6 x timeout {timeout_s} s{window}{refused}")]


def most_at_once(mapping: MappingFacts) -> tuple[int, bool, str]:
    """Return the most invocations at once of a queue's mapping, whether that was set, and its source."""
    if mapping.max_concurrency:
        return mapping.max_concurrency, True, "MaximumConcurrency"
    if mapping.pollers_max:
        each = mapping.kind.per_poller
        return mapping.pollers_max * each, True, f"{mapping.pollers_max:,} pollers x {each}"
    return SQS_CONCURRENCY, False, "documented"


RECORD_AGE = "max_record_age_s"
WINDOW = "batching_window_s"
RETRIES, DESTINATION, KIND = "max_retry_attempts", "on_failure", "source_kind"

CONTROL_FIELDS: Mapping[str, Callable[[MappingFacts], Any]] = {
    "state": lambda m: m.state,
    "batch_size": lambda m: m.batch_size,
    WINDOW: lambda m: m.batching_window_s or 0,
    "max_concurrency": lambda m: m.max_concurrency,
    RETRIES: lambda m: ENDLESS if m.max_retry_attempts is None else m.max_retry_attempts,
    "pollers": lambda m: m.pollers,
    "bisect_on_error": lambda m: bool(m.bisect_on_error),
    DESTINATION: lambda m: m.on_failure_arn,
    RECORD_AGE: lambda m: m.max_record_age_s,
    KIND: lambda m: m.source_kind,
}
"""What plans compare and change; the age of records and the kind of source are only compared. A setting that
AWS leaves out of its answer counts as its default, except for MaximumConcurrency and the age, which are
absent or a number, and the on-failure destination, absent or an ARN."""


DYNAMODB_RETENTION_S = 86_400
"""A DynamoDB stream keeps its records for 24 hours; that cannot be changed."""


class StreamFacts(Struct, frozen=True):
    """One stream that feeds a function. `source_kind` is kinesis or dynamodb.

    Units: `retention_s` s, None when it could not be read; `shards` open shards.
    """

    key: Key
    arn: str
    source_kind: str
    retention_s: int | None = None
    shards: int | None = None
