"""Keeps the audit trail."""

from __future__ import annotations

import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> None:
    """Write one line of the audit trail."""
    time.sleep(0.01)  # The archive.
    print(f"AUDIT {event['actor']} {event['action']}")
