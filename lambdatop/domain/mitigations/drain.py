"""Plan the draining of a queue to a file on this machine: each message is on disk before it is deleted.

It is a step of quarantine_queue. One journal entry stands for the whole drain; the file names every message
that it took, so that a drain that was cut off is told apart from one that never began.
"""

from __future__ import annotations

from lambdatop.domain.facts.event_source_mapping import MAX_RECEIVES
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.plan import Call, Plan
from lambdatop.domain.plans.situation import QueueSituation
from lambdatop.domain.plans.wording import count

KMS = ("kms:Decrypt", "kms:GenerateDataKey")


def kms_actions(queue: QueueFacts) -> tuple[str, ...]:
    """Return the IAM actions that this queue's key requires; none without a customer managed key."""
    return KMS if queue.kms_key else ()


NAME = "quarantine_queue"
SERVICE, OPERATION = "lambdatop", "DrainQueue"
"""Not an operation of AWS: the mutator turns it into ReceiveMessage and DeleteMessageBatch of one queue."""

IAM = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def drain(url: str, name: str) -> Call:
    """Return the call that moves everything in the queue at `url` to the file of the queue `name`."""
    return Call(SERVICE, OPERATION, {"QueueUrl": url, "QueueName": name})


def drain_step(s: QueueSituation, now: float, plan_id: str) -> Plan:
    """Return the plan of a drain; nothing is compared before it because counts change all the time."""
    q = s.facts
    about = q.visible + q.in_flight + q.delayed
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Drain about {count(about, 'message')} of {q.name} to a file, and delete them from the queue",
        tier="T2",
        call=drain(q.url, q.name),
        before={},
        after={},
        undo=None,
        way_back=WayBack(
            "none: lambdatop does not send them again. The file holds bodies and attributes; ids, ages "
            "and receive counts would be new"
        ),
        lost="nothing: each message is on this machine's disk (0600, fsync'd) before it is deleted",
        in_flight="messages in flight elsewhere are not taken; they become visible again or are deleted",
        takes_effect="ten messages at a time; ends after three long polls without a message",
        confirm=q.name,
        command=("sqs", "receive-message", "--queue-url", q.url, "--max-number-of-messages", "10"),
        iam_actions=(*IAM, *kms_actions(q)),
        planned_at=now,
        warnings=_warnings(s),
        unknowns=s.gaps,
    )


def _warnings(s: QueueSituation) -> tuple[str, ...]:
    q = s.facts
    words = ["the file holds customers' data: it stays on this machine until somebody removes it"]
    if q.dlq_arn:
        dlq, receives = q.dlq_arn.rpartition(":")[2], q.max_receive_count or MAX_RECEIVES
        words.append(f"receiving counts: a message received {receives} times before goes to {dlq} instead")
    if q.fifo:
        words.append(
            "FIFO: groups are drained in order; a group stands still while one of its messages is out"
        )
    return tuple(words)
