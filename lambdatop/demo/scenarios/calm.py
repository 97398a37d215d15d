"""The same fleet on a quiet day."""

from __future__ import annotations

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, Scenario

CALM = Scenario(
    name="calm",
    title="A quiet day",
    story="The fleet of poison-queue with nothing but good orders: what the console looks like at peace.",
    look_for=(
        "no function has errors, every queue stands at one receive per deletion",
        "orders-dlq stays empty",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=fleet.FUNCTIONS,
    mappings=fleet.MAPPINGS,
    flows=(*fleet.FLOWS, Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order)),
)
