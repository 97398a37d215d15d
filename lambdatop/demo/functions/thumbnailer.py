"""Renders product thumbnails."""

from __future__ import annotations

import time
from typing import Any

SIZES = (64, 128, 256)


def handler(event: dict[str, Any], context: Any) -> list[str]:
    """Return the keys of the thumbnails."""
    time.sleep(event["width"] / 10_000)  # Fetching and scaling grow with the picture.
    keys = [f"thumbs/{size}/{event['key']}" for size in SIZES]
    print(f"{event['key']}: {event['width']} px wide, {len(keys)} thumbnails")
    return keys
