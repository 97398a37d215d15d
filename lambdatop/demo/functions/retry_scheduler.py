"""Tries a transfer, and when the bank is busy invokes itself again: for ever, if the bank stays busy.

It passes on how many hops lie behind it, as today's SDKs do with the trace header, so that Lambda's loop
detection sees the chain and stops it.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from typing import Any
from urllib.parse import urlsplit


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Try once; the bank is always busy."""
    time.sleep(0.03)  # The bank.
    print(f"transfer {event['transfer']}: the bank is busy, try {event['tries']}")
    again({**event, "tries": event["tries"] + 1}, context.function_name)
    return {"tries": event["tries"]}


def again(event: dict[str, Any], function: str) -> None:
    """Invoke this function asynchronously."""
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=5)
    region, key = os.environ["AWS_REGION"], os.environ["AWS_ACCESS_KEY_ID"]
    scope = f"Credential={key}/20260101/{region}/lambda/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Security-Token": os.environ["AWS_SESSION_TOKEN"],
        "X-Amz-Invocation-Type": "Event",
        "X-Ministack-Invoke-Depth": os.environ.get("_MINISTACK_INVOKE_DEPTH", "0"),
    }
    try:
        path = f"/2015-03-31/functions/{function}/invocations"
        connection.request("POST", path, json.dumps(event), headers)
        answer = connection.getresponse()
        words = answer.read().decode()
        if answer.status == 400 and "RecursiveInvocationException" in words:
            print(f"stopped: {json.loads(words).get('message', '')}")
        elif answer.status != 202:
            raise RuntimeError(f"not invoked: {answer.status}")
    finally:
        connection.close()
