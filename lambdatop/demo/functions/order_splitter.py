"""Splits an order into parcels and has each of them announced by another function."""

from __future__ import annotations

import http.client
import json
import os
import time
from typing import Any
from urllib.parse import urlsplit

NOTIFIER = os.environ["NOTIFIER"]


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Announce every parcel, then book the order; what was announced before a failure stays announced."""
    for number, parcel in enumerate(event["parcels"], 1):
        if parcel["weight_g"] is None:
            raise KeyError(f"order {event['order']}: parcel {number} has no weight")
        announce(event["order"], parcel)
    time.sleep(0.03)  # The order book.
    print(f"order {event['order']} split into {len(event['parcels'])} parcels")
    return {"parcels": len(event["parcels"])}


def announce(order: int, parcel: dict[str, Any]) -> None:
    """Invoke the notifier asynchronously, and do not wait for it."""
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=5)
    region, key = os.environ["AWS_REGION"], os.environ["AWS_ACCESS_KEY_ID"]
    # The SDK would do this; it would cost half a second of every cold start.
    scope = f"Credential={key}/20260101/{region}/lambda/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Security-Token": os.environ["AWS_SESSION_TOKEN"],
        "X-Amz-Invocation-Type": "Event",
    }
    body = json.dumps({"order": order, "parcel": parcel["parcel"]})
    try:
        connection.request("POST", f"/2015-03-31/functions/{NOTIFIER}/invocations", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise RuntimeError(f"{NOTIFIER} was not invoked: {answer.status}")
    finally:
        connection.close()
