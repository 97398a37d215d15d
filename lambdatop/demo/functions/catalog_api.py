"""Answers with a shop's whole catalogue, which has grown."""

from __future__ import annotations

from typing import Any

BYTES_A_PRODUCT = 2_000


def handler(event: dict[str, Any], context: Any) -> list[str]:
    """Return every product of the shop, each with its description."""
    print(f"shop {event['shop']}: {event['products']} products")
    return ["x" * BYTES_A_PRODUCT] * int(event["products"])
