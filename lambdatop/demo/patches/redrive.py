"""Message move tasks (redrives), which ministack lacks: Start, List and CancelMessageMoveTask as in SQS.

Without a destination a task moves each message back to the queue it came from. One that was sent to the
dead-letter queue by hand goes to the only queue whose redrive policy names it; of several such queues none is
chosen, and the start is refused (SQS starts the task and lets it fail).
A moved message counts as received and deleted at its old queue and as sent at its new one.
"""

from __future__ import annotations

import base64
import contextvars
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.patches.queues import QueueRepair, dead_letter_arn, origin

_SLOWEST_PER_S = 1
_FASTEST_PER_S = 500
# What SQS finds for itself when nobody sets a rate.
_DEFAULT_PER_S = 50


@dataclass(slots=True)
class Task:
    """One redrive. ``handle`` is given out while it runs; ``home`` sends each message where it came from."""

    source: str
    target: str
    per_second: int
    asked: dict[str, Any]
    to_move: int
    home: bool = False
    handle: str = field(default_factory=lambda: base64.b64encode(uuid.uuid4().bytes).decode())
    status: str = "RUNNING"
    moved: int = 0
    started: float = field(default_factory=time.time)

    def report(self) -> dict[str, Any]:
        """Return the task as ListMessageMoveTasks shows it."""
        running = {"TaskHandle": self.handle} if self.status == "RUNNING" else {}
        return {
            **running,
            "Status": self.status,
            **self.asked,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": int(self.started * 1000),
        }


class MoveRepair:
    """Adds the three operations to ministack's SQS."""

    def __init__(self, queues: QueueRepair) -> None:
        """Move through ``queues``, which count and lock."""
        self._queues = queues
        self._lock = threading.Lock()
        self._tasks: list[Task] = []

    def install(self) -> None:
        """Put the operations in place."""
        handlers = _ministack.get("services.sqs._HANDLERS")
        handlers["StartMessageMoveTask"] = self._start
        handlers["ListMessageMoveTasks"] = self._list
        handlers["CancelMessageMoveTask"] = self._cancel

    def clear(self) -> None:
        """Forget every task; those that run end without another move."""
        with self._lock:
            for task in self._tasks:
                task.status = "CANCELLING"
            self._tasks.clear()

    def _start(self, data: dict[str, Any], url: str) -> dict[str, Any]:
        source = self._source(data)
        arn = source["attributes"]["QueueArn"]
        chosen = str(data.get("DestinationArn") or "")
        target = chosen or self._origin(source)
        if _ministack.get("services.sqs._queue_by_arn")(target) is None:
            raise _refused("ResourceNotFoundException", f"The resource {target} does not exist.", 404)
        asked: dict[str, Any] = {
            name: data[name] for name in ("DestinationArn", "MaxNumberOfMessagesPerSecond") if name in data
        }
        rate = int(data.get("MaxNumberOfMessagesPerSecond") or _DEFAULT_PER_S)
        if not _SLOWEST_PER_S <= rate <= _FASTEST_PER_S:
            raise _refused("InvalidParameterValue", f"The rate {rate} is not between 1 and {_FASTEST_PER_S}.")
        task = Task(arn, target, rate, {"SourceArn": arn, **asked}, len(source["messages"]), not chosen)
        with self._lock:
            if any(t.source == arn and t.status == "RUNNING" for t in self._tasks):
                raise _refused("UnsupportedOperation", "There is already a task running for this queue.")
            self._tasks.insert(0, task)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run, task), daemon=True).start()
        return {"TaskHandle": task.handle}

    def _run(self, task: Task) -> None:
        source = _ministack.get("services.sqs._queue_by_arn")(task.source)
        target = _ministack.get("services.sqs._queue_by_arn")(task.target)
        while task.status == "RUNNING" and task.moved < task.to_move:
            if not self._queues.move(source, target, home=task.home):
                break
            task.moved += 1
            time.sleep(1 / task.per_second)
        task.status = "CANCELLED" if task.status == "CANCELLING" else "COMPLETED"

    def _list(self, data: dict[str, Any], url: str) -> dict[str, Any]:
        arn = self._source(data)["attributes"]["QueueArn"]
        most = int(data.get("MaxResults") or 1)
        with self._lock:
            return {"Results": [task.report() for task in self._tasks if task.source == arn][:most]}

    def _cancel(self, data: dict[str, Any], url: str) -> dict[str, Any]:
        with self._lock:
            running = [t for t in self._tasks if t.handle == data.get("TaskHandle") and t.status == "RUNNING"]
        if not running:
            raise _refused("ResourceNotFoundException", "Task does not exist.", 404)
        running[0].status = "CANCELLING"
        return {"ApproximateNumberOfMessagesMoved": running[0].moved}

    def _source(self, data: dict[str, Any]) -> dict[str, Any]:
        arn = str(data.get("SourceArn") or "")
        found: dict[str, Any] | None = _ministack.get("services.sqs._queue_by_arn")(arn)
        if found is None:
            raise _refused("ResourceNotFoundException", f"The resource {arn} does not exist.", 404)
        if not self._feeders(arn):
            raise _refused("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        return found

    def _origin(self, source: dict[str, Any]) -> str:
        """Return where messages without an origin of their own go."""
        feeders = self._feeders(source["attributes"]["QueueArn"])
        if len(feeders) != 1 and not all(map(origin, source["messages"])):
            raise _refused("CouldNotDetermineMessageSource", "The source of the messages is not known.")
        return feeders[0]

    @staticmethod
    def _feeders(arn: str) -> list[str]:
        queues = list(_ministack.get("services.sqs._queues").values())
        return [q["attributes"]["QueueArn"] for q in queues if dead_letter_arn(q) == arn]


def _refused(code: str, message: str, status: int = 400) -> Exception:
    error: Exception = _ministack.get("services.sqs._Err")(code, message, status)
    return error
