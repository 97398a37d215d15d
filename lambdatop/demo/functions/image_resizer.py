"""Scales pictures. Whole pictures are held in memory, unpacked."""

from __future__ import annotations

import time
from typing import Any

BYTES_A_PIXEL = 4


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Unpack one picture, scale it, and forget it."""
    size = event["megapixels"] * 1_000_000 * BYTES_A_PIXEL
    print(f"picture {event['picture']}: {event['megapixels']} megapixels, {size >> 20} MB unpacked")
    pixels = b"\xff" * size
    time.sleep(0.2)
    return {"bytes": len(pixels)}
