"""Two loops: one that Lambda's loop detection does not see, and one that it stops.

Lambda follows a chain by the trace header that today's SDKs pass on, through Lambda, SQS, SNS and S3.
address-cleaner sends without that header, as SDKs from before 2023 do; retry-scheduler passes its
counterpart in the emulator on and is stopped after sixteen hops.
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, MappingSpec, QueueSpec, Scenario


def address(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th address."""
    return {"address": 30_000 + number, "street": f"{dice.randint(1, 120)} Main St", "hops": 0}


def transfer(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th transfer."""
    return {"transfer": 9_000 + number, "cents": dice.randint(1_000, 900_000), "tries": 1}


LOOP = Scenario(
    name="loop",
    title="Functions that invoke themselves",
    story=(
        "Since the last release address-cleaner writes its results into addresses, the queue that feeds it. "
        "No message ever ends, some become two, and the mapping's MaximumConcurrency is all that holds it "
        "back. retry-scheduler invokes itself as long as the bank is busy; that loop Lambda sees and cuts."
    ),
    look_for=(
        "addresses takes in as many messages as address-cleaner finishes, and somewhat more",
        "the path addresses -> address-cleaner -> addresses: OUTPUT_QUEUE_URL names the source queue",
        "RecursiveInvocationsDropped of retry-scheduler: Lambda stopped those chains",
    ),
    queues=(
        *fleet.QUEUES,
        QueueSpec("addresses-dlq"),
        QueueSpec("addresses", visibility_s=12, dead_letter="addresses-dlq"),
    ),
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec(
            "address-cleaner",
            "Cleans addresses",
            memory_mb=256,
            timeout_s=2,
            environment=(("OUTPUT_QUEUE_URL", "{queue:addresses}"),),
        ),
        FunctionSpec("retry-scheduler", "Retries bank transfers", timeout_s=2),
    ),
    mappings=(*fleet.MAPPINGS, MappingSpec("sqs", "addresses", "address-cleaner", 1, max_concurrency=2)),
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("sqs", "addresses", 0.5, address),
        Flow("async", "retry-scheduler", 0.1, transfer),
    ),
    remarks=("The trace header that Lambda follows is a header of the emulator's own here.",),
)
