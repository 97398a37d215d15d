"""stop_pipe and start_pipe: stop and start a pipe of EventBridge. Events wait in its source meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lambdatop.domain.facts.deadline import Deadline, left_words, queue_deadline
from lambdatop.domain.facts.event_source_mapping import DYNAMODB_RETENTION_S
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.source_kinds import source_kind
from lambdatop.domain.keys import parse_arn
from lambdatop.domain.mitigations.spec import MitigationSpec, UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import PipeSituation
from lambdatop.domain.plans.wording import start_words
from lambdatop.domain.units import span

STOP, START = "stop_pipe", "start_pipe"
FIELD, RECORD_AGE = "pipe_state", "pipe_record_age_s"
RUNNING, STOPPED = "RUNNING", "STOPPED"
ON_THE_WAY: Mapping[str, str] = {RUNNING: "STARTING", STOPPED: "STOPPING"}
"""The state that a pipe passes through on its way to a state."""
CHANGING = frozenset({"CREATING", "UPDATING", "DELETING", *ON_THE_WAY.values()})
CALLS = (("pipes", "StopPipe"), ("pipes", "StartPipe"))
IAM = ("pipes:StopPipe", "pipes:StartPipe", "pipes:DescribePipe")
WAITS = "nothing yet: events wait in the pipe's source until its retention ends"
GONE = "what its source has dropped meanwhile is gone"
SLOW = ("kafka", "mq")
"""Sources of which a stopped pipe may process events for up to fifteen minutes; of queues and streams it is
typically less than two (https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-start-stop.html)."""


def switch_pipe(name: str, on: bool) -> Call:
    """Return the call that starts or stops a pipe."""
    return Call("pipes", "StartPipe" if on else "StopPipe", {"Name": name})


def pipe_command(call: Call) -> Words:
    """Return `switch_pipe` as an `aws` command."""
    verb = "start-pipe" if call.operation == "StartPipe" else "stop-pipe"
    return ("pipes", verb, *option("--name", call.params["Name"]))


def plan_stop_pipe(s: PipeSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse stopping a pipe."""
    return _refused(STOP, s, RUNNING, STOPPED) or _plan(STOP, s, now, plan_id)


def plan_start_pipe(s: PipeSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse starting a pipe."""
    return _refused(START, s, STOPPED, RUNNING) or _plan(START, s, now, plan_id)


def _plan(mitigation: str, s: PipeSituation, now: float, plan_id: str) -> Plan:
    on, name = mitigation == START, s.ref.key.id
    wanted, undo = RUNNING if on else STOPPED, switch_pipe(name, not on)
    ageing, deadline = _ages(s), Deadline() if on else _deadline(s)
    return Plan(
        id=plan_id,
        mitigation=mitigation,
        target=s.ref,
        title=f"{'Start' if on else 'Stop'} the pipe {name}",
        tier="T2" if ageing else "T1",
        call=switch_pipe(name, on),
        before={FIELD: s.state},
        after={FIELD: wanted},
        undo=undo,
        way_back=WayBack(f"{'stop' if on else 'start'} it again", pipe_command(undo)),
        lost=_lost_on_starting(s) if on else _lost(s),
        in_flight="nothing runs from this pipe now" if on else "the batch that it has taken continues",
        takes_effect=_takes_effect(s, on),
        confirm=name if ageing else "key",
        command=pipe_command(switch_pipe(name, on)),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=tuple(_reach(s)),
        warnings=_stampede(s) if on else (),
        unknowns=s.gaps,
        transient=({FIELD: ON_THE_WAY[wanted]},),
        deadline=deadline.at,
        deadline_latest=deadline.latest,
    )


def _refused(mitigation: str, s: PipeSituation, wanted: str, there: str) -> Refusal | None:
    if s.state == there:
        return Refusal(mitigation, s.ref, f"The pipe {s.ref.name} is {s.state} already.")
    if s.state in CHANGING:
        reason = f"The pipe is {s.state}; AWS accepts no change until it has settled."
        return Refusal(mitigation, s.ref, reason, "Try again when its state has settled.")
    if s.state != wanted:
        reason = f"The pipe {s.ref.name} is {s.state or 'in a state that AWS did not tell'}."
        hint = f"An undo could not bring that back. See why in the AWS console, or {_by_hand(mitigation, s)}."
        return Refusal(mitigation, s.ref, reason, hint)
    return None


def _by_hand(mitigation: str, s: PipeSituation) -> str:
    verb = "start" if mitigation == START else "stop"
    return f"{verb} it by hand: aws pipes {verb}-pipe --name {s.ref.key.id}"


def _source(s: PipeSituation) -> str:
    """Return the name of its source for a sentence."""
    parsed = parse_arn(s.source)
    return parsed.name if parsed else s.source or "its source"


def _ages(s: PipeSituation) -> bool:
    """Return whether records that are too old are discarded by the pipe itself."""
    return s.record_age_s is not None and s.record_age_s >= 0


def _kept(s: PipeSituation) -> int | NotKnown:
    """Return how long the source keeps an event, s."""
    if isinstance(s.queue, QueueFacts):
        return s.queue.retention_s
    if isinstance(s.queue, NotKnown):
        return s.queue
    return DYNAMODB_RETENTION_S if source_kind(s.source) == "dynamodb" else s.retention_s


def _deadline(s: PipeSituation) -> Deadline:
    """Return when the first of the messages that wait in its queue is lost; no metric tells it of others."""
    if not isinstance(s.queue, QueueFacts):
        return Deadline()
    return queue_deadline(s.queue, s.oldest_age_s, s.dead_letters, s.at)


def _lost(s: PipeSituation) -> str:
    kind, kept = source_kind(s.source), _kept(s)
    until = f"which is {kept.words}" if isinstance(kept, NotKnown) else f"{span(kept)} after each came"
    if kind == "sqs":
        waits = f"nothing yet: messages wait in {_source(s)} until its retention ends, {until}"
        return (
            waits if isinstance(kept, NotKnown) else f"{waits}; {left_words(_deadline(s), s.at, 'expires')}"
        )
    if kind in ("kinesis", "dynamodb"):
        words = f"nothing yet: records wait in {_source(s)} until its retention ends, {until}"
        if not _ages(s):
            return words
        return f"{words}; records older than {span(s.record_age_s or 0)} are DISCARDED once it is started"
    return f"nothing while they wait in {_source(s)}; how long it keeps events is not read"


def _lost_on_starting(s: PipeSituation) -> str:
    return lost_on_starting(s.record_age_s)


def lost_on_starting(record_age_s: object) -> str:
    """Return what is lost when a pipe with this MaximumRecordAgeInSeconds (None: no limit) is started."""
    if isinstance(record_age_s, int) and record_age_s >= 0:
        return f"records older than {span(record_age_s)} are DISCARDED by the pipe; {GONE}"
    return f"nothing; {GONE}"


def _takes_effect(s: PipeSituation, on: bool) -> str:
    if on:
        return "STARTING for seconds to minutes, then RUNNING"
    late = "up to 15 min" if source_kind(s.source) in SLOW else "typically less than 2 min"
    return f"STOPPING, then STOPPED; it may process events for a while after that ({late}, says AWS)"


def _reach(s: PipeSituation) -> Iterator[str]:
    yield f"carries events from {s.source or 'a source that AWS did not tell'}"
    if s.enrichment:
        yield f"calls {s.enrichment} on the way"
    yield f"sends to {s.target or 'a target that AWS did not tell'}"


def _stampede(s: PipeSituation) -> tuple[str, ...]:
    if isinstance(s.queue, NotKnown):
        return (f"how many messages wait is {s.queue.words}: all of them may start at once",)
    if s.queue is None or not s.queue.visible:
        return ()
    return (start_words(s.queue.visible, f" in {s.queue.name}"),)


SPECS = (
    MitigationSpec(
        name=STOP,
        order=170,
        kind="pipe",
        tier="T1",
        summary="stop a pipe of EventBridge; events stay in its source",
        plan=plan_stop_pipe,
        hotkey="F",
        label="pipe off",
        does="stop a pipe (EventBridge Pipes) that sends to it",
        footer=30,
        nothing="no pipe that sends to it",
        calls=CALLS,
        iam=IAM,
        undo=(UndoCalls(CALLS, pipe_command, IAM),),
    ),
    MitigationSpec(
        name=START,
        order=180,
        kind="pipe",
        tier="T1",
        summary="start a pipe of EventBridge again",
        plan=plan_start_pipe,
        hotkey="U",
        label="pipe on",
        does="start a pipe (EventBridge Pipes) that sends to it",
        footer=31,
        nothing="no pipe that sends to it",
        calls=CALLS,
        iam=IAM,
    ),
)
