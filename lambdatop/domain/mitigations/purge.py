"""purge_queue: the last resort. Irreversible; the plan names the alternatives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lambdatop.domain.facts.callers import pipes_reading
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.spec import MitigationSpec
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import NO_UPTIME, Entry, Uptime
from lambdatop.domain.plans.plan import Alternative, Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import QueueSituation
from lambdatop.domain.plans.wording import count
from lambdatop.domain.units import span

NAME, QUARANTINE = "purge_queue", "quarantine_queue"
CALLS = (("sqs", "PurgeQueue"),)
IAM = ("sqs:PurgeQueue", "sqs:GetQueueAttributes")
AGAIN_AFTER_S = 60.0
"""SQS purges a queue at most once in this time, whatever its size."""


def plan_purge_queue(s: QueueSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse; nothing is compared before the call because counts move all the time."""
    q = s.facts
    if not (q.visible or q.in_flight or q.delayed):
        return Refusal(
            NAME, s.ref, f"{q.name} is empty as far as SQS reports.", "Counts lag by up to a minute."
        )
    all_of_them = count(q.visible + q.in_flight + q.delayed, "message")
    age = "" if isinstance(s.oldest_age_s, NotKnown) else f", the oldest at least {span(s.oldest_age_s)} old"
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Purge {q.name}: delete about {all_of_them} for good",
        tier="T3",
        call=Call("sqs", "PurgeQueue", {"QueueUrl": q.url}),
        before={},
        after={},
        undo=None,
        way_back=WayBack("none: purged messages cannot be recovered"),
        lost=f"ALL messages: about {q.visible} waiting, {q.in_flight} in flight, {q.delayed} delayed{age}",
        in_flight="in-flight messages are removed too; their invocations continue",
        takes_effect="up to 60 s; messages sent meanwhile may be removed or still be received",
        confirm=q.name,
        command=("sqs", "purge-queue", "--queue-url", q.url),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=_users(s),
        warnings=_warnings(s),
        unknowns=s.gaps,
        alternatives=(*_hold(s), *_keep(s)),
    )


def _users(s: QueueSituation) -> tuple[str, ...]:
    if isinstance(s.consumers, NotKnown):
        found = [f"the functions that it feeds are {s.consumers.words}"]
    else:
        found = [f"feeds {m.function.id} ({m.state})" for m in s.consumers]
    found += [f"holds the dead letters of {name}" for name in or_none(s.dead_letters_of) or ()]
    return (*found, *pipes_reading(s.pipes), "consumers outside Lambda and Pipes cannot be listed")


def _warnings(s: QueueSituation) -> tuple[str, ...]:
    words = []
    if isinstance(s.dead_letters_of, NotKnown):
        words.append(
            f"whether it holds dead letters of other queues is {s.dead_letters_of.words}: these are often "
            "the only copy of the failed work"
        )
    elif s.dead_letters_of:
        words.append("dead letters are often the only copy of the failed work")
    if s.facts.fifo:
        words.append(
            "FIFO: a deduplication id sent again within 5 minutes may be discarded even after the purge"
        )
    return tuple(words)


def _hold(s: QueueSituation) -> tuple[Alternative, ...]:
    return tuple(
        Alternative(
            "disable_trigger",
            Ref(m.key, m.uuid, m.label),
            "hold instead: this trigger delivers nothing, and nothing is lost before it expires",
        )
        for m in or_none(s.consumers) or ()
        if m.enabled
    )


def _keep(s: QueueSituation) -> tuple[Alternative, ...]:
    """Return alternatives that empty the queue as well and keep the messages."""
    found = []
    if or_none(s.dead_letters_of):
        why = (
            "SQS does it, up to 500 a second; nothing is lost, and whoever needs them reads them from there "
            "(SQS moves messages out of dead-letter queues only)"
        )
        label = "Instead: move them aside to a queue that you name"
        found.append(Alternative(QUARANTINE, s.ref, why, label=label))
    why = "each message is on this machine's disk before it is deleted"
    return (*found, Alternative(QUARANTINE, s.ref, why, {"to": "file"}, "Instead: drain them to a file"))


def too_soon(entries: Iterable[Entry], queue: Key, now: float, uptime: Uptime = NO_UPTIME) -> str:
    """Return why SQS would refuse another purge of ours now, "" when it would not.

    One whose age is not known, because somebody set the clock, refuses nothing: SQS decides. A
    PurgeQueueInProgress that comes nevertheless is the answer to somebody else's purge.
    """
    for entry in reversed(tuple(entries)):
        if entry.target != queue or entry.call.operation != "PurgeQueue":
            continue
        age_s = entry.age_s(now, uptime)
        if age_s is None or age_s >= AGAIN_AFTER_S:
            continue
        ago = f"{age_s:.0f} s ago"
        if entry.outcome == "applied":
            return f"{queue.id} was purged {ago} from here; SQS purges again after {AGAIN_AFTER_S:.0f} s."
        if entry.outcome in ("open", "unknown"):
            return f"A purge of {queue.id} was sent {ago} from here, and may have gone through."
    return ""


SPECS = (
    MitigationSpec(
        name=NAME,
        order=100,
        kind="queue",
        tier="T3",
        summary="delete every message of a queue for good",
        plan=plan_purge_queue,
        hotkey="P",
        label="purge",
        does="purge one of its queues (irreversible)",
        footer=10,
        nothing="no queue behind its triggers",
        refused_for_s=AGAIN_AFTER_S,
        saves="receives",
        calls=CALLS,
        iam_elevated=IAM,
        final=((CALLS[0][1], "what it removed is gone"),),
    ),
)
