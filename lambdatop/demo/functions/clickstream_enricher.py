"""Adds campaign data to clicks."""

from __future__ import annotations

import base64
import json
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Count the batch's clicks by campaign."""
    counts: dict[str, int] = {}
    for record in event["Records"]:
        click = json.loads(base64.b64decode(record["kinesis"]["data"]))
        campaign = click["campaign"] or "direct"
        counts[campaign] = counts.get(campaign, 0) + 1
    time.sleep(0.03)  # The campaign service.
    print(f"{len(event['Records'])} clicks: {counts}")
    return counts
