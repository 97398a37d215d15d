"""EventBridge Pipes from a queue to a function, which ministack keeps on record and never runs.

A running pipe receives a batch, invokes its function and waits for the answer; then it deletes the batch
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html). A batch that failed or was
throttled stays in flight, and the queue hands it out again by its own rules. The function gets the records as
an array, even of one
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html).
"""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.patches.executions import here

BATCH_SIZE = 10
"""Messages of a batch where the pipe does not say (eb-pipes-sqs.html)."""
_KEPT = ("SourceParameters", "TargetParameters", "Enrichment")
_Call = Callable[..., Any]


class PipeRepair:
    """Carries one batch of each pipe at a time; ministack's own poller calls once a second."""

    def __init__(self) -> None:
        """Carry nothing yet."""
        self._lock = threading.Lock()
        self._at_work: set[str] = set()

    def install(self) -> None:
        """Put the wrappers in place."""
        _ministack.replace("services.pipes._create_pipe", _keeping)
        _ministack.replace("services.pipes._describe_response", _showing)
        _ministack.replace("services.pipes._poll_pipe", self._poll)

    def _poll(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def poll(tables: Any, pipe: dict[str, Any], account: str) -> None:
            if ":sqs:" not in pipe.get("Source", "") or ":lambda:" not in pipe.get("Target", ""):
                original(tables, pipe, account)
                return
            with self._lock:
                if pipe["Arn"] in self._at_work:
                    return
                self._at_work.add(pipe["Arn"])
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._run, pipe), daemon=True, name="pipe").start()

        return poll

    def _run(self, pipe: dict[str, Any]) -> None:
        """Carry batch after batch until the queue shows nothing or the pipe is stopped or deleted."""
        try:
            while _runs(pipe) and _carry(pipe):
                pass
        finally:
            with self._lock:
                self._at_work.discard(pipe["Arn"])


def _runs(pipe: dict[str, Any]) -> bool:
    known = _ministack.get("services.pipes._pipes").get(pipe["Name"])
    return known is pipe and pipe.get("CurrentState") == "RUNNING"


def _carry(pipe: dict[str, Any]) -> bool:
    """Carry one batch; return whether there was one."""
    queue = _ministack.get("services.sqs._queue_by_arn")(pipe["Source"])
    record, config, _ = _ministack.get("services.lambda_svc._get_func_record_for_ref")(pipe["Target"])
    if queue is None or record is None or config is None:
        return False
    parameters = (pipe.get("SourceParameters") or {}).get("SqsQueueParameters") or {}
    name = pipe["Source"].rsplit(":", 1)[-1]
    size = int(parameters.get("BatchSize") or BATCH_SIZE)
    batch = _ministack.get("services.sqs._receive_messages_for_esm")(name, size)
    if not batch:
        return False
    event = [_record(message, pipe["Source"]) for message in batch]
    answer = _ministack.get("services.lambda_svc._execute_function")({**record, "config": config}, event)
    if not (answer.get("error") or answer.get("throttle")):
        handles = {message["receiptHandle"] for message in event}
        _ministack.get("services.sqs._delete_messages_for_esm")(name, handles)
    return True


def _record(message: dict[str, Any], source: str) -> dict[str, Any]:
    return {
        "messageId": message["id"],
        "receiptHandle": message["receipt_handle"],
        "body": message["body"],
        "attributes": {
            "ApproximateReceiveCount": str(message.get("receive_count", 1)),
            "SentTimestamp": str(int(message["sent_at"] * 1000)),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": source,
        "awsRegion": here().region,
    }


def _keeping(original: _Call) -> _Call:
    """Keep the parts of a new pipe that ministack drops."""

    @functools.wraps(original)
    def create(name: str, body: dict[str, Any]) -> Any:
        answer = original(name, body)
        if answer[0] == 200:
            pipe = _ministack.get("services.pipes._pipes").get(name)
            pipe.update({part: body[part] for part in _KEPT if body.get(part)})
        return answer

    return create


def _showing(original: _Call) -> _Call:
    @functools.wraps(original)
    def describe(pipe: dict[str, Any]) -> Any:
        return {**original(pipe), **{part: pipe[part] for part in _KEPT if part in pipe}}

    return describe
