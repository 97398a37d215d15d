"""SQS: counters at the emulator's own send, receive and delete paths, and the one-purge-a-minute rule."""

from __future__ import annotations

import functools
import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.ledger_sources import Depth, SourceLedger
from lambdatop.demo.emulator.metric_store import Scope

_PURGE_INTERVAL_S = 60.0
# Written into a message when it is moved to a dead-letter queue: its age there counts from the move.
_MOVED_AT = "lambdatop_moved_at"
# Where ministack notes from which queue a dead letter came.
_ORIGIN = "DeadLetterQueueSourceArn"
# SQS leaves a message out of ApproximateAgeOfOldestMessage from this receive on (standard queues).
_POISON_RECEIVES = 3

_Call = Callable[..., Any]


def identity(queue: dict[str, Any]) -> tuple[Scope, str]:
    """Return where a queue lives and its name, from its ARN."""
    _, _, _, region, account, name = queue["attributes"]["QueueArn"].split(":")
    return Scope(account, region), name


def measure(queue: dict[str, Any], now: float) -> Depth:
    """Count a queue's messages by state, as GetQueueAttributes would."""
    visible = in_flight = delayed = 0
    oldest = now
    for message in list(queue["messages"]):
        if message["visible_at"] <= now:
            visible += 1
        elif message["receive_count"]:
            in_flight += 1
        else:
            delayed += 1
        moved_at = message.get(_MOVED_AT)
        if moved_at is not None:
            oldest = min(oldest, moved_at)
        elif message["receive_count"] < _POISON_RECEIVES or queue.get("is_fifo"):
            oldest = min(oldest, message["sent_at"])
    return Depth(visible, in_flight, delayed, max(0.0, now - oldest))


class QueueRepair:
    """Wraps every path on which a message enters, leaves or moves.

    ministack changes queues from the server's loop and from mapping threads without a common lock, so that a
    message sent at the wrong moment vanishes; the wrappers also take one.
    """

    def __init__(self, sources: SourceLedger) -> None:
        """Count in ``sources``."""
        self._sources = sources
        self._lock = threading.RLock()
        self._purged: dict[tuple[Scope, str], float] = {}

    def install(self) -> None:
        """Put the wrappers in place."""
        _ministack.replace("services.sqs._queues_lock", lambda _: self._lock)
        handlers = _ministack.get("services.sqs._HANDLERS")
        for action, name, make in (
            ("SendMessage", "_act_send_message", self._send),
            ("DeleteMessage", "_act_delete_message", self._delete),
            ("DeleteMessageBatch", "_act_delete_message_batch", self._delete),
            ("PurgeQueue", "_act_purge_queue", self._purge),
            ("ReceiveMessage", "_act_receive_message", self._receive),
        ):
            _ministack.replace(f"services.sqs.{name}", make)
            handlers[action] = _ministack.get(f"services.sqs.{name}")
        handlers["ListDeadLetterSourceQueues"] = self._dead_letter_sources
        _ministack.replace("services.sqs._collect_msgs", self._collect)
        _ministack.replace("services.sqs._dlq_sweep", self._sweep)
        _ministack.replace("services.sqs._receive_messages_for_esm", self._poll)
        _ministack.replace("services.sqs._delete_messages_for_esm", self._delete_processed)

    def clear(self) -> None:
        """Forget when which queue was purged."""
        with self._lock:
            self._purged.clear()

    def sample(self, now: float) -> None:
        """Publish the depth of every queue."""
        for queue in list(_ministack.get("services.sqs._queues")._data.values()):
            with self._lock:
                depth = measure(queue, now)
            self._sources.depth(*identity(queue), depth, now)

    def _count(self, queue: dict[str, Any], counter: str, count: int) -> None:
        if count:
            self._sources.queue(*identity(queue), counter, count)

    def _queue(self, data: dict[str, Any], url: str) -> dict[str, Any]:
        found: dict[str, Any] = _ministack.get("services.sqs._get_q")(data.get("QueueUrl", url))
        return found

    def _send(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def send(data: dict[str, Any], url: str) -> Any:
            with self._lock:
                answer = original(data, url)
                self._count(self._queue(data, url), "sent", 1)
            return answer

        return send

    def _delete(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def delete(data: dict[str, Any], url: str) -> Any:
            with self._lock:
                queue = self._queue(data, url)
                before = len(queue["messages"])
                answer = original(data, url)
                self._count(queue, "deleted", before - len(queue["messages"]))
            return answer

        return delete

    def _delete_processed(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def delete(url: str, handles: set[str]) -> None:
            with self._lock:
                queue = _ministack.get("services.sqs._get_q")(url)
                before = len(queue["messages"])
                original(url, handles)
                self._count(queue, "deleted", before - len(queue["messages"]))

        return delete

    def _dead_letter_sources(self, data: dict[str, Any], url: str) -> dict[str, Any]:
        """Answer ListDeadLetterSourceQueues, which ministack lacks.

        One page: a demo has few queues.
        """
        wanted = self._queue(data, url)["attributes"]["QueueArn"]
        found = _ministack.get("services.sqs._queues").items()
        return {"queueUrls": [name for name, queue in found if dead_letter_arn(queue) == wanted]}

    def _purge(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def purge(data: dict[str, Any], url: str) -> Any:
            with self._lock:
                queue = self._queue(data, url)
                key, now = identity(queue), time.monotonic()
                if now - self._purged.get(key, float("-inf")) < _PURGE_INTERVAL_S:
                    raise _ministack.get("services.sqs._Err")(
                        "PurgeQueueInProgress",
                        f"Only one PurgeQueue operation on {key[1]} is allowed every 60 seconds.",
                    )
                before = len(queue["messages"])
                answer = original(data, url)
                self._purged[key] = now
                self._count(queue, "purged", before)
            return answer

        return purge

    def _receive(self, original: _Call) -> _Call:
        @functools.wraps(original)
        async def receive(data: dict[str, Any], url: str) -> Any:
            answer = await original(data, url)
            if not answer:
                self._count(self._queue(data, url), "empty_receives", 1)
            return answer

        return receive

    def _poll(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def poll(url: str, max_number: int) -> Any:
            messages = original(url, max_number)
            if not messages:
                self._count(_ministack.get("services.sqs._get_q")(url), "empty_receives", 1)
            return messages

        return poll

    def _collect(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def collect(queue: dict[str, Any], max_n: int, vis_timeout: int) -> Any:
            with self._lock:
                messages = original(queue, max_n, vis_timeout)
                self._count(queue, "received", len(messages))
            return messages

        return collect

    def _sweep(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def sweep(queue: dict[str, Any]) -> None:
            with self._lock:
                before = len(queue["messages"])
                original(queue)
                moved = before - len(queue["messages"])
                if moved:
                    self._count(queue, "moved_to_dlq", moved)
                    self._stamp(queue, moved)

        return sweep

    def move(self, source: dict[str, Any], target: dict[str, Any], *, home: bool = False) -> bool:
        """Move the first visible message as new to another queue; False when none is visible.

        With ``home`` it goes to the queue it came from, and to ``target`` only when that is not known.
        """
        now = time.time()
        with self._lock:
            waiting = [m for m in source["messages"] if m["visible_at"] <= now]
            if not waiting:
                return False
            if home:
                target = _ministack.get("services.sqs._queue_by_arn")(origin(waiting[0])) or target
            source["messages"] = [m for m in source["messages"] if m is not waiting[0]]
            fresh = {k: v for k, v in waiting[0].items() if k != _MOVED_AT}
            fresh.update(id=str(uuid.uuid4()), receive_count=0, receipt_handle=None, first_receive_at=None)
            fresh.update(visible_at=now, sent_at=now)
            kept = {k: v for k, v in fresh["sys"].items() if k != _ORIGIN}
            fresh["sys"] = {**kept, "SentTimestamp": str(int(now * 1000))}
            target["messages"].append(fresh)
            for counter in ("received", "deleted"):
                self._count(source, counter, 1)
            self._count(target, "sent", 1)
        return True

    def _stamp(self, source: dict[str, Any], moved: int) -> None:
        """Note the arrival at the end of the dead-letter queue; SQS does not count it as sent there."""
        target = _ministack.get("services.sqs._queue_by_arn")(dead_letter_arn(source))
        self._count(target, "arrived_by_redrive", moved)
        for message in target["messages"][-moved:]:
            message[_MOVED_AT] = time.time()


def dead_letter_arn(queue: dict[str, Any]) -> str:
    """Return the ARN of a queue's dead-letter queue, "" when it has none."""
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    return str(policy.get("deadLetterTargetArn", ""))


def origin(message: dict[str, Any]) -> str:
    """Return the ARN of the queue that a dead letter came from, "" when it was sent by hand."""
    return str(message["sys"].get(_ORIGIN, ""))
