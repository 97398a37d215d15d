"""A queue was held during an incident, and a pipe that nobody thought of drains it all the same.

Somebody disabled the event source mapping of refunds, so that refunds wait until the bank's change is
understood. A pipe from an older migration still reads the queue: each refund fails three times and becomes a
dead letter.
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import (
    Flow,
    FunctionSpec,
    MappingSpec,
    PipeSpec,
    QueueSpec,
    Scenario,
)


def refund(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th refund."""
    return {"refund": 61_000 + number, "cents": dice.randint(500, 25_000), "format": 1}


HELD_QUEUE = Scenario(
    name="held-queue",
    title="A pipe that drains a held queue",
    story=(
        "The bank retired a format, and since then every refund fails. Whoever was on call disabled the "
        "trigger of refunds to hold them there. The pipe refunds-replay, left over from a migration, still "
        "takes them to refund-worker: after three receives they are dead letters."
    ),
    look_for=(
        "refund-worker goes on failing, though its only trigger is disabled",
        "the row of pipe refunds-replay among the retry storms: RUNNING, reads queue refunds",
        "F stops the pipe: refunds now wait, and refunds-dlq grows no further; u starts it again",
    ),
    queues=(
        *fleet.QUEUES,
        QueueSpec("refunds-dlq"),
        QueueSpec("refunds", visibility_s=3, dead_letter="refunds-dlq", max_receives=3),
    ),
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec("refund-worker", "Pays refunds", memory_mb=256, timeout_s=3),
    ),
    mappings=(*fleet.MAPPINGS, MappingSpec("sqs", "refunds", "refund-worker", 1, enabled=False)),
    pipes=(PipeSpec("refunds-replay", "refunds", "refund-worker", batch_size=1),),
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("sqs", "refunds", 0.6, refund),
    ),
    remarks=("A pipe of the emulator carries one batch at a time, and stops at once.",),
)
