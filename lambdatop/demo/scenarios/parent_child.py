"""A parent that invokes children, fails half-way and is retried: the children before the failure run again.

The retries come after one and two published minutes, as on AWS, with the request id of the first attempt
(the repair layer sees to it; the emulator alone would give each attempt an id of its own).
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, Scenario

_GOOD_EVERY = 4
_PARCELS = 4


def order(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th order; three of four lack the weight of their third parcel."""
    weights: list[int | None] = [dice.randint(100, 20_000) for _ in range(_PARCELS)]
    if number % _GOOD_EVERY:
        weights[2] = None
    parcels = [{"parcel": f"p-{number}-{i}", "weight_g": weight} for i, weight in enumerate(weights, 1)]
    return {"order": 52_000 + number, "parcels": parcels}


PARENT_CHILD = Scenario(
    name="parent-child",
    title="A parent is retried, its children run again",
    story=(
        "order-splitter is invoked asynchronously and invokes parcel-notifier once for each parcel. Since "
        "this morning many orders lack a parcel's weight: order-splitter raises half-way, Lambda retries it "
        "one and two minutes later, and the customers of the first parcels get their message three times."
    ),
    look_for=(
        "order-splitter runs each event 2.5 times; healthy functions stand at 1.0",
        "parcel-notifier succeeds every time, more often than there are parcels: it shows no error at all",
        "the log of parcel-notifier names the same order and parcel three times",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec(
            "order-splitter",
            "Splits orders into parcels",
            memory_mb=256,
            timeout_s=3,
            environment=(("NOTIFIER", "parcel-notifier"),),
            pushed_by=("events.amazonaws.com arn:aws:events:{region}:{account}:rule/new-orders",),
        ),
        FunctionSpec("parcel-notifier", "Tells customers about parcels", timeout_s=3),
    ),
    mappings=fleet.MAPPINGS,
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("async", "order-splitter", 1.0, order),
    ),
)
