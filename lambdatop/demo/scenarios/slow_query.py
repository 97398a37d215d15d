"""A query without an index: its table grows, and the durations climb to the timeout.

The rows are really scanned, by SQLite; what a row costs on a busy database server is added as sleep, so that
the demo does not take the machine's processors.
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, Scenario


def search(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th search."""
    return {"email": f"c{dice.randint(0, 996)}@example.com"}


SLOW_QUERY = Scenario(
    name="slow-query",
    title="A query without an index",
    story=(
        "customer-search looks for orders by e-mail address, a column without an index, in a table that an "
        "import fills. Each call scans every row: durations climb from milliseconds to the timeout of 2 s, "
        "and then every call is killed and tried again by the shop."
    ),
    look_for=(
        "the p99 duration of customer-search climbs minute by minute; nothing else about it changes",
        "first near the timeout, then timeouts: nobody deployed anything",
        "the log tells how many rows each call scanned",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec(
            "customer-search", "Finds a customer's orders", "python3.13", memory_mb=512, timeout_s=2
        ),
    ),
    mappings=fleet.MAPPINGS,
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("sync", "customer-search", 1.5, search),
        Flow("sync", "customer-search", 1.5, search),
    ),
)
