"""Builds the sales report of one day."""

from __future__ import annotations

import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Read the day's rows in pages and add them up."""
    pages = event["rows"] // 1_000
    print(f"report {event['day']}: {event['rows']} rows in {pages} pages")
    for _ in range(pages):
        time.sleep(0.1)  # One page of the warehouse.
    print(f"report {event['day']} done, {context.get_remaining_time_in_millis()} ms left")
    return {"day": event["day"], "rows": event["rows"]}
