"""purge_queue: the last choice. Irreversible; the plan says what else there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.finding import Ref
from lambdatop.domain.mitigations.words import cli, span
from lambdatop.domain.plan import Alternative, Call, Plan, Proposal, Refusal
from lambdatop.domain.situation import QueueSituation

NAME = "purge_queue"


def plan_purge_queue(s: QueueSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse; nothing is compared before the call because counts move all the time."""
    q = s.facts
    if not (q.visible or q.in_flight or q.delayed):
        return Refusal(
            NAME, s.ref, f"{q.name} is empty as far as SQS can tell.", "Counts lag by up to a minute."
        )
    age = f", the oldest about {span(s.oldest_age_s)} old" if s.oldest_age_s is not None else ""
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Purge {q.name}: delete about {q.visible + q.in_flight + q.delayed} messages for good",
        tier="T3",
        call=Call("sqs", "PurgeQueue", {"QueueUrl": q.url}),
        before={},
        after={},
        undo=None,
        undo_note="none: purged messages cannot be brought back by anybody",
        lost=f"ALL messages: about {q.visible} waiting, {q.in_flight} in flight, {q.delayed} delayed{age}",
        in_flight="messages being worked on are removed too; their invocations run on",
        takes_effect="up to 60 s; messages sent meanwhile may be removed or still be received",
        confirm=q.name,
        cli=cli(s.ref.key.scope, "sqs", "purge-queue", "--queue-url", q.url),
        iam_actions=("sqs:PurgeQueue", "sqs:GetQueueAttributes"),
        planned_at=now,
        blast_radius=_users(s),
        warnings=_warnings(s),
        unknowns=s.gaps,
        alternatives=_hold(s),
    )


def _users(s: QueueSituation) -> tuple[str, ...]:
    found = [f"feeds {m.function.id} ({m.state})" for m in s.consumers]
    found += [f"holds the dead letters of {name}" for name in s.dead_letters_of]
    return (*found, "consumers outside Lambda cannot be listed")


def _warnings(s: QueueSituation) -> tuple[str, ...]:
    words = []
    if s.dead_letters_of:
        words.append("dead letters are often the only copy of the failed work")
    if s.facts.fifo:
        words.append(
            "FIFO: a deduplication id sent again within 5 minutes may be swallowed even after the purge"
        )
    return tuple(words)


def _hold(s: QueueSituation) -> tuple[Alternative, ...]:
    return tuple(
        Alternative(
            "disable_trigger",
            Ref(m.key, m.uuid, f"{m.source_name} → {m.function.id}"),
            "hold instead: nothing is delivered and nothing is lost",
        )
        for m in s.consumers
        if m.enabled
    )
