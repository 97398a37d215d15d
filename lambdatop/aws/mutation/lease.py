"""The shared lease in a DynamoDB table: one conditional write, sent by the mutator like every other write.

pk       S  account/region/kind/id, the table's partition key
owner    S  who has it, by the name that people know
expires  N  s since the epoch, in the form of DynamoDB's own time to live
fence    N  grows each time it is taken or renewed
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from lambdatop.aws.mutation.mutator import AwsMutator
from lambdatop.aws.sdk.walls.allowlist import LEASE
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.lease import Held, Leased, held_by_other, lease_name, not_known, taken
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.settings.settings import LeaseSettings

PATIENCE_S = 3.0
"""A person waits for this; who holds the lease is not worth more time."""

REFUSED = "ConditionalCheckFailedException"


class DynamoLease:
    """Implements `domain.ports.aws.Lease` over the mutator; there is none in read-only mode."""

    def __init__(
        self, mutator: AwsMutator, table: str, seconds: float, patience_s: float = PATIENCE_S
    ) -> None:
        self._mutator = mutator
        self._table = table
        self._seconds = seconds
        self._patience_s = patience_s

    async def take(self, target: Key, owner: str, now: float) -> Leased:
        """Take or renew the lease on `target` until `now` + its seconds.

        One that has run out, or is the owner's own, is taken over. Never raises but for cancellation.
        """
        call = _call(self._table, lease_name(target), owner, now, math.ceil(now + self._seconds))
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await self._mutator.answer(call, call.digest())
        except TimeoutError:
            return self._failed(f"no answer within {self._patience_s:g} s")
        if answer.failure is None:
            return taken(_held(answer.parsed.get("Attributes")))
        if answer.code == REFUSED:
            return held_by_other(_held(answer.parsed.get("Item")))
        return self._failed(answer.failure.detail)

    def _failed(self, why: str) -> Leased:
        return not_known(f"The lease table {self._table} tells nothing about other responders: {why}")


def lease_of(settings: LeaseSettings, mutator: AwsMutator) -> DynamoLease | None:
    """Return the lease that is configured, None without a table."""
    return DynamoLease(mutator, settings.table, settings.seconds) if settings.table else None


def _call(table: str, name: str, owner: str, now: float, until: int) -> Call:
    service, operation = LEASE
    params: dict[str, Any] = dict(
        TableName=table,
        Key={"pk": {"S": name}},
        UpdateExpression="SET #owner = :me, #expires = :until ADD #fence :one",
        ConditionExpression="attribute_not_exists(pk) OR #expires < :now OR #owner = :me",
        ExpressionAttributeNames={"#owner": "owner", "#expires": "expires", "#fence": "fence"},
        ExpressionAttributeValues={
            ":me": {"S": owner},
            ":until": {"N": str(until)},
            ":now": {"N": str(math.floor(now))},
            ":one": {"N": "1"},
        },
        ReturnValues="ALL_NEW",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    return Call(service, operation, params)


def _held(item: Any) -> Held:
    """Return an item of the table, which others write: values that are not valid are left out."""
    known: Mapping[str, Any] = item if isinstance(item, dict) else {}
    owner = clean_name(str((known.get("owner") or {}).get("S") or "")) or "somebody"
    return Held(owner, _number(known.get("expires")), int(_number(known.get("fence"))))


def _number(value: Any) -> float:
    try:
        number = float((value or {}).get("N") or 0)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0
