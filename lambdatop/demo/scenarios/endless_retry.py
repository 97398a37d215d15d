"""A state machine retries a Task for ever: its executions never end, and each goes on invoking the function.

Whoever writes a million attempts means for ever. AWS ends such an execution after a year or 25,000 events of
its history (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). To Lambda each attempt
is a call of its own: no setting of the function ends them.
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, MachineSpec, Scenario

FOR_EVER = 1_000_000
ORDERED_MIN = 24
"""Published minutes in which orders come: the executions that run then go on without new ones."""


def parcel(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th parcel."""
    return {"parcel": 83_000 + number, "grams": dice.randint(80, 9_000)}


def wave(minute: float) -> float:
    """Return the factor on the rate at a published minute."""
    return 1.0 if minute < ORDERED_MIN else 0.0


ENDLESS_RETRY = Scenario(
    name="endless-retry",
    title="A state machine that retries a function for ever",
    story=(
        "The carrier is down, so carrier-booking fails. The state machine fulfilment retries it every 30 s, "
        "1,000,000 times: no execution ends, each new order adds one, and together they invoke the function "
        "more and more often."
    ),
    look_for=(
        "carrier-booking fails always, and is invoked more often from minute to minute",
        "the row of state machine fulfilment among the retry storms, with its Retry",
        "Z lists what runs and stops it for good; nothing brings a stopped execution back",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec("carrier-booking", "Books parcels at the carrier", memory_mb=256, timeout_s=5),
    ),
    mappings=fleet.MAPPINGS,
    machines=(MachineSpec("fulfilment", "Book", "carrier-booking", FOR_EVER, 30),),
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("execution", "fulfilment", 0.15, parcel, wave),
    ),
    remarks=(f"Orders stop after {ORDERED_MIN} of the demo's minutes, so that this machine keeps up.",),
)
