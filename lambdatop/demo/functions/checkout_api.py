"""Prices a basket."""

from __future__ import annotations

import time
from typing import Any

TAX = 0.19


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return net, tax and gross of a basket in cents."""
    time.sleep(0.04 + 0.012 * len(event["items"]))  # One stock look-up per item.
    net = sum(event["items"])
    print(f"basket {event['basket']}: {len(event['items'])} items, {net} cents net")
    return {"statusCode": 200, "net": net, "tax": round(net * TAX), "gross": round(net * (1 + TAX))}
