"""disable_trigger and enable_trigger: UpdateEventSourceMapping(Enabled). Asynchronous in AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambdatop.domain.facts.deadline import (
    Deadline,
    discards,
    left_words,
    queue_deadline,
    record_age_s,
    source_retention_s,
    stream_deadline,
)
from lambdatop.domain.facts.event_source_mapping import (
    LEAST_CONCURRENCY,
    POLLERS_MORE_PER_MIN,
    SQS_FIRST,
    SQS_MORE_PER_MIN,
    MappingFacts,
    most_at_once,
)
from lambdatop.domain.facts.failure_path import record_words
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.source_kinds import STREAMS
from lambdatop.domain.mitigations.spec import MitigationSpec, UndoCalls
from lambdatop.domain.plans.command import WayBack, Words
from lambdatop.domain.plans.plan import Alternative, Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import MappingSituation
from lambdatop.domain.plans.wording import count, owner_warning, start_words
from lambdatop.domain.units import span

DISABLE, ENABLE = "disable_trigger", "enable_trigger"
CALLS = (("lambda", "UpdateEventSourceMapping"),)
IAM = ("lambda:UpdateEventSourceMapping", "lambda:GetEventSourceMapping")
CHANGING = ("Creating", "Enabling", "Disabling", "Updating", "Deleting")


def switch(uuid: str, on: bool) -> Call:
    """Return the call that switches a mapping; only `Enabled` is sent, so nothing else changes."""
    return Call("lambda", "UpdateEventSourceMapping", {"UUID": uuid, "Enabled": on})


_FLAGS: Mapping[str, Callable[[Any], tuple[str, ...]]] = {
    "Enabled": lambda on: ("--enabled" if on else "--no-enabled",),
    "BatchSize": lambda n: ("--batch-size", str(n)),
    "ScalingConfig": lambda c: ("--scaling-config", _pairs(c)),
    "ProvisionedPollerConfig": lambda c: ("--provisioned-poller-config", _pairs(c)),
    "MaximumBatchingWindowInSeconds": lambda n: ("--maximum-batching-window-in-seconds", str(n)),
    "MaximumRetryAttempts": lambda n: ("--maximum-retry-attempts", str(n)),
    "BisectBatchOnFunctionError": lambda on: (
        "--bisect-batch-on-function-error" if on else "--no-bisect-batch-on-function-error",
    ),
    "DestinationConfig": lambda c: ("--destination-config", json.dumps(c, separators=(",", ":"))),
}


def _pairs(config: Mapping[str, Any]) -> str:
    """Return the AWS CLI shorthand for a structure; an empty one removes what was set."""
    return ",".join(f"{name}={value}" for name, value in config.items()) or "{}"


def mapping_command(call: Call) -> Words:
    """Return UpdateEventSourceMapping as an `aws` command."""
    words = ["lambda", "update-event-source-mapping", "--uuid", call.params["UUID"]]
    for name, value in call.params.items():
        words += _FLAGS[name](value) if name in _FLAGS else ()
    return tuple(words)


def plan_disable_trigger(
    s: MappingSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan or refuse switching a mapping off."""
    m, deadline = s.facts, deadline_of(s)
    if m.state != "Enabled":
        return _refuse(DISABLE, s, "Disabled")
    ageing = discards(m, s.retention_s)
    off, on = switch(m.uuid, False), switch(m.uuid, True)
    return Plan(
        id=plan_id,
        mitigation=DISABLE,
        target=s.ref,
        title=f"Disable the trigger {m.label}",
        tier="T2" if ageing else "T1",
        call=off,
        before={"state": "Enabled"},
        after={"state": "Disabled"},
        undo=on,
        way_back=WayBack("enable it again", mapping_command(on), "; streams resume at the same position"),
        lost=_lost(s, deadline),
        in_flight=_running(m),
        takes_effect="Disabling for seconds to minutes, then Disabled; a poller may still drain meanwhile",
        confirm=m.function.id if ageing else "key",
        command=mapping_command(off),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(_stops(s),),
        warnings=(*short_visibility(s, "may refuse"), *owner_warning(s.stack)),
        unknowns=s.gaps,
        transient=({"state": "Disabling"},),
        deadline=deadline.at,
        deadline_latest=deadline.latest,
    )


def plan_enable_trigger(s: MappingSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse switching a mapping on."""
    m = s.facts
    if m.state != "Disabled":
        return _refuse(ENABLE, s, "Enabled")
    if s.function_there is False:
        reason = f"The trigger invokes {m.function_name}, which does not exist: it would deliver nothing."
        return Refusal(ENABLE, s.ref, reason, "Create the function again first, or delete the mapping.")
    ageing = discards(m, s.retention_s)
    off, on = switch(m.uuid, False), switch(m.uuid, True)
    return Plan(
        id=plan_id,
        mitigation=ENABLE,
        target=s.ref,
        title=f"Enable the trigger {m.label}",
        tier="T2" if ageing else "T1",
        call=on,
        before={"state": "Disabled"},
        after={"state": "Enabled"},
        undo=off,
        way_back=WayBack("disable it again", mapping_command(off)),
        lost=_lost_on_enabling(s, now, ageing),
        in_flight="nothing runs from this trigger now",
        takes_effect="Enabling for some seconds to minutes, then Enabled",
        confirm=m.function.id if ageing else "key",
        command=mapping_command(on),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(f"{m.function_name} starts on what waits in {m.source_name}{_at_once(m)}",),
        warnings=(*short_visibility(s), *_stampede(s), *owner_warning(s.stack)),
        unknowns=s.gaps,
        alternatives=_limit_first(s),
        transient=({"state": "Enabling"},),
    )


def short_visibility(s: MappingSituation, refuses: str = "refuses") -> tuple[str, ...]:
    """Return that AWS refuses an update where the visibility timeout is below the function's timeout.

    See `REFUSES_CHANGES` in `event_source_mapping.py`. Nothing is said where one of the two was not read.
    """
    if not isinstance(s.queue, QueueFacts) or isinstance(s.timeout_s, NotKnown):
        return ()
    visibility = s.queue.visibility_timeout_s
    if visibility >= s.timeout_s:
        return ()
    return (
        f"AWS {refuses} this while the queue's visibility timeout ({visibility} s) is below the function's "
        f"timeout ({s.timeout_s} s): set it to at least {s.timeout_s} s first",
    )


def _stops(s: MappingSituation) -> str:
    """Return who gets nothing any more."""
    m = s.facts
    if s.function_there is False:
        return f"{m.function_name} does not exist, so nothing is delivered now either"
    return f"{m.function_name} gets nothing from {m.source_name}; its other callers continue"


def _refuse(name: str, s: MappingSituation, wanted: str) -> Refusal:
    m = s.facts
    if m.state == wanted:
        return Refusal(name, s.ref, f"The trigger {m.label} is {wanted} already.")
    if m.state in CHANGING:
        reason = f"The trigger is {m.state}; AWS accepts no change until it has settled."
        return Refusal(name, s.ref, reason, "Try again when its state has settled.")
    return Refusal(name, s.ref, f"The trigger is in state {m.state!r}, which lambdatop does not know.")


def _running(m: MappingFacts) -> str:
    if m.source_kind == "sqs":
        return "batches already received continue; what fails then stays hidden for the visibility timeout"
    return "the batch in progress runs to its end"


def deadline_of(s: MappingSituation) -> Deadline:
    """Return when the first of the events that wait in the source is lost."""
    if s.facts.kind.part:
        return stream_deadline(s.facts, s.retention_s, s.oldest_age_s, s.at)
    if isinstance(s.queue, QueueFacts):
        return queue_deadline(s.queue, s.oldest_age_s, s.dead_letters, s.at)
    return Deadline()


def _lost(s: MappingSituation, deadline: Deadline) -> str:
    if s.facts.kind.part:
        return _lost_records(s, deadline)
    if s.facts.source_kind != "sqs":
        kind = s.facts.kind
        return (
            f"nothing while they wait: {kind.event} wait in {kind.place}; how long it keeps them is not read"
        )
    if not isinstance(s.queue, QueueFacts):
        until = s.queue.words if s.queue is not None else "not known"
        return f"nothing while they wait: messages stay until the queue's retention ends, which is {until}"
    kept = f"nothing yet: messages wait in the queue for {span(s.queue.retention_s)}"
    if not (s.queue.visible or s.queue.in_flight or s.queue.delayed):
        return f"{kept}; none waits now"
    return f"{kept}, counted from when each was sent; {left_words(deadline, s.at, 'expires')}"


def _lost_records(s: MappingSituation, deadline: Deadline) -> str:
    """Return the records lost when a mapping that discards old records is enabled again."""
    kept, left = source_retention_s(s.facts, s.retention_s), left_words(deadline, s.at, "is lost")
    waits = f"which is {kept.words}" if isinstance(kept, NotKnown) else f"{span(kept)} after each came"
    if discards(s.facts, s.retention_s):
        return f"nothing yet, but {_ageing(s.facts)} once it is enabled again; {left}"
    kind = s.facts.kind
    return f"nothing yet: {kind.event} wait in {kind.place} until its retention ends, {waits}; {left}"


def _ageing(m: MappingFacts) -> str:
    end = record_words(m.on_failure_arn) if m.on_failure_arn else "no destination records them"
    return f"records older than {span(record_age_s(m) or 0)} are DISCARDED ({end})"


def _lost_on_enabling(s: MappingSituation, now: float, ageing: bool) -> str:
    m = s.facts
    if ageing:
        changed = m.last_modified
        since = "" if changed is None else f"; it has been as it is for {span(now - changed)}"
        return f"{_ageing(m)}{since}. Streams resume at the same position"
    return "nothing; what its source has dropped meanwhile is gone; streams resume at the same position"


def _at_once(m: MappingFacts) -> str:
    """Return how many batches of it run at once by its kind, "" for a queue (see `_stampede`).

    A stream runs ParallelizationFactor batches of each shard (model of CreateEventSourceMapping); provisioned
    pollers of Kafka no more than there are partitions ("Apache Kafka event poller scaling modes in Lambda").
    """
    if m.source_kind in STREAMS:
        factor = m.parallelization_factor
        if factor is None:
            return ", by ParallelizationFactor batches of each shard at once, which AWS does not tell"
        return f", at most {count(factor, 'batch', 'batches')} of each shard at once"
    if m.source_kind == "kafka" and m.pollers:
        limit, _, source = most_at_once(m)
        return f", at most {limit:,} batches at once ({source}), and no more pollers than partitions"
    return f", {m.kind.at_once}" if m.kind.at_once else ""


def _stampede(s: MappingSituation) -> tuple[str, ...]:
    if isinstance(s.queue, NotKnown):
        return (f"how many messages wait is {s.queue.words}: {_queue_scales(s.facts, fifo=False)}",)
    waiting = s.queue.visible if s.queue else 0
    if not s.queue or not waiting:
        return ()
    return (f"{start_words(waiting)}: {_queue_scales(s.facts, fifo=s.queue.fifo)}",)


def _queue_scales(m: MappingFacts, *, fifo: bool) -> str:
    """Return how many batches of a queue run at once (Lambda developer guide, see `SQS_FIRST`).

    A FIFO queue delivers one batch of each message group at a time (same page).
    """
    limit, own, source = most_at_once(m)
    groups = ", one of each message group" if fifo or m.source_arn.endswith(".fifo") else ""
    if m.pollers:
        more = f"up to {POLLERS_MORE_PER_MIN:,} more a minute"
        return f"up to {limit:,} batches at once ({source}), {more}{groups}"
    if own:
        return f"at most {limit:,} batches at once{groups}"
    return (
        f"without a MaximumConcurrency {SQS_FIRST} batches at once at first, up to {SQS_MORE_PER_MIN} more a "
        f"minute, {limit:,} by default at most, as far as concurrency is free{groups}"
    )


def _limit_first(s: MappingSituation) -> tuple[Alternative, ...]:
    """Return the alternative to set a limit first, where a backlog waits and nothing limits the start."""
    if not _stampede(s) or s.facts.max_concurrency is not None:
        return ()
    most = LEAST_CONCURRENCY
    setting, name = {"max_concurrency": most}, f"MaximumConcurrency {most}"
    if s.facts.pollers:  # AWS takes no MaximumConcurrency beside them
        fewest = s.facts.kind.least_pollers
        if (s.facts.pollers_max or 0) <= fewest:
            return ()
        setting, name, most = {"pollers": fewest}, f"{fewest} pollers", fewest * s.facts.kind.per_poller
    why = f"at most {most} at once at first; undo it when the backlog is gone"
    label = f"Do this first: {name} for {s.ref.name}"
    return (Alternative("tune_trigger", s.ref, why, setting, label),)


SPECS = (
    MitigationSpec(
        name="disable_trigger",
        order=40,
        kind="mapping",
        tier="T1",
        summary="switch an event source mapping off: events wait in their source",
        plan=plan_disable_trigger,
        hotkey="D",
        label="disable trigger",
        does="disable one of its triggers",
        footer=7,
        nothing="no trigger that could be disabled",
        enabled=True,
        stops=True,
        saves="runs by a trigger",
        calls=CALLS,
        iam=IAM,
        undo=(UndoCalls(CALLS, mapping_command, IAM),),
    ),
    MitigationSpec(
        name="enable_trigger",
        order=50,
        kind="mapping",
        tier="T1",
        summary="switch an event source mapping on again",
        plan=plan_enable_trigger,
        hotkey="E",
        label="enable trigger",
        does="enable one of its triggers",
        footer=9,
        nothing="no disabled trigger",
        enabled=False,
        starts=True,
        calls=CALLS,
        iam=IAM,
    ),
)
