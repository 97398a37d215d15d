"""A schedule, a pipe and a state machine that invoke orders-worker, and what looking for them has found."""

from __future__ import annotations

from typing import Any

from fakes.worlds import NOW, SCOPE, WORKER, function
from msgspec.structs import replace

from lambdatop.domain.facts.callers import KINDS, Caller, Looked, RetryRule
from lambdatop.domain.keys import Key

HERE = f"{SCOPE.region}:{SCOPE.account}"
NIGHTLY = Key(SCOPE, "schedule", "default/nightly")
HANDOVER = Key(SCOPE, "pipe", "handover")
CHECKOUT = Key(SCOPE, "state machine", "checkout")


def schedule(**changes: Any) -> Caller:
    """Return a schedule that invokes orders-worker each minute."""
    made = Caller(
        NIGHTLY,
        f"arn:aws:scheduler:{HERE}:schedule/default/nightly",
        WORKER,
        function().arn,
        "ENABLED",
        "push async",
        when="rate(1 minute) UTC",
        max_retries=185,
        max_age_s=86_400,
        dlq_arn=f"arn:aws:sqs:{HERE}:missed",
    )
    return replace(made, **changes)


def pipe(**changes: Any) -> Caller:
    """Return a pipe that reads a stream and ends in the alias live of orders-worker."""
    made = Caller(
        HANDOVER,
        f"arn:aws:pipes:{HERE}:pipe/handover",
        WORKER,
        f"{function().arn}:live",
        "RUNNING",
        "push sync",
        source_arn=f"arn:aws:kinesis:{HERE}:stream/clicks",
        target_arn=f"{function().arn}:live",
        parts=("target",),
        max_retries=-1,
        max_age_s=3600,
    )
    return replace(made, **changes)


def machine(**changes: Any) -> Caller:
    """Return a state machine, one task of which invokes orders-worker and is tried again."""
    made = Caller(
        CHECKOUT,
        f"arn:aws:states:{HERE}:stateMachine:checkout",
        WORKER,
        function().arn,
        "ACTIVE",
        "push sync",
        parts=("Charge",),
        retry=(RetryRule(("States.ALL",), 9, 1.0, 2.0),),
    )
    return replace(made, **changes)


NOBODY = tuple(Looked(kind, NOW) for kind in KINDS)
"""All three were looked for, and there is none."""
ALL_THREE = tuple(
    Looked(kind, NOW, (caller,)) for kind, caller in zip(KINDS, (schedule(), pipe(), machine()), strict=True)
)
UNSEEN = (
    Looked("schedule", missing=("missing scheduler:ListSchedules",)),
    Looked("pipe", NOW - 60, (pipe(state="STOPPED"),)),
    Looked("state machine", NOW, missing=("missing states:DescribeStateMachine (2)",)),
)
"""Schedules are denied, the pipe is stopped, and two definitions are denied."""
