"""A durable function whose step hangs: each replay times out, no execution ends, and all go on for a day.

The asynchronous queue's settings end nothing here: it has done its work when the execution begins.
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, Scenario

ORDERED_MIN = 24
"""Published minutes in which orders come: the executions that run then go on without new ones."""


def order(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th order."""
    return {"order": 91_000 + number, "cents": dice.randint(900, 40_000)}


def wave(minute: float) -> float:
    """Return the factor on the rate at a published minute."""
    return 1.0 if minute < ORDERED_MIN else 0.0


DURABLE_REPLAY = Scenario(
    name="durable-replay",
    title="Durable executions that are replayed without end",
    story=(
        "order-saga charges an order and ships it, each in a step that is kept. The carrier answers no more, "
        "so each replay runs into the timeout. Lambda replays it until the ExecutionTimeout of a day: no "
        "execution fails, each new order adds one, and no retry setting ends them."
    ),
    look_for=(
        "order-saga fails always, and no durable execution has failed",
        "b lists what runs, the oldest first; Enter there shows that charge is done and ship is not",
        "Y stops what runs for good, one journal entry each",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec("order-saga", "Charges and ships an order", timeout_s=1, durable_s=86_400),
    ),
    mappings=fleet.MAPPINGS,
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("async", "order-saga:1", 0.12, order, wave),
    ),
    remarks=(
        "A failed replay is repeated after 15 s, then after twice as long up to 2 min; AWS tells no figures.",
        f"Orders stop after {ORDERED_MIN} of the demo's minutes, so that this machine keeps up.",
    ),
)
