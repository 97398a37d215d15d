"""Describe streams behind event source mappings: how long they keep records."""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.keys import Key

DYNAMODB_RETENTION_S = 86_400
"""A DynamoDB stream keeps its records for 24 hours; that cannot be changed."""


class StreamFacts(Struct, frozen=True):
    """One stream that feeds a function. `source_kind` is kinesis or dynamodb.

    Units: `retention_s` s, None when it could not be read; `shards` open shards.
    """

    key: Key
    arn: str
    source_kind: str
    retention_s: int | None = None
    shards: int | None = None
