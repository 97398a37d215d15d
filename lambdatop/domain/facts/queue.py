"""Queues behind mappings, and their dead-letter queues."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from msgspec import Struct

from lambdatop.domain.keys import Key, Scope, parse_arn


class QueueFacts(Struct, frozen=True):
    """GetQueueAttributes of one queue. Counts are AWS's approximations.

    Units: `visibility_timeout_s`, `retention_s` s; `at` s since the epoch. `redrive` is the status of
    the newest message move task out of a dead-letter queue (RUNNING, COMPLETED …), "" when there is none
    or it was not read; `moved` and `to_move` are its counts (-1 = not told).
    `kms_key` is the customer's key that encrypts its messages, None without one.
    """

    key: Key
    arn: str
    url: str
    at: float
    visible: int
    in_flight: int
    delayed: int
    visibility_timeout_s: int = 30
    retention_s: int = 345_600
    dlq_arn: str | None = None
    max_receive_count: int | None = None
    fifo: bool = False
    kms_key: str | None = None
    redrive: str = ""
    moved: int = 0
    to_move: int = -1

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.key.id

    @property
    def dlq(self) -> Key | None:
        """Key of its dead-letter queue."""
        return _beside(self.key.scope, self.dlq_arn) if self.dlq_arn else None


@lru_cache(maxsize=16_384)
def _beside(scope: Scope, arn: str) -> Key | None:
    parsed = parse_arn(arn)
    return Key(scope, "queue", parsed.name) if parsed else None


class MoveTask(Struct, frozen=True):
    """The newest message move task (redrive) out of a dead-letter queue.

    `started_ms` is ms since the epoch and its only identity; `handle` is there while it is RUNNING, and
    needed to cancel it. `moved` and `to_move` are AWS's approximations (-1 = not told).
    """

    started_ms: int
    status: str
    handle: str | None = None
    moved: int = 0
    to_move: int = -1
    failure: str = ""

    @property
    def control(self) -> dict[str, Any]:
        """What plans compare: everything but the counts, which move by themselves."""
        return {"started_ms": self.started_ms, "status": self.status, "handle": self.handle}


class QueueHistory(Struct, frozen=True):
    """The newest facts of a queue and its depth over time.

    `depths` holds (s since the epoch, visible + in flight), oldest first, bounded.
    """

    facts: QueueFacts
    depths: tuple[tuple[float, int], ...]

    KEEP: ClassVar[int] = 240

    def observe(self, facts: QueueFacts) -> QueueHistory:
        """Return the history with one more observation; a late one is inserted, a repeated one is ignored."""
        depth = (facts.at, facts.visible + facts.in_flight)
        if not self.depths or facts.at > self.depths[-1][0]:
            return QueueHistory(facts, (*self.depths, depth)[-self.KEEP :])
        if any(at == facts.at for at, _ in self.depths):
            return self
        return QueueHistory(self.facts, tuple(sorted((*self.depths, depth)))[-self.KEEP :])


def first_history(facts: QueueFacts) -> QueueHistory:
    """Return a history of one observation."""
    return QueueHistory(facts, ((facts.at, facts.visible + facts.in_flight),))
