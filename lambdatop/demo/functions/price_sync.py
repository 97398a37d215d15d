"""Takes over a partner's price list. The partner allows one call a day, which was made long ago."""

from __future__ import annotations

import time
from typing import Any


class AllowanceExceeded(Exception):
    """The partner answers nothing more today."""


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Ask for the list; raise where the day's allowance is used up, as it is in this scenario."""
    print(f"asking {event['partner']} for its price list")
    time.sleep(0.1)  # The partner.
    raise AllowanceExceeded(f"429 from {event['partner']}: one call a day is allowed")
