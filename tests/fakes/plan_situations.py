"""What planners are asked about: plain situations, changed one way at a time by the tests of their words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fakes.callers import NOBODY
from fakes.worlds import DLQ, MAPPING, NOW, ORDERS, SCOPE, WORKER, function, mapping, queue
from msgspec.structs import replace

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.situation import (
    AliasSituation,
    Consumer,
    FunctionSituation,
    MappingSituation,
    QueueSituation,
    RuleSituation,
    Situation,
    VersionFacts,
)

HERE = f"{SCOPE.region}:{SCOPE.account}"
LOST, ASIDE = f"arn:aws:sqs:{HERE}:lost", f"arn:aws:sqs:{HERE}:aside"
TOPIC = f"arn:aws:sns:{HERE}:alarms"
CLICKS = f"arn:aws:kinesis:{HERE}:stream/clicks"
TABLE = f"arn:aws:dynamodb:{HERE}:table/carts/stream/2026-01-01T00:00:00.000"
KAFKA = f"arn:aws:kafka:{HERE}:cluster/events/0f1e2d3c"
BROKER = f"arn:aws:mq:{HERE}:broker:orders-broker:b-0f1e2d3c"
DOCUMENTS = f"arn:aws:rds:{HERE}:cluster:carts"
LIVE, NIGHTLY = Key(SCOPE, "alias", f"{WORKER.id}:live"), Key(SCOPE, "rule", "shop/nightly")


class Asked(NamedTuple):
    """A situation and the settings that somebody gives."""

    situation: Situation
    params: Mapping[str, Any] = {}


Cases = Mapping[str, Asked]


def denied(action: str) -> NotKnown:
    """Return the placeholder of a fact whose read is denied."""
    return NotKnown("denied", action)


def on_function(**changes: Any) -> FunctionSituation:
    """Return orders-worker without a reservation, and nothing that calls it."""
    facts = function()
    s = FunctionSituation(Ref(WORKER, facts.arn, facts.name), NOW, facts, None, looked_for=NOBODY)
    return replace(s, **changes)


def fed(number: int = 1, **changes: Any) -> MappingFacts:
    """Return a mapping of orders-worker; the first is that of the queue orders."""
    key = MAPPING if number == 1 else MAPPING._replace(id=f"0f1e2d3c-0000-4000-8000-00000000000{number}")
    return mapping(**{"key": key} | changes)


def by_stream(number: int = 1, **changes: Any) -> MappingFacts:
    """Return a mapping of orders-worker from the Kinesis stream clicks, as AWS creates it."""
    plain: dict[str, Any] = {"source_arn": CLICKS, "source_kind": "kinesis"}
    return fed(number, **plain | {"max_retry_attempts": -1, "max_record_age_s": -1} | changes)


def on_mapping(facts: MappingFacts | None = None, **changes: Any) -> MappingSituation:
    """Return the mapping from the queue orders to orders-worker, or another."""
    m = facts or fed()
    ref = Ref(m.key, m.uuid, f"{m.source_name} → {m.function.id}")
    return replace(MappingSituation(ref, NOW, m), **changes)


def orders(**changes: Any) -> QueueFacts:
    """Return the queue orders, whose failures go to orders-dlq after three receives."""
    return queue(ORDERS, **{"dlq_arn": queue(DLQ).arn, "max_receive_count": 3} | changes)


def on_queue(facts: QueueFacts | None = None, **changes: Any) -> QueueSituation:
    """Return the queue orders with some messages, or another."""
    q = facts or orders(visible=12, in_flight=3, delayed=1)
    s = QueueSituation(Ref(q.key, q.arn, q.name), NOW, q, (fed(),), oldest_age_s=7200.0, pipes=NOBODY[1])
    return replace(s, **changes)


def dead_letters(**changes: Any) -> QueueSituation:
    """Return the queue orders-dlq, which holds what orders could not deliver."""
    facts = queue(DLQ, visible=1200)
    consumers = (Consumer(fed(), 100.0, 2.0),)
    s = QueueSituation(Ref(DLQ, facts.arn, DLQ.id), NOW, facts, (), (ORDERS.id,), consumers, pipes=NOBODY[1])
    return replace(s, **changes)


def on_alias(**changes: Any) -> AliasSituation:
    """Return the alias live of orders-worker, which points at version 3 of 3."""
    published = {"$LATEST": NOW, "1": NOW - 200_000, "2": NOW - 90_000, "3": NOW - 4000}
    versions = tuple(VersionFacts(v, f"{v}abcdef0123456789", at, "Active") for v, at in published.items())
    arn = f"arn:aws:lambda:{HERE}:function:{LIVE.id}"
    s = AliasSituation(Ref(LIVE, arn, LIVE.id), NOW, WORKER, "live", "3", (), "rev-1", versions)
    return replace(s, **{"looked_for": NOBODY} | changes)


def on_rule(**changes: Any) -> RuleSituation:
    """Return the rule nightly of the bus shop, which starts orders-worker."""
    arn = f"arn:aws:events:{HERE}:rule/{NIGHTLY.id}"
    s = RuleSituation(Ref(NIGHTLY, arn, "nightly"), NOW, "nightly", "shop", "ENABLED")
    return replace(s, **{"targets": (function().arn,)} | changes)
