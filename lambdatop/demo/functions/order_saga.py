"""Ships an order in steps, as a durable function: what is done is not done again. The shipping step hangs.

The SDK for durable functions is not part of the demo: the few calls that it would send stand here.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from typing import Any
from urllib.parse import quote, urlsplit

HANGS_S = 30.0


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the order's money once, then wait for the carrier, longer than the function may run."""
    arn, token = event["DurableExecutionArn"], event["CheckpointToken"]
    known = {operation["Id"]: operation for operation in event["InitialExecutionState"]["Operations"]}
    order = json.loads(known[arn.rsplit("/", 1)[-1]]["ExecutionDetails"]["InputPayload"])
    if known.get("charge", {}).get("Status") == "SUCCEEDED":
        print(f"order {order['order']}: charged already")
    else:
        token = checkpoint(arn, token, "charge", "START")
        time.sleep(0.03)  # The bank.
        token = checkpoint(arn, token, "charge", "SUCCEED")
        print(f"order {order['order']}: charged {order['cents']} cents")
    checkpoint(arn, token, "ship", "START")
    print(f"order {order['order']}: waits for the carrier")
    time.sleep(HANGS_S)  # The carrier does not answer.
    return {"order": order["order"]}


def checkpoint(arn: str, token: str, step: str, action: str) -> str:
    """Note how far a step has come; return the token for the next note."""
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=5)
    region, key = os.environ["AWS_REGION"], os.environ["AWS_ACCESS_KEY_ID"]
    scope = f"Credential={key}/20260101/{region}/lambda/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Security-Token": os.environ["AWS_SESSION_TOKEN"],
        "Content-Type": "application/json",
    }
    update = {"Id": step, "Type": "STEP", "Name": step, "Action": action}
    body = json.dumps({"CheckpointToken": token, "Updates": [update]})
    try:
        path = f"/2025-12-01/durable-executions/{quote(arn, safe='')}/checkpoint"
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        words = json.loads(answer.read() or "{}")
        if answer.status != 200:
            raise RuntimeError(f"not noted: {answer.status} {words}")
        return str(words["CheckpointToken"])
    finally:
        connection.close()
