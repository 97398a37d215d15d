"""redrive_dlq: StartMessageMoveTask at a limited rate, and CancelMessageMoveTask to stop it.

Nothing is lost, but nothing brings moved messages back either: they get a new id, a new age and a new
retention in the queue where they land.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.mitigations.drain import KMS, kms_actions
from lambdatop.domain.mitigations.spec import MitigationSpec
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.parse import number, switch
from lambdatop.domain.plans.plan import (
    NEWER_THAN,
    Alternative,
    Call,
    Plan,
    Proposal,
    Refusal,
    State,
)
from lambdatop.domain.plans.situation import Consumer, QueueSituation
from lambdatop.domain.plans.wording import count
from lambdatop.domain.units import span

NAME = "redrive_dlq"
FIELD = "move_task"
RATE, FASTEST = 10, 500
"""Messages per second: slow by default, because a consumer that is not mended fails them all again."""
CALLS = (("sqs", "StartMessageMoveTask"), ("sqs", "CancelMessageMoveTask"))
MOVING = ("RUNNING", "CANCELLING")
IAM = (
    "sqs:StartMessageMoveTask",
    "sqs:CancelMessageMoveTask",
    "sqs:ListMessageMoveTasks",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
)
CANCEL = Call("sqs", "CancelMessageMoveTask", {})
"""The undo of a redrive; its TaskHandle is known only once it runs, and is read when it is needed."""


def start(source: str, destination: str = "", rate: int = RATE) -> Call:
    """Return the call that moves messages out of `source` (ARN), each home or all to `destination` (ARN)."""
    params: dict[str, Any] = {"SourceArn": source}
    if destination:
        params["DestinationArn"] = destination
    return Call("sqs", "StartMessageMoveTask", params | {"MaxNumberOfMessagesPerSecond": rate})


def move_command(call: Call) -> Words:
    """Return both calls as an `aws` command."""
    p = call.params
    if call.operation == "CancelMessageMoveTask":
        return ("sqs", "cancel-message-move-task", *option("--task-handle", p["TaskHandle"]))
    words = ["sqs", "start-message-move-task", "--source-arn", p["SourceArn"]]
    words += ["--destination-arn", p["DestinationArn"]] if "DestinationArn" in p else []
    if "MaxNumberOfMessagesPerSecond" in p:
        words += ["--max-number-of-messages-per-second", str(p["MaxNumberOfMessagesPerSecond"])]
    return tuple(words)


def newer(task: MoveTask | None) -> State:
    """Return the state in which a move task newer than `task` runs."""
    return {FIELD: {NEWER_THAN: task.started_ms if task else 0}}


def control(task: MoveTask | None) -> Any:
    """Return what plans compare of the newest move task, None where there was none."""
    return task.control if task else None


def plan_redrive_dlq(s: QueueSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse a redrive, or with `cancel` its end; raises UsageError for a bad rate."""
    if switch("cancel", params.get("cancel", "no")):
        if isinstance(s.move_task, NotKnown):
            return _unread(NAME, s, "Whether a move runs", s.move_task)
        return plan_stop(s.ref, {FIELD: control(s.move_task)}, now, plan_id, mitigation=NAME)
    rate = number("rate", params.get("rate", RATE), 1, FASTEST)
    refused = not_redrivable(NAME, s)
    if refused:
        return refused
    q, task = s.facts, or_none(s.move_task)
    home = " and ".join(or_none(s.dead_letters_of) or ())
    call = start(q.arn, rate=rate)
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Redrive {q.name}: about {count(q.visible, 'message')} back to {home}, {rate}/s",
        tier="T2",
        call=call,
        before={FIELD: control(task)},
        after=newer(task),
        undo=CANCEL,
        way_back=WayBack("stops it while it runs (u, or --set cancel=yes); what was moved stays moved"),
        lost="nothing; each message gets a new id, a new age and the full retention again",
        in_flight="messages in flight in the dead-letter queue are not moved",
        takes_effect=f"at once, about {span(q.visible / rate)} for all at {rate}/s; at most 36 h",
        confirm=q.name,
        command=move_command(call),
        iam_actions=(*IAM, *kms_actions(q)),
        planned_at=now,
        blast_radius=_reach(s, home),
        warnings=_warnings(s),
        unknowns=s.gaps,
        alternatives=_stop_first(s),
    )


def not_redrivable(mitigation: str, s: QueueSituation) -> Refusal | None:
    """Return why SQS would not move messages out of this queue, None when it would."""
    q, task = s.facts, s.move_task
    if isinstance(s.dead_letters_of, NotKnown):
        return _unread(mitigation, s, "Whether it is a dead-letter queue, and of which,", s.dead_letters_of)
    if isinstance(task, NotKnown):
        return _unread(mitigation, s, "Whether a move out of it runs already", task)
    if not s.dead_letters_of:
        reason = f"{q.name} is not the DLQ of an SQS queue, and SQS moves messages out of such DLQs only."
        hint = "What Lambda or SNS put there has to be sent again by whoever knows what it was."
        return Refusal(mitigation, s.ref, reason, hint)
    if task is not None and task.status in MOVING:
        reason = f"A move out of {q.name} is {task.status} already ({count(task.moved, 'message')} so far)."
        hint = f"One at a time. To stop it: lambdatop mitigate {NAME} {q.name} --set cancel=yes"
        return Refusal(mitigation, s.ref, reason, hint)
    if not q.visible:
        reason = f"{q.name} holds no message that could be moved."
        return Refusal(mitigation, s.ref, reason, "Counts lag a little.")
    return None


def _unread(mitigation: str, s: QueueSituation, what: str, why: NotKnown) -> Refusal:
    """Return the refusal for a read without an answer: nothing is concluded from it."""
    return Refusal(mitigation, s.ref, f"{what} could not be read ({why.why}).", f"{why.remedy}.")


def _reach(s: QueueSituation, home: str) -> tuple[str, ...]:
    if isinstance(s.behind, NotKnown):
        return (f"what reads {home} is {s.behind.words}",)
    return tuple(_consumer(c) for c in s.behind) or (f"nothing in Lambda reads {home}",)


def plan_stop(
    ref: Ref,
    current: State,
    now: float,
    plan_id: str,
    *,
    mitigation: str,
    undoes: str | None = None,
    depth: int = 0,
) -> Proposal:
    """Plan the end of a running move, or say that none runs; `current` holds the `move_task`."""
    task = current.get(FIELD) or {}
    handle, status = task.get("handle"), task.get("status")
    if status != "RUNNING" or not handle:
        how = f"the newest is {status}" if status else "none was ever started, as far as SQS reports"
        reason = f"No move of messages out of {ref.key.id} is running: {how}."
        if status == "RUNNING":
            reason = (
                f"A move of messages out of {ref.key.id} is running, but SQS returned no handle to stop it."
            )
        return Refusal(mitigation, ref, reason, "What was moved stays moved.")
    call = Call(CANCEL.service, CANCEL.operation, {"TaskHandle": handle})
    return Plan(
        id=plan_id,
        mitigation=mitigation,
        target=ref,
        title=f"Stop moving messages out of {ref.key.id}",
        tier="T1",
        call=call,
        before={FIELD: task},
        after={FIELD: {"started_ms": task["started_ms"], "status": "CANCELLED", "handle": None}},
        undo=None,
        way_back=WayBack("none needed: start it again"),
        lost="nothing; what was moved stays moved, the rest stays here",
        in_flight="messages that were moved are being processed",
        takes_effect="within seconds: CANCELLING, then CANCELLED",
        confirm="key",
        command=move_command(call),
        iam_actions=IAM[1:3],
        planned_at=now,
        transient=({FIELD: {**task, "status": "CANCELLING", "handle": None}},),
        undoes=undoes,
        depth=depth,
    )


def _consumer(c: Consumer) -> str:
    name = f"{c.mapping.source_name} feeds {c.mapping.function.id} ({c.mapping.state})"
    if c.invocations is None or c.errors is None:
        return f"{name}; its recent errors are not known"
    return f"{name}: {c.errors:.0f} errors in {c.invocations:.0f} invocations of the newest ten minutes"


def _warnings(s: QueueSituation) -> tuple[str, ...]:
    if isinstance(s.behind, NotKnown):
        return (f"whether what is redriven would fail again is {s.behind.words}",)
    words = [
        f"{c.mapping.function.id} STILL FAILS: what is redriven now comes back here, and runs twice where it "
        "fails half-way"
        for c in s.behind
        if c.fails and c.mapping.enabled
    ]
    if not any(c.mapping.enabled for c in s.behind) and s.behind:
        words.append("no trigger behind it is enabled: messages only move from one queue to another")
    return tuple(words)


def _stop_first(s: QueueSituation) -> tuple[Alternative, ...]:
    """Return the alternative to stop the consumer first, where it still fails."""
    return tuple(
        Alternative(
            "disable_trigger",
            Ref(c.mapping.key, c.mapping.uuid, c.mapping.label),
            "hold the queue until the function is fixed; nothing is lost before it expires",
        )
        for c in or_none(s.behind) or ()
        if c.fails and c.mapping.enabled
    )


def move_words(value: Any) -> str:
    """Return the control value of a move task in words."""
    if not value:
        return "no redrive"
    if NEWER_THAN in value:
        return "a new redrive"
    return f"redrive {value.get('status')}"


SPECS = (
    MitigationSpec(
        name=NAME,
        order=120,
        kind="queue",
        tier="T2",
        summary="move the messages of a dead-letter queue back to where they came from",
        plan=plan_redrive_dlq,
        hotkey="W",
        label="redrive",
        does="redrive its dead letters at a limited rate",
        footer=25,
        params=("rate", "cancel"),
        checks=(("rate", lambda name, value: number(name, value, 1, FASTEST)), ("cancel", switch)),
        nothing="no dead-letter queue behind its triggers",
        dead_letters=True,
        calls=CALLS,
        iam=IAM,
        iam_encrypted=KMS,
        final=((CANCEL.operation, "what was moved stays moved; redrive_dlq moves the rest"),),
    ),
)
