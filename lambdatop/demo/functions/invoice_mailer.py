"""Mails invoices."""

from __future__ import annotations

import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send one invoice."""
    time.sleep(0.09)  # The mail relay.
    print(f"invoice {event['invoice']} mailed to customer {event['customer']}")
    return {"mailed": event["invoice"]}
