"""Answers price requests."""

from __future__ import annotations

import time
import zlib
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the price of a quantity of one product in cents."""
    time.sleep(0.025)  # The price cache.
    unit = 100 + zlib.crc32(event["sku"].encode()) % 9_900
    rebate = 0.1 if event["quantity"] >= 5 else 0.0
    print(f"{event['sku']} x {event['quantity']}: {unit} cents each, rebate {rebate:.0%}")
    return {"statusCode": 200, "cents": round(unit * event["quantity"] * (1 - rebate))}
