"""Reserved concurrency 1, and yet two environments: one of them initialised and never serves.

Lambda prepares environments ahead of requests. ministack never does; the repair layer starts one every 40
real seconds, which runs the module's code and then idles (`demo/patches/proactive_init.py`).
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, Scenario


def meter(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th meter to be read."""
    return {"meter": dice.randint(100_000, 999_999)}


RESERVED_ONE = Scenario(
    name="reserved-one",
    title="Reserved concurrency 1, two environments",
    story=(
        "meter-gateway talks to the utility through a session that only one client may hold; reserved "
        "concurrency 1 was to see to that. Lambda prepares a second environment ahead of requests: its "
        "module opens the session and then serves nobody, and the environment that serves has lost it."
    ),
    look_for=(
        "meter-gateway fails in waves, though its concurrency never exceeds 1",
        "a log stream with INIT_START and no START: nothing is broken in Lambda, and no reservation helps",
        "the error names the exclusive connection that another environment holds",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec(
            "meter-gateway",
            "Reads meters through an exclusive session",
            memory_mb=256,
            timeout_s=3,
            reserved=1,
            prepared=True,
        ),
    ),
    mappings=fleet.MAPPINGS,
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("sync", "meter-gateway", 1.5, meter),
    ),
    remarks=("An environment of meter-gateway is prepared every 40 real seconds; AWS tells nobody when.",),
)
