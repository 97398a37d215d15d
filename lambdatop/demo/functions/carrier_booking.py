"""Books a parcel at the carrier, which is down."""

from __future__ import annotations

import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Ask the carrier once; it is down."""
    time.sleep(0.05)  # The carrier.
    print(f"parcel {event['parcel']}: booking")
    raise ConnectionError(f"parcel {event['parcel']}: the carrier answers 503 Service Unavailable")
