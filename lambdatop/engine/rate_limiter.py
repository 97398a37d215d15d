"""Limit what lambdatop asks of the account."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.settings.settings import Limits
from lambdatop.engine.clock import wait_at_most

FILTER_PER_S = {
    "us-east-1": 25.0,
    "eu-central-1": 5.0,
    "ap-northeast-3": 5.0,
    "ap-southeast-3": 5.0,
    "ca-west-1": 5.0,
    "il-central-1": 5.0,
}
FILTER_PER_S_ELSEWHERE = 10.0
OUR_SHARE = 1 / 3
"""At most so much is ours: people and programs of the account need to read their logs too."""


def logs_per_s(region: str) -> float:
    """Return how many FilterLogEvents calls a second all our tails together may make in one region."""
    return FILTER_PER_S.get(region, FILTER_PER_S_ELSEWHERE) * OUR_SHARE


CONTROL_PLANE = "lambda"
RESERVE = 1
QUIET_S = 1.0
PAUSE_S = 0.25
LOOKUPS_PER_S = 2.0 / 3
"""A third of what CloudTrail answers per account and region."""

CALLERS_PER_S = {"scheduler": 10.0, "pipes": 5.0, "stepfunctions": 6.0}
"""Less than a third of ListSchedules' 50 (EventBridge Scheduler user guide, "Quotas") and of
DescribeStateMachine's 20 (Step Functions developer guide, "API action throttling"). For Pipes AWS names no
rate; EventBridge's control plane has 50 (EventBridge user guide, "Quotas")."""

SLOWER = 0.5
SLOWEST = 1 / 16
RECOVERY_PER_MIN = 1.1
SAME_REFUSAL_S = 5.0
"""Calls that were on their way together are refused together: that halves the rate once."""

MARGIN = 1.02
"""Requests that leave evenly arrive unevenly; the margin keeps the limit on the server's side too."""

_urgent: ContextVar[bool] = ContextVar("lambdatop_urgent", default=False)


_mutations: set[object] = set()


@contextmanager
def mutating() -> Iterator[None]:
    """Pause polling of the control plane, whose rate is shared, until the mutation within has ended.

    Calls made within are urgent.
    """
    mark = object()
    _mutations.add(mark)
    try:
        with urgent():
            yield
    finally:
        _mutations.discard(mark)


@contextmanager
def urgent() -> Iterator[None]:
    """Let calls made within go before all polling: a person waits for them."""
    token = _urgent.set(True)
    try:
        yield
    finally:
        _urgent.reset(token)


class TokenBuckets:
    """`domain.ports.runtime.Limiter`: one bucket per API, shared by the whole process.

    No window of one second ever sees more takes than the API's limit (rounded up). On the Lambda
    control plane one token is kept for urgent calls, and polling pauses for a second after each, and for as
    long as a mutation is under way.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock, self._limits = clock, limits
        self._logs_per_s = limits.logs_per_s
        self._buckets = {
            CONTROL_PLANE: _Bucket(clock, limits.control_plane_per_s, RESERVE, QUIET_S),
            "sqs": _Bucket(clock, limits.sqs_per_s),
            "logs": _Bucket(clock, limits.logs_per_s),
            "cloudwatch": _Bucket(clock, limits.metrics_per_s),
            "cloudtrail": _Bucket(clock, LOOKUPS_PER_S),
            **{api: _Bucket(clock, per_s) for api, per_s in CALLERS_PER_S.items()},
        }

    def in_region(self, region: str) -> None:
        """Hold CloudWatch Logs to our share of what this region allows; the region is known late."""
        allowed = min(self._limits.logs_per_s, logs_per_s(region))
        if allowed != self._logs_per_s:
            self._logs_per_s = allowed
            self._buckets["logs"] = _Bucket(self._clock, allowed)

    async def take(self, api: str) -> None:
        """Wait for one token of `api`; APIs without a bucket are free."""
        bucket = self._buckets.get(api)
        if bucket is not None:
            await bucket.take(is_urgent=_urgent.get())

    def throttled(self, api: str) -> None:
        """Halve the rate of `api`, which AWS refused a call for, then raise it by 10 % each minute."""
        bucket = self._buckets.get(api)
        if bucket is not None:
            bucket.slow_down()

    def share(self, api: str) -> float:
        """Return the share (0..1) of its configured rate that an API gets now."""
        bucket = self._buckets.get(api)
        return 1.0 if bucket is None else bucket.share


class _Bucket:
    """Tokens that return a fixed time after each was taken; waiters in order, urgent ones first."""

    def __init__(self, clock: Clock, per_s: float, reserve: int = 0, quiet_s: float = 0.0) -> None:
        self._clock = clock
        self._tokens = math.ceil(per_s)
        self._full_back_s = self._tokens / per_s * MARGIN
        self._slowed: tuple[float, float] | None = None
        self._polling = self._tokens - reserve if self._tokens > reserve else self._tokens
        self._quiet_s = quiet_s
        self._quiet_until = -math.inf
        self._taken: deque[float] = deque(maxlen=self._tokens)
        self._queue: list[tuple[bool, int]] = []
        self._numbers = count()
        self._changed = asyncio.Event()

    @property
    def share(self) -> float:
        """What is left of the rate after refusals, growing back."""
        if self._slowed is None:
            return 1.0
        at, share = self._slowed
        minutes = min(60.0, (self._clock.monotonic() - at) / 60)
        return min(1.0, share * math.pow(RECOVERY_PER_MIN, minutes))

    @property
    def _back_after_s(self) -> float:
        return self._full_back_s / self.share

    def slow_down(self) -> None:
        """Halve the rate, unless that has just been done."""
        now = self._clock.monotonic()
        if self._slowed is None or now - self._slowed[0] >= SAME_REFUSAL_S:
            self._slowed = now, max(SLOWEST, SLOWER * self.share)

    async def take(self, *, is_urgent: bool) -> None:
        ticket = (not is_urgent, next(self._numbers))
        heapq.heappush(self._queue, ticket)
        try:
            while (wait := self._wait_s(ticket, is_urgent)) > 0:
                await wait_at_most(self._clock, self._changed, wait)
            self._taken.append(self._clock.monotonic())
            if is_urgent:
                self._quiet_until = self._taken[-1] + self._quiet_s
        finally:
            self._queue.remove(ticket)
            heapq.heapify(self._queue)
            self._changed.set()
            self._changed = asyncio.Event()

    def _wait_s(self, ticket: tuple[bool, int], is_urgent: bool) -> float:
        """Return the seconds until this ticket may try again; 0 when it may take a token."""
        if self._queue[0] != ticket:
            return self._back_after_s  # woken earlier when the queue moves
        now = self._clock.monotonic()
        allowed = self._tokens if is_urgent else self._polling
        wait = 0.0
        if len(self._taken) >= allowed:
            wait = self._taken[-allowed] + self._back_after_s - now
        if is_urgent:
            return wait
        mutation = PAUSE_S if self._quiet_s and _mutations else 0.0
        return max(wait, self._quiet_until - now, mutation)
