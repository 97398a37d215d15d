"""One order in five names a currency that nobody knows, and comes back until it is a dead letter."""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, Scenario

_POISON_EVERY = 5


def poisoned_order(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th order; the first and every fifth one after it are poison."""
    order = fleet.order(number, dice)
    if number % _POISON_EVERY == 1:
        order["currency"] = "XBT"
    return order


POISON_QUEUE = Scenario(
    name="poison-queue",
    title="Poison messages in a queue",
    story=(
        "A partner went live with a currency that orders-worker does not know. Every fifth message in the "
        "queue orders raises, becomes visible again after 2 s, raises again, and after three receives lies "
        "in orders-dlq. The other four succeed, so that nothing looks broken from the shop's side."
    ),
    look_for=(
        "orders-worker leads the hot functions: more errors than any other, although most orders succeed",
        "orders is received about 1.75 times per deletion; a healthy queue stands at 1.0",
        "orders-dlq grows by about two messages per published minute",
        "the log names the reason: ValueError: order …: unknown currency 'XBT'",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=fleet.FUNCTIONS,
    mappings=fleet.MAPPINGS,
    flows=(*fleet.FLOWS, Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, poisoned_order)),
)
