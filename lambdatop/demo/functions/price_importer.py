"""Takes over a partner's price list. The partner answers slowly today."""

from __future__ import annotations

import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Fetch one page of the list; the environment is taken for as long as the partner takes."""
    print(f"page {event['page']} of {event['partner']}: waiting for the partner")
    time.sleep(3.0)
    return {"prices": 500}
