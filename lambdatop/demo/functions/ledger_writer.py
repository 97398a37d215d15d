"""Books payments in the order of the stream. A record it cannot read stops it, batch after batch."""

from __future__ import annotations

import base64
import json
import time
from decimal import Decimal
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Book the batch; the first record that cannot be booked fails all of it."""
    booked = 0
    for record in event["Records"]:
        payment = json.loads(base64.b64decode(record["kinesis"]["data"]))
        sequence = record["kinesis"]["sequenceNumber"]
        cents = Decimal(payment["amount"]).scaleb(2)
        if not cents.is_finite():
            raise ValueError(f"payment {payment['payment']} at {sequence}: amount {payment['amount']!r}")
        booked += int(cents)
    time.sleep(0.05)  # The general ledger.
    print(f"{len(event['Records'])} payments, {booked} cents booked")
    return {"cents": booked}
