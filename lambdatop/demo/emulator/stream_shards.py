"""Reading one shard of a stream: Kinesis by sequence number, a DynamoDB stream by position."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from typing import Any, Protocol

from lambdatop.demo.emulator import _ministack

# ministack's DynamoDB streams have one shard, of this name.
DYNAMODB_SHARD = "shardId-00000000000000000000-00000000"


class Shard(Protocol):
    """One shard as one mapping reads it. Every call runs in the mapping's own account and region."""

    def read(self, most: int) -> list[dict[str, Any]]:
        """Return the next records, at most so many, as a function is given them; stay where we are."""
        ...

    def skip(self, records: list[dict[str, Any]]) -> None:
        """Advance past records that ``read`` returned."""
        ...


class KinesisShard:
    """A Kinesis shard. The place is a sequence number, which stays true when old records expire."""

    def __init__(self, mapping: dict[str, Any], shard_id: str, *, from_the_start: bool) -> None:
        """Start at the oldest record, or behind the newest."""
        self._arn, self._shard_id = str(mapping["EventSourceArn"]), shard_id
        records = self._records()
        self._after = 0 if from_the_start or not records else int(records[-1]["SequenceNumber"])

    def _records(self) -> list[dict[str, Any]]:
        shard = kinesis_shards(self._arn).get(self._shard_id)
        return shard["records"] if shard else []

    def read(self, most: int) -> list[dict[str, Any]]:
        """See ``Shard``."""
        records = self._records()
        place = bisect_right(records, self._after, key=lambda record: int(record["SequenceNumber"]))
        return [_as_event(r, self._shard_id, self._arn) for r in records[place : place + most]]

    def skip(self, records: list[dict[str, Any]]) -> None:
        """See ``Shard``."""
        self._after = int(records[-1]["kinesis"]["sequenceNumber"])


class TableShard:
    """The only shard of a table's stream. ministack anchors LATEST when the mapping is created."""

    def __init__(self, mapping: dict[str, Any], *, from_the_start: bool) -> None:
        """Start where ministack says, or where the mapping's starting position says."""
        self._table = str(mapping["EventSourceArn"]).split("/")[1]
        edge = "start" if from_the_start else "end"
        default = _ministack.get(f"services.dynamodb.stream_{edge}_position")(self._table)
        positions = _ministack.get("services.lambda_svc._dynamodb_stream_positions")
        self._position: int = positions.get(mapping["UUID"], default)

    def read(self, most: int) -> list[dict[str, Any]]:
        """See ``Shard``."""
        horizon: int = _ministack.get("services.dynamodb.stream_start_position")(self._table)
        self._position = max(self._position, horizon)
        read = _ministack.get("services.dynamodb.stream_records_since")
        return list(read(self._table, self._position, most))

    def skip(self, records: list[dict[str, Any]]) -> None:
        """See ``Shard``."""
        self._position += len(records)


def shard_ids(mapping: dict[str, Any]) -> list[str]:
    """Return the shards of a mapping's stream; none for a queue, or for a stream that is not there."""
    arn = str(mapping.get("EventSourceArn", ""))
    if ":kinesis:" in arn:
        return list(kinesis_shards(arn))
    return [DYNAMODB_SHARD] if ":dynamodb:" in arn and _is_streamed(arn) else []


def open_shard(mapping: dict[str, Any], shard_id: str, *, newborn: bool) -> Shard:
    """Start to read one shard for a mapping; a ``newborn`` one from its first record."""
    oldest = newborn or mapping.get("StartingPosition") == "TRIM_HORIZON"
    if ":dynamodb:" in mapping["EventSourceArn"]:
        return TableShard(mapping, from_the_start=oldest)
    return KinesisShard(mapping, shard_id, from_the_start=oldest)


def kinesis_shards(arn: str) -> dict[str, dict[str, Any]]:
    """Return a Kinesis stream's shards, by their ids; empty while there is no such active stream."""
    _, _, _, region, account, resource = arn.split(":", 5)
    streams = _ministack.get("services.kinesis._streams")
    stream = streams.get_scoped(account, region, resource.partition("/")[2])
    if not stream or stream["StreamARN"] != arn or stream["StreamStatus"] != "ACTIVE":
        return {}
    shards: dict[str, dict[str, Any]] = stream["shards"]
    return shards


def _is_streamed(arn: str) -> bool:
    """Return whether a table's present stream is this one."""
    table = _ministack.get("services.dynamodb._tables").get(arn.split("/")[1])
    return bool(table and table.get("LatestStreamArn") == arn)


def _as_event(record: dict[str, Any], shard_id: str, arn: str) -> dict[str, Any]:
    number = record["SequenceNumber"]
    account = _ministack.get("core.responses.get_account_id")()
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": number,
            "data": _in_base64(record["Data"]),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{account}:role/lambda-role",
        "awsRegion": arn.split(":")[3],
        "eventSourceARN": arn,
    }


def _in_base64(data: str | bytes) -> str:
    """Encode what was put: ministack keeps base64, bytes, or whatever text a client sent instead."""
    if isinstance(data, str):
        try:
            base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            data = data.encode()
        else:
            return data
    return base64.b64encode(data).decode("ascii")
