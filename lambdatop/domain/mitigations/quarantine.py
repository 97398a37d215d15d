"""quarantine_queue: stop deliveries from a queue, and move its messages aside.

Hold (disable its triggers), then move them aside (dead-letter queues only: SQS moves no others), or drain
them to a file on this machine. Without a place it holds only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.facts.callers import pipes_reading
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.mitigations import drain, redrive, triggers
from lambdatop.domain.mitigations.composite import disable_steps, in_steps, step_id
from lambdatop.domain.mitigations.drain import KMS, drain_step, kms_actions
from lambdatop.domain.mitigations.spec import Ask, MitigationSpec
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.plan import Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import QueueSituation
from lambdatop.domain.plans.wording import count

NAME = "quarantine_queue"
TO, FILE, NOWHERE = "to", "file", "nowhere"


def plan_quarantine_queue(s: QueueSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse. `to` is `nowhere`, `file`, or the ARN of the queue that takes them."""
    to = str(params.get(TO, NOWHERE)).strip()
    to = "" if to.lower() == NOWHERE else FILE if to.lower() == FILE else to
    if isinstance(s.consumers, NotKnown):
        return _unread(s, s.consumers)
    live = tuple(m for m in s.consumers if m.enabled)
    letters = s.dead_letters_of
    dead = letters if isinstance(letters, NotKnown) else bool(letters)
    held = disable_steps(live, lambda _: s.facts, now, plan_id, s.oldest_age_s, dead)
    if isinstance(held, Refusal):
        return Refusal(NAME, s.ref, held.reason, held.hint)
    if not to and not held:
        return Refusal(NAME, s.ref, _nothing_to_hold(s), _where(s))
    moved = _move(s, to, now, step_id(plan_id, len(held) + 1)) if to else ()
    if isinstance(moved, Refusal):
        return moved
    steps = (*held, *moved)
    piped = tuple(f"{words}; this does not stop it" for words in pipes_reading(s.pipes))
    first = replace(steps[0], warnings=(*steps[0].warnings, *piped))
    steps = (first, *steps[1:])
    return in_steps(NAME, s.ref, _title(s, to, len(held)), steps, confirm=s.facts.name)


def _nothing_to_hold(s: QueueSituation) -> str:
    """Return why there is nothing to hold, with the pipes that go on."""
    pipes = pipes_reading(s.pipes)
    if not pipes:
        return f"Nothing in Lambda takes messages from {s.facts.name} now."
    return f"No trigger takes messages from {s.facts.name} now; {'; '.join(pipes)}."


def _unread(s: QueueSituation, why: NotKnown) -> Refusal:
    """Return the refusal for unread triggers.

    One that stays enabled would go on delivering what is moved away.
    """
    reason = f"What reads {s.facts.name} could not be read ({why.why}), so that it cannot be held."
    return Refusal(NAME, s.ref, reason, f"{why.remedy}, or disable its triggers one by one.")


def _move(s: QueueSituation, to: str, now: float, step: str) -> tuple[Plan, ...] | Refusal:
    if to == FILE:
        return (drain_step(s, now, step),) if _waiting(s) else _empty(s)
    refused = redrive.not_redrivable(NAME, s)
    if refused:
        hint = f"Hold it (no 'to'), or drain it with --set to=file. {refused.hint}"
        return Refusal(NAME, s.ref, refused.reason, hint)
    if to.endswith(".fifo") != s.facts.fifo:
        return Refusal(NAME, s.ref, "A FIFO queue's messages go to a FIFO queue only, and others to others.")
    if to == s.facts.arn:
        return Refusal(NAME, s.ref, f"{s.facts.name} cannot be moved to itself.")
    return (_aside(s, to, now, step),)


def _aside(s: QueueSituation, to: str, now: float, step: str) -> Plan:
    q, task = s.facts, or_none(s.move_task)
    call = redrive.start(q.arn, to, redrive.FASTEST)
    return Plan(
        id=step,
        mitigation=NAME,
        target=s.ref,
        title=f"Move about {count(q.visible, 'message')} of {q.name} to {to.rpartition(':')[2]}",
        tier="T2",
        call=call,
        before={redrive.FIELD: redrive.control(task)},
        after=redrive.newer(task),
        undo=redrive.CANCEL,
        way_back=WayBack("stops the move while it runs; what was moved stays moved"),
        lost="nothing; each message gets a new id, a new age and the full retention again",
        in_flight="messages in flight are not moved",
        takes_effect=f"at once, up to {redrive.FASTEST} messages a second",
        confirm=q.name,
        command=redrive.move_command(call),
        iam_actions=(*redrive.IAM, *kms_actions(q)),
        planned_at=now,
        blast_radius=(f"whoever reads {to.rpartition(':')[2]} gets them",),
        unknowns=s.gaps,
    )


def _title(s: QueueSituation, to: str, held: int) -> str:
    parts = [f"hold it ({count(held, 'trigger')})"] if held else []
    if to:
        parts.append("drain it to a file" if to == FILE else f"move its messages to {to.rpartition(':')[2]}")
    return f"Quarantine {s.facts.name}: {', then '.join(parts)}"


def _where(s: QueueSituation) -> str:
    aside = "--set to=QUEUE moves its messages aside, " if or_none(s.dead_letters_of) else ""
    return f"Choose a destination: {aside}--set to=file drains them to this machine."


def _waiting(s: QueueSituation) -> bool:
    return bool(s.facts.visible or s.facts.in_flight or s.facts.delayed)


def _empty(s: QueueSituation) -> Refusal:
    return Refusal(
        NAME, s.ref, f"{s.facts.name} is empty as far as SQS reports.", "Counts lag by up to a minute."
    )


SPECS = (
    MitigationSpec(
        name=NAME,
        order=110,
        kind="queue",
        tier="T2",
        summary="hold a queue, then move its messages aside or drain them to a file",
        plan=plan_quarantine_queue,
        hotkey="Q",
        label="quarantine",
        does="hold one of its queues and move its messages aside",
        footer=24,
        params=(TO,),
        ask=Ask("Move the messages of {target} where?", "nowhere, file, or a queue", TO),
        queues=(TO,),
        nothing="no queue behind its triggers",
        saves="receives",
        calls=(*triggers.CALLS, *redrive.CALLS),
        iam=(*triggers.IAM, *redrive.IAM),
        iam_elevated=drain.IAM,
        iam_encrypted=KMS,
        final=((drain.OPERATION, "what it took is in its file, and lambdatop does not send it again"),),
    ),
)
