"""A record of a stream that can never be booked blocks its shard until it expires.

The emulator polls a failing shard about once a second, where AWS backs off further; what counts, the age of
the shard's oldest record, grows with time on both.
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, MappingSpec, Scenario

_BAD = 4


def payment(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th payment; the fourth has an amount that is not a number."""
    amount = "NaN" if number == _BAD else f"{dice.randint(100, 90_000) / 100:.2f}"
    return {"payment": 81_000 + number, "amount": amount}


ENDLESS_STREAM = Scenario(
    name="endless-stream",
    title="A record that blocks its shard",
    story=(
        "One payment in the Kinesis stream payments-feed has the amount NaN. ledger-writer raises on the "
        "batch that holds it; with Lambda's defaults (retries without end, no destination, no bisecting) the "
        "batch is tried again until the record expires after a day, and everything behind it waits."
    ),
    look_for=(
        "the iterator age of ledger-writer grows by a minute a minute, from the first bad batch on",
        "nearly every invocation of ledger-writer fails; clickstream-enricher, on its own stream, does not",
        "throttling would not help: the events stay in the stream, and the deadline is their expiry",
    ),
    queues=fleet.QUEUES,
    streams=(*fleet.STREAMS, "payments-feed"),
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec("ledger-writer", "Books payments in order", "python3.13", memory_mb=512, timeout_s=2),
    ),
    mappings=(*fleet.MAPPINGS, MappingSpec("kinesis", "payments-feed", "ledger-writer", batch_size=50)),
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("kinesis", "payments-feed", 2.0, payment),
    ),
    remarks=("A failing shard is tried about once a second; AWS backs off further.",),
)
