"""One function takes the account's concurrency, and others are refused.

The account is a young one with a limit of 30, so that this machine can really hold the environments. The
emulator alone would count reserved functions against the shared pool; the repair layer sets reservations
aside as AWS does.
"""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import replace

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, Scenario

LIMIT = 30
_RESERVED = {"session-validator": 4, "stock-sync": 2}
_CALLERS = 26
"""More than the pool of 30 - 4 - 2 reserved - 2 provisioned = 22 can take."""


def page(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th page that a caller asks for."""
    return {"partner": f"partner-{dice.randint(1, 9)}", "page": number}


QUOTA_SQUEEZE = Scenario(
    name="quota-squeeze",
    title="One function takes the account's concurrency",
    story=(
        "price-importer fetches a partner's price list with 26 callers at once, and the partner takes 3 s "
        "for each page. The account may run 30 executions: the import holds all that is not reserved, and "
        "checkout-api, which did nothing wrong, is throttled."
    ),
    look_for=(
        "throttles on functions that have not changed, none of them at a limit of their own",
        "the account's concurrency stands at its limit; price-importer has most of it",
        "session-validator and stock-sync have reservations and do not notice",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *(replace(f, reserved=_RESERVED.get(f.name)) for f in fleet.FUNCTIONS),
        FunctionSpec("price-importer", "Takes over a partner's price list", memory_mb=256, timeout_s=5),
    ),
    mappings=fleet.MAPPINGS,
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        *(Flow("sync", "price-importer", 2.0, page) for _ in range(_CALLERS)),
    ),
    account_concurrency=LIMIT,
)
