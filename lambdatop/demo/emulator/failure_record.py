"""What Lambda sends to the failure destination of a stream's mapping: which records, never their contents."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct


class Failure(Struct, frozen=True):
    """The last try of a batch. ``tries`` leaves out throttles, which never reached the function."""

    records: list[dict[str, Any]]
    request_id: str
    version: str
    tries: int
    throttled: bool


def arrival(record: dict[str, Any]) -> float:
    """Return when a stream record arrived, in Unix seconds.

    DynamoDB's stamp is in whole seconds; ministack's sequence numbers begin with the milliseconds.
    """
    if "kinesis" in record:
        return float(record["kinesis"]["approximateArrivalTimestamp"])
    return int(record["dynamodb"]["SequenceNumber"][:20]) / 1000


def envelope(mapping: dict[str, Any], shard_id: str, failure: Failure, condition: str) -> dict[str, Any]:
    """Return the invocation record of a batch that is given up."""
    first, last = failure.records[0], failure.records[-1]
    record: dict[str, Any] = {
        "requestContext": {
            "requestId": failure.request_id,
            "functionArn": mapping["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": failure.tries,
        },
        "version": "1.0",
        "timestamp": _stamp(time.time()),
        "KinesisBatchInfo" if "kinesis" in first else "DDBStreamBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": _sequence_number(first),
            "endSequenceNumber": _sequence_number(last),
            "approximateArrivalOfFirstRecord": _stamp(arrival(first)),
            "approximateArrivalOfLastRecord": _stamp(arrival(last)),
            "batchSize": len(failure.records),
            "streamArn": mapping["EventSourceArn"],
        },
    }
    if not failure.throttled:
        record["responseContext"] = {
            "statusCode": 200,
            "executedVersion": failure.version,
            "functionError": "Unhandled",
        }
    return record


def _sequence_number(record: dict[str, Any]) -> str:
    return str(
        record["kinesis"]["sequenceNumber"] if "kinesis" in record else record["dynamodb"]["SequenceNumber"]
    )


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
