"""What feeds the functions: counters of queues and streams, published as AWS/SQS and AWS/Kinesis."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from msgspec import Struct

from lambdatop.demo.emulator.metric_store import MetricKey, MetricStore, Scope, dimensions

SQS = "AWS/SQS"
KINESIS = "AWS/Kinesis"

# The counters that AWS publishes, by the name of ours.
PUBLISHED = {
    "sent": "NumberOfMessagesSent",
    "received": "NumberOfMessagesReceived",
    "deleted": "NumberOfMessagesDeleted",
    "empty_receives": "NumberOfEmptyReceives",
}


@dataclass(slots=True)
class QueueCounts:
    """What happened to one queue, and its state when it was last sampled."""

    sent: int = 0
    received: int = 0
    deleted: int = 0
    empty_receives: int = 0
    purged: int = 0
    moved_to_dlq: int = 0
    arrived_by_redrive: int = 0
    visible: int = 0
    in_flight: int = 0
    delayed: int = 0


@dataclass(slots=True)
class StreamCounts:
    """What was put into one stream."""

    incoming_records: int = 0
    incoming_bytes: int = 0


class Depth(Struct, frozen=True):
    """The present state of a queue. ``oldest_age_s`` is in real seconds."""

    visible: int
    in_flight: int
    delayed: int
    oldest_age_s: float


class SourceLedger:
    """Counts at the emulator's own send, receive and delete paths."""

    def __init__(self, store: MetricStore) -> None:
        """Publish into ``store``."""
        self.store = store
        self._lock = threading.Lock()
        self._queues: dict[tuple[Scope, str], QueueCounts] = {}
        self._streams: dict[tuple[Scope, str], StreamCounts] = {}

    def clear(self) -> None:
        """Forget everything, as after a reset of the emulator."""
        with self._lock:
            self._queues.clear()
            self._streams.clear()

    def queue(self, scope: Scope, name: str, counter: str, count: int = 1) -> None:
        """Add to one counter of a queue."""
        with self._lock:
            counts = self._queues.setdefault((scope, name), QueueCounts())
            setattr(counts, counter, getattr(counts, counter) + count)
        published = PUBLISHED.get(counter)
        if published is not None:
            self.store.record(_queue_key(scope, name, published), float(count), time.time())

    def depth(self, scope: Scope, name: str, depth: Depth, at: float) -> None:
        """Publish one sample of a queue's depth; an existing queue also states that nothing moved."""
        with self._lock:
            counts = self._queues.setdefault((scope, name), QueueCounts())
            counts.visible, counts.in_flight, counts.delayed = depth.visible, depth.in_flight, depth.delayed
        values = {
            "ApproximateNumberOfMessagesVisible": float(depth.visible),
            "ApproximateNumberOfMessagesNotVisible": float(depth.in_flight),
            "ApproximateNumberOfMessagesDelayed": float(depth.delayed),
            "ApproximateAgeOfOldestMessage": self.store.timeline.aged(depth.oldest_age_s),
            **dict.fromkeys(PUBLISHED.values(), 0.0),
        }
        for metric, value in values.items():
            self.store.record(_queue_key(scope, name, metric), value, at)

    def incoming(self, scope: Scope, stream: str, records: int, size_bytes: int) -> None:
        """Enter records that were put into a stream."""
        with self._lock:
            counts = self._streams.setdefault((scope, stream), StreamCounts())
            counts.incoming_records += records
            counts.incoming_bytes += size_bytes
        now = time.time()
        self.store.record(_stream_key(scope, stream, "IncomingRecords"), float(records), now)
        self.store.record(_stream_key(scope, stream, "IncomingBytes"), float(size_bytes), now)

    def read(self, scope: Scope, stream: str, age_s: float, at: float) -> None:
        """Publish the age of the last record that a mapping just read from a stream."""
        age_ms = self.store.timeline.aged(age_s) * 1000
        self.store.record(_stream_key(scope, stream, "GetRecords.IteratorAgeMilliseconds"), age_ms, at)

    def report(self, scope: Scope) -> dict[str, Any]:
        """Return the queues and streams of a scope, as counted."""
        with self._lock:
            queues = {name: asdict(c) for (owner, name), c in self._queues.items() if owner == scope}
            streams = {name: asdict(c) for (owner, name), c in self._streams.items() if owner == scope}
        return {"queues": dict(sorted(queues.items())), "streams": dict(sorted(streams.items()))}


def _queue_key(scope: Scope, queue: str, metric: str) -> MetricKey:
    return MetricKey(scope, SQS, metric, dimensions({"QueueName": queue}))


def _stream_key(scope: Scope, stream: str, metric: str) -> MetricKey:
    return MetricKey(scope, KINESIS, metric, dimensions({"StreamName": stream}))
