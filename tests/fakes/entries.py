"""Journal entries as the executor writes them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Call

SCOPE = Scope("111122223333", "eu-central-1")
WORKER = Key(SCOPE, "function", "orders-worker")
AT = 1_800_000_000.0


def entry(id_: str = "e1", **changes: Any) -> Entry:
    """Return a throttle to zero that found 7 reserved."""
    made = Entry(
        id=id_,
        at=AT,
        mitigation="throttle_to_zero",
        target=WORKER,
        arn=f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:{WORKER.id}",
        actor="arn:aws:sts::111122223333:assumed-role/oncall/kim",
        host="bastion",
        pid=4242,
        call=reserve(0),
        before={"reserved_concurrency": 7},
        after={"reserved_concurrency": 0},
        undo=reserve(7),
        undoes=None,
        plan_digest="d" * 64,
    )
    return replace(made, **changes)


def reserve(value: int) -> Call:
    """Return PutFunctionConcurrency of the worker."""
    params = {"FunctionName": WORKER.id, "ReservedConcurrentExecutions": value}
    return Call("lambda", "PutFunctionConcurrency", params)
