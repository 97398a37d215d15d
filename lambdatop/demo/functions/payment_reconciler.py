"""Matches payments with orders."""

from __future__ import annotations

import json
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> None:
    """Match each payment of the batch."""
    for record in event["Records"]:
        payment = json.loads(record["body"])
        time.sleep(0.15)  # The bank.
        print(f"payment {payment['payment']}: {payment['cents']} cents for order {payment['order']}")
