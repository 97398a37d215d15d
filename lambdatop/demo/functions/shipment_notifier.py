"""Tells customers about shipments."""

from __future__ import annotations

import json
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> None:
    """Notify about each shipment of the batch."""
    for record in event["Records"]:
        shipment = json.loads(record["body"])
        time.sleep(0.05)  # The carrier.
        print(f"shipment {shipment['shipment']} with {shipment['carrier']} announced")
