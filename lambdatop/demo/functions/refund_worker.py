"""Pays refunds. The bank does not take the format in which they are written any more."""

from __future__ import annotations

import json
import time
from typing import Any


def handler(event: Any, context: Any) -> dict[str, int]:
    """Hand each refund of a batch to the bank; a pipe sends the bare records, a mapping does not."""
    records = event["Records"] if isinstance(event, dict) else event
    for record in records:
        refund = json.loads(record["body"])
        receives = record["attributes"]["ApproximateReceiveCount"]
        print(f"refund {refund['refund']}: message {record['messageId']}, receive {receives}")
        time.sleep(0.05)  # The bank.
        if refund["format"] < 2:
            raise ValueError(f"refund {refund['refund']}: the bank takes format 1 no more")
    return {"paid": len(records)}
