"""Compute when waiting events begin to be lost: one rule for plans, dialogs, journal and findings. Pure.

An event lives until the source's retention ends, and for this consumer no longer than the mapping's
MaximumRecordAge or the function's MaximumEventAge. A deadline is promised only where it cannot be too late:

- A standard queue's ApproximateAgeOfOldestMessage leaves out messages that were received three times or more
  (Amazon SQS developer guide, "Available CloudWatch metrics for Amazon SQS"), so that a message may be older
  than it says, unless the redrive policy moves messages away before their third receive.
- In a standard dead-letter queue messages expire counted from when they were first sent, while the metric
  counts from the move (same page, and "Using dead-letter queues"); a FIFO queue begins anew with both.
- IteratorAge is that of the last record of a batch, when it is handed over (Lambda developer guide, "Using
  CloudWatch metrics with Lambda"): the records before it are older, and what is tried again shows only then.
- An event source mapping discards records older than MaximumRecordAgeInSeconds (Lambda API reference,
  UpdateEventSourceMapping), retention or not. A Kinesis stream keeps records for 24 hours at least.
"""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.facts.event_source_mapping import DYNAMODB_RETENTION_S, MappingFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.units import span

KINESIS_LEAST_RETENTION_S = 86_400
HIDDEN_FROM = 3
"""Receives from which on a standard queue's message is left out of the age of the oldest."""

BATCH_HIDES = "the first of its batch may be older"
REPEATS_HIDE = "messages received three times or more are not in that age and may expire sooner"


class Deadline(Struct, frozen=True):
    """When the first of the waiting events is lost, s since the epoch.

    `at` is never later than the truth, None where that cannot be said. `latest` is when it is lost at the
    latest, where it may be sooner. `basis` says what it rests on, or why it is not known.
    """

    at: float | None = None
    latest: float | None = None
    basis: str = ""


def record_age_s(mapping: MappingFacts) -> int | None:
    """Return MaximumRecordAgeInSeconds, None where none is set (-1: no limit)."""
    limit = mapping.max_record_age_s
    return limit if limit is not None and limit >= 0 else None


def source_retention_s(mapping: MappingFacts, read: int | NotKnown) -> int | NotKnown:
    """Return how long a mapping's source keeps its events, in s.

    `read` is what was read of a queue or stream.
    """
    return DYNAMODB_RETENTION_S if mapping.source_kind == "dynamodb" else read


def kept_s(mapping: MappingFacts, retention: int | NotKnown) -> int | NotKnown:
    """Return how old a record may become before this consumer loses it, in s; never too high."""
    limit = record_age_s(mapping)
    retention = source_retention_s(mapping, retention)
    if not isinstance(retention, NotKnown):
        return retention if limit is None else min(retention, limit)
    shortest = KINESIS_LEAST_RETENTION_S if mapping.source_kind == "kinesis" else 0
    return limit if limit is not None and limit <= shortest else retention


def discards(mapping: MappingFacts, retention: int | NotKnown) -> bool:
    """Return whether the mapping discards records before their source does, or may do so."""
    limit = record_age_s(mapping)
    retention = source_retention_s(mapping, retention)
    return limit is not None and (isinstance(retention, NotKnown) or limit < retention)


def stream_deadline(
    mapping: MappingFacts, retention: int | NotKnown, age_s: float | NotKnown, at: float
) -> Deadline:
    """Return deadline of a stream's records whose oldest was at least `age_s` old at `at`: an upper bound."""
    kept, limit = kept_s(mapping, retention), record_age_s(mapping)
    if isinstance(age_s, NotKnown):
        return Deadline(basis=f"how old the oldest record is, is {age_s.words}")
    if isinstance(kept, NotKnown):
        latest = None if limit is None else at + limit - age_s
        return Deadline(None, latest, f"how long the source keeps records is {kept.words}")
    setting = f"MaximumRecordAgeInSeconds {limit}" if kept == limit else f"retention {span(kept)}"
    return Deadline(None, at + kept - age_s, f"{setting}, the oldest about {span(age_s)} old; {BATCH_HIDES}")


def queue_deadline(
    queue: QueueFacts, age_s: float | NotKnown, dead_letters: bool | NotKnown, at: float
) -> Deadline:
    """Return the deadline of a queue's messages; `age_s` is ApproximateAgeOfOldestMessage at `at`.

    `dead_letters` says whether other queues' failures are put here.
    """
    if not (queue.visible or queue.in_flight or queue.delayed):
        return Deadline(basis="no message waits now")
    if dead_letters is True and not queue.fifo:
        words = "in a standard dead-letter queue messages expire counted from when they were first sent"
        return Deadline(basis=f"{words}, which no metric shows")
    if isinstance(age_s, NotKnown):
        return Deadline(basis=f"how old the oldest message is, is {age_s.words}")
    by = at + queue.retention_s - age_s
    basis = f"retention {span(queue.retention_s)}, the oldest about {span(age_s)} old"
    if queue.fifo or (dead_letters is False and not hides_repeats(queue)):
        return Deadline(by, None, basis)
    if isinstance(dead_letters, NotKnown):
        basis = f"{basis}; whether it holds dead letters, which expire sooner, is {dead_letters.words}"
    return Deadline(None, by, f"{basis}; {REPEATS_HIDE}")


def hides_repeats(queue: QueueFacts) -> bool:
    """Return whether the queue's oldest message may be missing from the age that CloudWatch reports."""
    moved_before = queue.dlq_arn is not None and queue.max_receive_count is not None
    return not queue.fifo and not (moved_before and (queue.max_receive_count or 0) < HIDDEN_FROM)


def left_words(found: Deadline, now: float, what: str) -> str:
    """Return `the oldest expires in 13 min`, `in 4 h at the latest`, or why that is not known."""
    if found.at is not None:
        return f"the oldest {what} in {span(found.at - now)} ({found.basis})"
    if found.latest is not None:
        return f"the oldest {what} in {span(found.latest - now)} at the latest ({found.basis})"
    return f"no deadline is known: {found.basis}"
