"""The same fleet on quiet days: a ramp, a deployment, a redrive, a night, and from the beginning again."""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import replace

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, Scenario, Step

CYCLE_MIN = 40.0
"""A day has forty published minutes: 200 real seconds at the demo's usual compression."""

_RAMP = (4.0, 14.0)
_NIGHT = (28.0, 36.0)
_PEAK = 3.0
_DEAD = 12


def day(minutes: float) -> float:
    """Return the factor on the traffic: up to three in the ramp, next to nothing in the night."""
    minute = minutes % CYCLE_MIN
    start, end = _RAMP
    if start <= minute < end:
        middle = (start + end) / 2
        return 1 + (_PEAK - 1) * (1 - abs(minute - middle) / (middle - start))
    if _NIGHT[0] <= minute < _NIGHT[1]:
        return 0.02
    return 1.0


def old_shipment(number: int, dice: random.Random) -> dict[str, Any]:
    """Return a message that lay in the dead-letter queue; it succeeds now."""
    return {"shipment": 600 + number, "carrier": dice.choice(("DHL", "UPS"))}


CALM = Scenario(
    name="calm",
    title="A quiet day",
    story=(
        "The fleet of poison-queue with nothing but good orders. In the course of a day (200 s) traffic "
        "triples and falls again, thumbnailer is deployed, the dead letters of a carrier's outage are "
        "redriven, and for a while everybody sleeps. None of it is an incident."
    ),
    look_for=(
        "no function has errors, every queue stands at one receive per deletion",
        "no finding is worse than info, whatever the day brings",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=fleet.FUNCTIONS,
    mappings=fleet.MAPPINGS,
    flows=tuple(
        replace(flow, shape=day)
        for flow in (*fleet.FLOWS, Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order))
    ),
    steps=(
        Step(0.0, "seed", "shipments-dlq", _DEAD, old_shipment),
        Step(17.0, "deploy", "thumbnailer"),
        Step(21.0, "redrive", "shipments-dlq"),
    ),
    cycle_min=CYCLE_MIN,
)
