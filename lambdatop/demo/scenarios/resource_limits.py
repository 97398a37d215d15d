"""Hard limits of an execution environment, hit one by one: /tmp, open files, the payload, the memory.

Sockets and memory are really used up: the worker holds each process to 1,024 descriptors and to its memory
size. /tmp is not limited; invoice-archiver keeps files with holes and, at 512 MB, writes to /dev/full.
"""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.model import Flow, FunctionSpec, Scenario


def archive(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th invoice."""
    return {"invoice": 90_000 + number}


def hook(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th webhook; each has between 60 and 140 subscribers."""
    return {"hook": number, "subscribers": dice.randint(60, 140)}


def catalog(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th request; every third shop has more products than 6 MB can hold."""
    return {"shop": dice.randint(1, 60), "products": 3_300 if number % 3 == 0 else dice.randint(40, 400)}


def picture(number: int, dice: random.Random) -> dict[str, Any]:
    """Return the n-th picture; every fourth needs more than 128 MB unpacked."""
    return {"picture": number, "megapixels": 40 if number % 4 == 0 else dice.randint(2, 8)}


RESOURCE_LIMITS = Scenario(
    name="resource-limits",
    title="Limits hit one by one",
    story=(
        "Four functions each run into a hard limit of their environment. invoice-archiver leaves its files "
        "in /tmp, webhook-relay never closes a socket, catalog-api answers with more than 6 MB, and "
        "image-resizer is killed when a picture does not fit into 128 MB."
    ),
    look_for=(
        "four functions with errors, each with its limit and a line of the log that proves it",
        "invoice-archiver and webhook-relay are well until an environment has served a while",
        "image-resizer reports 128 MB of 128 MB; its environment is gone, so the next call starts cold",
    ),
    queues=fleet.QUEUES,
    streams=fleet.STREAMS,
    tables=fleet.TABLES,
    functions=(
        *fleet.FUNCTIONS,
        FunctionSpec("invoice-archiver", "Archives invoices", "python3.13", memory_mb=256, timeout_s=5),
        FunctionSpec("webhook-relay", "Passes webhooks on to partners", memory_mb=256, timeout_s=5),
        FunctionSpec("catalog-api", "Answers with a shop's catalogue", memory_mb=512, timeout_s=5),
        FunctionSpec("image-resizer", "Scales pictures", timeout_s=5),
    ),
    mappings=fleet.MAPPINGS,
    flows=(
        *fleet.FLOWS,
        Flow("sqs", "orders", fleet.ORDERS_PER_SECOND, fleet.order),
        Flow("sync", "invoice-archiver", 0.8, archive),
        Flow("sync", "webhook-relay", 1.0, hook),
        Flow("sync", "catalog-api", 1.2, catalog),
        Flow("sync", "image-resizer", 0.8, picture),
    ),
)
