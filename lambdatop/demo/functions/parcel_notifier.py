"""Tells a customer that a parcel is on its way. It has no memory: asked twice, it tells twice."""

from __future__ import annotations

import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send one message."""
    time.sleep(0.02)  # The SMS gateway.
    print(f"SMS for order {event['order']}, parcel {event['parcel']} sent")
    return {"sent": event["parcel"]}
