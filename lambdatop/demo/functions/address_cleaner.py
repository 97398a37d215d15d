"""Cleans addresses. Its output queue was set to its input queue by mistake.

It sends by plain HTTP and passes no trace header on, as SDKs from before 2023 do not: Lambda's own loop
detection follows that header and sees nothing here.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from typing import Any
from urllib.parse import urlsplit


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Clean each address of the batch and send it on; what is too long is sent on in two parts."""
    sent = 0
    for record in event["Records"]:
        address = json.loads(record["body"])
        time.sleep(0.12)  # The postal register.
        parts = 2 if address["hops"] % 8 == 7 else 1
        for _ in range(parts):
            send({**address, "hops": address["hops"] + 1})
            sent += 1
        print(f"address {address['address']} cleaned, pass {address['hops']}")
    return {"sent": sent}


def send(address: dict[str, Any]) -> None:
    """Send one message to the output queue."""
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=5)
    region, key = os.environ["AWS_REGION"], os.environ["AWS_ACCESS_KEY_ID"]
    scope = f"Credential={key}/20260101/{region}/sqs/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Security-Token": os.environ["AWS_SESSION_TOKEN"],
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "AmazonSQS.SendMessage",
    }
    body = json.dumps({"QueueUrl": os.environ["OUTPUT_QUEUE_URL"], "MessageBody": json.dumps(address)})
    try:
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"not sent: {answer.status}")
    finally:
        connection.close()
