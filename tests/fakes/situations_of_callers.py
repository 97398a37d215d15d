"""Situations of schedules, pipes and state machines for the words of plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakes.plan_situations import BROKER, CLICKS, HERE, KAFKA, TABLE, Asked, Cases, denied, orders
from fakes.worlds import NOW, ORDERS, SCOPE, function, queue
from msgspec.structs import replace

from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.one_by_one import MOST
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.situation import (
    Execution,
    PipeSituation,
    ScheduleSituation,
    StateMachineSituation,
)

MINUTELY = Key(SCOPE, "schedule", "shop/minutely")
CARRIER, CHECKOUT = Key(SCOPE, "pipe", "orders-pipe"), Key(SCOPE, "state machine", "checkout")
ROLE = f"arn:aws:iam::{SCOPE.account}:role/service-role/scheduler"
GAP = "kinesis:DescribeStreamSummary is denied, so how long the stream keeps records is unknown"


def on_schedule(**changes: Any) -> ScheduleSituation:
    """Return the schedule minutely of the group shop, which invokes orders-worker."""
    ref = Ref(MINUTELY, f"arn:aws:scheduler:{HERE}:schedule/{MINUTELY.id}", MINUTELY.id)
    s = ScheduleSituation(ref, NOW, "shop", "minutely", "ENABLED", "rate(1 minutes)", "UTC")
    return replace(s, **{"target": function().arn, "role": ROLE} | changes)


def on_pipe(**changes: Any) -> PipeSituation:
    """Return the pipe orders-pipe, from the queue orders to orders-worker."""
    ref = Ref(CARRIER, f"arn:aws:pipes:{HERE}:pipe/{CARRIER.id}", CARRIER.id)
    s = PipeSituation(ref, NOW, "RUNNING", "RUNNING", orders().arn, function().arn, queue=orders())
    return replace(s, **changes)


def _by(source: str, **changes: Any) -> PipeSituation:
    return on_pipe(**{"source": source, "queue": None} | changes)


def on_machine(many: int = 3, **changes: Any) -> StateMachineSituation:
    """Return the state machine checkout with running executions, the newest first."""
    ref = Ref(CHECKOUT, f"arn:aws:states:{HERE}:stateMachine:checkout", CHECKOUT.id)
    arn = f"arn:aws:states:{HERE}:execution:checkout"
    found = tuple(Execution(f"run-{n}", f"{arn}:run-{n}", NOW - 600 * n) for n in range(1, many + 1))
    return replace(StateMachineSituation(ref, NOW, "STANDARD", found), **changes)


DISABLE: Cases = {
    "a schedule by a rate": Asked(on_schedule()),
    "once, then deleted": Asked(
        on_schedule(
            expression="at(2027-01-15T08:30:00)", timezone="Europe/Berlin", ends_then=True, start=NOW - 9e5
        )
    ),
    "it began long ago and will end": Asked(on_schedule(start=NOW - 86_400, end=NOW + 86_400)),
    "it began now and has ended": Asked(on_schedule(start=NOW - 200, end=NOW - 100, timezone="")),
    "target and role are not told": Asked(on_schedule(target="", role="", gaps=("one gap",))),
    "a name like an option": Asked(
        on_schedule(name="--debug", ref=replace(on_schedule().ref, key=MINUTELY._replace(id="shop/--debug")))
    ),
    "off already": Asked(on_schedule(state="DISABLED")),
    "a state that nobody knows": Asked(on_schedule(state="PAUSED")),
    "a member that would be lost": Asked(on_schedule(not_copied=("Target.Mood", "Retries"))),
}
STOP: Cases = {
    "from a queue": Asked(on_pipe()),
    "from a queue with old messages": Asked(
        on_pipe(queue=orders(visible=12), oldest_age_s=7200.0, dead_letters=False)
    ),
    "from a queue that could not be read": Asked(
        on_pipe(queue=denied("sqs:GetQueueAttributes"), gaps=("sqs:GetQueueAttributes is denied",))
    ),
    "from a Kinesis stream": Asked(_by(CLICKS, retention_s=86_400)),
    "from a Kinesis stream, which is not known": Asked(
        _by(CLICKS, retention_s=denied("kinesis:DescribeStreamSummary"), gaps=(GAP,))
    ),
    "from a stream, old records are discarded": Asked(_by(TABLE, record_age_s=3600)),
    "from a table's stream": Asked(_by(TABLE)),
    "from Kafka": Asked(_by(KAFKA)),
    "from a broker, enriched": Asked(_by(BROKER, enrichment=f"{function().arn}-enrich")),
    "ends are not told": Asked(_by("", target="")),
    "stopped already": Asked(on_pipe(state="STOPPED")),
    "it is starting": Asked(on_pipe(state="STARTING")),
    "it failed": Asked(on_pipe(state="UPDATE_FAILED")),
    "no state was told": Asked(on_pipe(state="")),
}
HALTED = on_pipe(state="STOPPED", wanted="STOPPED")
START: Cases = {
    "an empty queue": Asked(HALTED),
    "messages wait": Asked(replace(HALTED, queue=queue(ORDERS, visible=1200))),
    "the queue could not be read": Asked(replace(HALTED, queue=denied("sqs:GetQueueAttributes"))),
    "old records are discarded": Asked(replace(HALTED, source=TABLE, queue=None, record_age_s=60)),
    "runs already": Asked(on_pipe()),
    "it is stopping": Asked(on_pipe(state="STOPPING")),
    "it failed": Asked(on_pipe(state="START_FAILED")),
}
EXECUTIONS: Cases = {
    "two of them": Asked(on_machine(2)),
    "one, whose start is not told": Asked(
        on_machine(odd=1, running=(replace(on_machine(1).running[0], started=None),))
    ),
    "nothing runs": Asked(on_machine(0)),
    "nothing that could be named runs": Asked(on_machine(0, odd=2)),
    "express": Asked(on_machine(0, kind="EXPRESS")),
}
MANY = on_machine(MOST + 1)
"""More than one plan stops; its words alone are tested, not all of its steps."""

CASES: Mapping[str, Cases] = {
    "disable_schedule": DISABLE,
    "stop_pipe": STOP,
    "start_pipe": START,
    "stop_executions": EXECUTIONS,
}
