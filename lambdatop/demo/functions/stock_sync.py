"""Applies stock changes."""

from __future__ import annotations

import json
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Apply the batch as one change per product."""
    changes: dict[str, int] = {}
    for record in event["Records"]:
        change = json.loads(record["body"])
        changes[change["sku"]] = changes.get(change["sku"], 0) + change["delta"]
    time.sleep(0.07)  # The warehouse.
    print(f"{len(event['Records'])} changes to {len(changes)} products")
    return changes
