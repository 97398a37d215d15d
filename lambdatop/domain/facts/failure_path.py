"""Describe what becomes of a failed event: how often it is repeated, where it ends, when it expires.

The rules are AWS's by kind of invocation: Lambda's own queue repeats an asynchronous event, a queue hands
a message out again after its visibility timeout, a shard is stuck with its batch, and a synchronous
caller decides for itself.
"""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.facts.event_source_mapping import (
    DYNAMODB_RETENTION_S,
    MAX_RECEIVES,
    MappingFacts,
)
from lambdatop.domain.facts.function import FunctionFacts, Reserved
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.triggers import MAX_EVENT_AGE_S, MAX_RETRIES, AsyncConfig
from lambdatop.domain.keys import parse_arn
from lambdatop.domain.units import span

KAFKA_TOPIC = "kafka://"
"""Begins a destination that is a topic of the cluster itself (model of UpdateEventSourceMapping)."""


def end_name(arn: str) -> str:
    """Return a destination in words: `queue orders-dlq`, `topic alarms`, `function f`, `bus default`."""
    parsed = parse_arn(arn)
    if arn.startswith(KAFKA_TOPIC):
        return f"topic {arn.removeprefix(KAFKA_TOPIC)}"
    if parsed is None:
        return arn
    kinds = {"sqs": "queue", "sns": "topic", "lambda": "function", "events": "bus", "s3": "bucket"}
    kinds |= {"kinesis": "stream", "dynamodb": "stream of table"}
    return f"{kinds.get(parsed.service, parsed.service)} {parsed.name}"


def keeps_records(arn: str) -> bool:
    """Return whether a stream's on-failure destination gets the records themselves, or their position only.

    Buckets and topics of the same Kafka cluster get the data, queues and topics of SNS the position (Lambda
    developer guide, "Retaining discarded batches").
    """
    parsed = parse_arn(arn)
    return arn.startswith(KAFKA_TOPIC) or (parsed is not None and parsed.service == "s3")


def record_words(arn: str) -> str:
    """Return `queue lost gets their position, not their data`, `bucket lost gets the records themselves`."""
    what = "the records themselves" if keeps_records(arn) else "their position, not their data"
    return f"{end_name(arn)} gets {what}"


def retries_words(retries: int) -> str:
    """Return `no retry`, `1 retry`, `2 retries`."""
    return {0: "no retry", 1: "1 retry"}.get(retries, f"{retries} retries")


class AsyncEnd(Struct, frozen=True):
    """Where discarded asynchronous events go: the destination, and what of that was not read."""

    takers: tuple[str, ...]
    unread: NotKnown | None = None

    @property
    def lost(self) -> bool:
        """Whether nobody takes them; False where that is not known."""
        return not self.takers and self.unread is None

    @property
    def words(self) -> str:
        """`queue orders-dlq and topic alarms`, `dropped`, or what is not known."""
        named = " and ".join(self.takers)
        if self.unread is None:
            return named or "dropped"
        if named:
            return f"{named} (on-failure destination {self.unread.words})"
        return f"an end that is {self.unread.words}"


def async_end(facts: FunctionFacts, config: AsyncConfig | NotKnown) -> AsyncEnd:
    """Return where an asynchronous event ends; durable functions have no on-failure destination."""
    if facts.durable:
        config = AsyncConfig()
    unread = config if isinstance(config, NotKnown) else None
    ends = [None if isinstance(config, NotKnown) else config.on_failure_arn, facts.dlq_arn]
    return AsyncEnd(tuple(end_name(arn) for arn in ends if arn), unread)


def async_limits(config: AsyncConfig) -> tuple[int, int]:
    """Return retries and the maximum event age in s; AWS's default for what is not set."""
    retries = MAX_RETRIES if config.max_retries is None else config.max_retries
    return retries, MAX_EVENT_AGE_S if config.max_age_s is None else config.max_age_s


def given_up_without_loss(facts: FunctionFacts, config: AsyncConfig | NotKnown) -> bool:
    """Return whether giving up retries of asynchronous events helps: somebody is known to take them then.

    A durable execution is replayed whatever the settings are; without retries there is nothing to give up.
    """
    if facts.durable or (not isinstance(config, NotKnown) and async_limits(config)[0] == 0):
        return False
    return bool(async_end(facts, config).takers)


def async_failure_path(
    facts: FunctionFacts, config: AsyncConfig | NotKnown, reserved: Reserved | NotKnown = None
) -> str:
    """Return what happens to an asynchronous event of a failing function."""
    if facts.durable:
        return durable_failure_path(facts)
    end = async_end(facts, config)
    if reserved == 0:
        return "not tried, dropped at once" if end.lost else f"not tried, straight to {end.words}"
    if isinstance(config, NotKnown):
        known = f"; DLQ {' and '.join(end.takers)}" if end.takers else ""
        return f"retries and on-failure destination {config.words}{known}"
    retries, age = async_limits(config)
    failure_path = f"{retries_words(retries)} (throttled: up to {span(age)}), then {end.words}"
    if isinstance(reserved, NotKnown):
        return f"{failure_path}; untried if throttled to zero, which is {reserved.words}"
    return failure_path


def durable_failure_path(facts: FunctionFacts) -> str:
    """Return what happens to a durable execution whose function fails.

    MaximumRetryAttempts and on-failure destinations do not apply (Lambda developer guide, "Error handling and
    retries for durable functions", "Invoking durable functions").
    """
    limit = "its execution timeout" if facts.durable_timeout_s is None else span(facts.durable_timeout_s)
    end = end_name(facts.dlq_arn) if facts.dlq_arn else "dropped"
    return f"replayed until it succeeds, fails, or {limit} is over, then {end}"


def queue_failure_path(queue: QueueFacts | NotKnown) -> str:
    """Return what happens to a message whose batch failed."""
    if isinstance(queue, NotKnown):
        return f"again after its visibility timeout; how often and where it ends is {queue.words}"
    again = f"again after {span(queue.visibility_timeout_s)}"
    if queue.dlq_arn is None:
        return f"{again}, until it expires {span(queue.retention_s)} after it was sent"
    parsed = parse_arn(queue.dlq_arn)
    receives = queue.max_receive_count or MAX_RECEIVES
    # It is moved when it would be received once more than that (SQS developer guide, dead-letter queues).
    times = f"{receives} failed receives" if receives != 1 else "1 failed receive"
    return f"{again}, after {times} to {parsed.name if parsed else queue.dlq_arn}"


def stream_failure_path(mapping: MappingFacts, retention_s: int | NotKnown, age_s: float | NotKnown) -> str:
    """Return what happens to a failing batch of a stream: it blocks its shard until one of these ends it."""
    kept = retention_s if mapping.source_kind != "dynamodb" else DYNAMODB_RETENTION_S
    if mapping.source_kind == "documentdb":
        return "repeated until it succeeds; once the change has expired, Lambda disables the trigger"
    limits = []
    if mapping.retries is not None:
        limits.append(retries_words(mapping.retries))
    record_s = mapping.max_record_age_s
    if record_s is not None and record_s > 0 and (isinstance(kept, NotKnown) or record_s < kept):
        limits.append(f"records older than {span(record_s)}")
    if not limits:
        return f"repeated until the record expires{_expiry(kept, age_s)}"
    end = end_name(mapping.on_failure_arn) if mapping.on_failure_arn else "dropped"
    failure_path = f"until {' or '.join(limits)}, then {end}"
    if mapping.source_kind == "kinesis" and isinstance(kept, NotKnown):
        return f"{failure_path}; sooner if the record expires, when is {kept.words}"
    return failure_path


def _expiry(kept: int | NotKnown, age_s: float | NotKnown) -> str:
    """Return the expiry, counted from an age that was read.

    The first record of a batch may be older than that.
    """
    if isinstance(kept, NotKnown):
        return f"; when is {kept.words}"
    if isinstance(age_s, NotKnown):
        return f", {span(kept)} after it came"
    return f" in {span(max(0.0, kept - age_s))} at the latest"
