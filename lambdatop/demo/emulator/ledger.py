"""The ledger: every execution and every queue movement is entered here once, and published from here.

Lambda's numbers. The queues' and streams' stand in ``ledger_sources.py``.
"""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lambdatop.demo.emulator.execution import Execution
from lambdatop.demo.emulator.metric_store import MetricKey, MetricStore, Scope, dimensions

NAMESPACE = "AWS/Lambda"
# Truth for tests and for curious people: attempts per request id are remembered for so many requests.
REMEMBERED_REQUESTS = 1000


@dataclass(slots=True)
class FunctionCounts:
    """What happened to one function since the start (or the last reset)."""

    started: int = 0
    finished: int = 0
    errors: int = 0
    timeouts: int = 0
    throttles: int = 0
    cold_starts: int = 0
    in_flight: int = 0
    async_received: int = 0
    async_attempts: int = 0
    async_dropped: int = 0
    loops_stopped: int = 0
    dead_letter_errors: int = 0
    destination_failures: int = 0
    by_source: collections.Counter[str] = field(default_factory=collections.Counter)
    requests: collections.OrderedDict[str, int] = field(default_factory=collections.OrderedDict)

    def remember(self, request_id: str) -> None:
        """Count one more attempt of a request."""
        self.requests[request_id] = self.requests.get(request_id, 0) + 1
        while len(self.requests) > REMEMBERED_REQUESTS:
            self.requests.popitem(last=False)

    def report(self) -> dict[str, Any]:
        """Return the counts as JSON-ready data."""
        plain = {
            name: getattr(self, name) for name in self.__slots__ if name not in ("by_source", "requests")
        }
        return {**plain, "by_source": dict(self.by_source), "requests": dict(self.requests)}


class Ledger:
    """Counts executions and publishes what AWS/Lambda publishes about them.

    ``allocated`` answers how much of the account's concurrency is set aside (reserved and provisioned).
    """

    def __init__(self, store: MetricStore, allocated: Callable[[Scope], int] = lambda scope: 0) -> None:
        """Publish into ``store``."""
        self.store = store
        self.allocated = allocated
        self.epoch = 0
        self._lock = threading.Lock()
        self._functions: dict[tuple[Scope, str], FunctionCounts] = {}
        self._in_flight: collections.Counter[Scope] = collections.Counter()
        self._unreserved: collections.Counter[Scope] = collections.Counter()

    def clear(self) -> None:
        """Forget everything, as after a reset of the emulator."""
        with self._lock:
            self.epoch += 1
            self._functions.clear()
            self._in_flight.clear()
            self._unreserved.clear()

    @contextmanager
    def _counts(self, scope: Scope, function: str) -> Iterator[FunctionCounts]:
        with self._lock:
            yield self._functions.setdefault((scope, function), FunctionCounts())

    def _publish(self, scope: Scope, function: str, at: float, values: dict[str, float]) -> None:
        for name, value in values.items():
            key = MetricKey(scope, NAMESPACE, name, dimensions({"FunctionName": function}))
            self.store.record(key, value, at)

    def _publish_account(self, scope: Scope, at: float, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.store.record(MetricKey(scope, NAMESPACE, name), value, at)

    def begin(self, execution: Execution) -> None:
        """Enter an execution that starts now."""
        scope, allocated = execution.scope, self.allocated(execution.scope)
        execution.epoch = self.epoch
        with self._counts(scope, execution.function) as counts:
            counts.started += 1
            counts.in_flight += 1
            counts.by_source[execution.cause.source] += 1
            counts.remember(execution.request_id)
            self._in_flight[scope] += 1
            self._unreserved[scope] += not execution.reserved
            mine, total, unreserved = counts.in_flight, self._in_flight[scope], self._unreserved[scope]
        self._publish(scope, execution.function, execution.started, {"ConcurrentExecutions": mine})
        account = {
            "ConcurrentExecutions": total,
            "UnreservedConcurrentExecutions": unreserved,
            "ClaimedAccountConcurrency": unreserved + allocated,
        }
        self._publish_account(scope, execution.started, {name: float(v) for name, v in account.items()})

    def durable(self, scope: Scope, function: str, values: dict[str, float]) -> None:
        """Publish what happened to durable executions of a function, by AWS's names."""
        self._publish(scope, function, time.time(), values)

    def running_durable(self, scope: Scope, many: int, at: float) -> None:
        """Publish how many durable executions an account runs."""
        self._publish_account(scope, at, {"ApproximateRunningDurableExecutions": float(many)})

    def finish(self, execution: Execution) -> None:
        """Enter the end of an execution; its datapoints carry the time of its start, as on AWS."""
        if execution.epoch != self.epoch:
            return
        with self._counts(execution.scope, execution.function) as counts:
            counts.finished += 1
            counts.in_flight -= 1
            counts.errors += execution.failed
            counts.timeouts += execution.timed_out
            counts.cold_starts += execution.cold
            self._in_flight[execution.scope] -= 1
            self._unreserved[execution.scope] -= not execution.reserved
        values = {
            "Invocations": 1.0,
            "Errors": float(execution.failed),
            "Throttles": 0.0,
            "Duration": execution.duration_ms,
        }
        self._publish(execution.scope, execution.function, execution.started, values)
        self._publish_account(execution.scope, execution.started, values)

    def throttled(self, scope: Scope, function: str) -> None:
        """Enter a request that was refused: a throttle, neither an invocation nor an error."""
        now = time.time()
        with self._counts(scope, function) as counts:
            counts.throttles += 1
        self._publish(scope, function, now, {"Throttles": 1.0})
        self._publish_account(scope, now, {"Throttles": 1.0})

    def still_running(self, now: float) -> None:
        """Publish the concurrency of executions that go on from one minute into the next."""
        with self._lock:
            running = [
                (scope, name, c.in_flight) for (scope, name), c in self._functions.items() if c.in_flight
            ]
            totals = [(scope, n) for scope, n in self._in_flight.items() if n]
        for scope, name, count in running:
            self._publish(scope, name, now, {"ConcurrentExecutions": float(count)})
        for scope, total in totals:
            self._publish_account(scope, now, {"ConcurrentExecutions": float(total)})

    def iterator_age(self, scope: Scope, function: str, age_s: float, at: float) -> None:
        """Publish the age of a stream batch at the moment when it is handed over."""
        self._publish(scope, function, at, {"IteratorAge": self.store.timeline.aged(age_s) * 1000})

    def async_received(self, scope: Scope, function: str) -> None:
        """Enter one event that was accepted into the asynchronous queue."""
        with self._counts(scope, function) as counts:
            counts.async_received += 1
        self._publish(scope, function, time.time(), {"AsyncEventsReceived": 1.0})

    def async_attempt(self, scope: Scope, function: str, age_s: float) -> None:
        """Enter one attempt of an asynchronous event, throttled ones included."""
        with self._counts(scope, function) as counts:
            counts.async_attempts += 1
        self._publish(scope, function, time.time(), {"AsyncEventAge": self.store.timeline.aged(age_s) * 1000})

    def async_dropped(self, scope: Scope, function: str) -> None:
        """Enter an event that was discarded without success."""
        with self._counts(scope, function) as counts:
            counts.async_dropped += 1
        self._publish(scope, function, time.time(), {"AsyncEventsDropped": 1.0})

    def loop_stopped(self, scope: Scope, function: str) -> None:
        """Enter an invocation that was refused because its chain had been through too many hops."""
        with self._counts(scope, function) as counts:
            counts.loops_stopped += 1
        self._publish(scope, function, time.time(), {"RecursiveInvocationsDropped": 1.0})

    def undelivered(self, scope: Scope, function: str, *, dead_letter: bool) -> None:
        """Enter a failed delivery to the function's dead-letter queue or failure destination."""
        with self._counts(scope, function) as counts:
            if dead_letter:
                counts.dead_letter_errors += 1
            else:
                counts.destination_failures += 1
        name = "DeadLetterErrors" if dead_letter else "DestinationDeliveryFailures"
        self._publish(scope, function, time.time(), {name: 1.0})

    def report(self, scope: Scope) -> dict[str, Any]:
        """Return the functions of a scope, as counted."""
        with self._lock:
            return {
                name: c.report()
                for (owner, name), c in sorted(self._functions.items(), key=_by_name)
                if owner == scope
            }


def _by_name(item: tuple[tuple[Scope, str], FunctionCounts]) -> str:
    return item[0][1]
