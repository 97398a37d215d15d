"""Takes over a partner's price list. The partner allows a few calls a day."""

from __future__ import annotations

import time
from typing import Any

ALLOWED = 2
calls = 0


class AllowanceExceeded(Exception):
    """The partner answers nothing more today."""


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Fetch the list once; raise when the day's allowance is used up."""
    global calls
    calls += 1
    time.sleep(0.1)  # The partner.
    print(f"price list of {event['partner']}: call {calls} of {ALLOWED} today")
    if calls > ALLOWED:
        raise AllowanceExceeded(f"429 from {event['partner']}: {ALLOWED} calls a day are allowed")
    return {"prices": 4_200}
