"""Plan an undo: a plan of its own, with its own check of the present state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from lambdatop.domain.facts.event_source_mapping import DESTINATION, KIND, RECORD_AGE, RETRIES, given_up_after
from lambdatop.domain.mitigations import (
    alias,
    async_retries,
    drain,
    durable,
    executions,
    managed,
    pipes,
    provisioned,
    purge,
    recursion,
    redrive,
    rules,
    schedules,
    throttle,
    triggers,
    tune,
)
from lambdatop.domain.mitigations.one_by_one import FIELD as EXECUTION
from lambdatop.domain.mitigations.one_by_one import status_words
from lambdatop.domain.plans.command import WayBack, Words
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Alternative, Call, Plan, Proposal, Refusal, State, shows
from lambdatop.domain.plans.wording import reserved_words, setting_words
from lambdatop.domain.units import span

NAME = "undo"
_NO_WAY_BACK = {
    purge.CALLS[0][1]: "what it removed is gone",
    durable.OPERATION: "a stopped execution cannot be resumed",
    drain.OPERATION: "what it took is in its file, and lambdatop does not send it again",
    redrive.CANCEL.operation: "what was moved stays moved; redrive_dlq moves the rest",
    triggers.CALLS[0][1]: tune.NO_WINDOW_BACK,
    executions.CALLS[0][1]: "an execution that was stopped has ended for good",
}
"""Why nothing takes a call back."""
ARROW = "\N{RIGHTWARDS ARROW}"
"""Between source and function in a trigger's name."""
AGEING = "a stream's mapping discards what is older than its MaximumRecordAge by then"


def plan_undo(entry: Entry, current: State, now: float, plan_id: str) -> Proposal:
    """Plan taking `entry` back, if the resource still is as we left it; else say what changed."""
    ref = Ref(entry.target, entry.arn, entry.label or entry.target.id)
    if entry.undo is None or entry.undo.operation not in (*_KINDS, redrive.CANCEL.operation):
        why = _NO_WAY_BACK.get(entry.call.operation, "no undo of it is known")
        return Refusal(NAME, ref, f"{_what(entry)} cannot be undone: {why}.")
    refused = _not_applied(entry, ref)
    if refused:
        return refused
    if entry.undo.operation == redrive.CANCEL.operation:
        return _another_move(entry, current, ref) or redrive.plan_stop(
            ref, current, now, plan_id, mitigation=NAME, undoes=entry.id, depth=entry.undo_depth + 1
        )
    refused = _changed(entry, current, ref)
    if refused:
        return refused
    call = _as_of_now(entry.undo, current)
    to_zero = entry.before.get("reserved_concurrency") == 0 or managed.stops(entry.before)
    discards = _discards(entry.before, current) or _skips_after(entry.before, current) is not None
    typed = entry.target.id if to_zero else ref.name.rpartition(f" {ARROW} ")[2]
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=ref,
        title=f"Undo {_what(entry)} of {ref.name}: back to {state_words(_wanted(entry))}",
        tier="T2" if to_zero or discards else "T1",
        call=call,
        before=dict(current),
        after=_wanted(entry),
        undo=entry.call,
        way_back=WayBack(f"do it again: {state_words(entry.after)}"),
        lost=_lost(entry.before, current),
        in_flight="running invocations are not touched",
        takes_effect="within seconds; a trigger needs seconds to minutes",
        confirm=typed if to_zero or discards else "key",
        command=_KINDS[call.operation].command(call),
        iam_actions=_KINDS[call.operation].iam,
        planned_at=now,
        warnings=tuple(_warnings(entry, current)),
        transient=_on_the_way(entry.before),
        undoes=entry.id,
        depth=entry.undo_depth + 1,
    )


def _without_effect(entry: Entry, current: State) -> bool:
    """Return whether AWS accepted a change that its state has not shown.

    It may show later, so it can be undone.
    """
    return entry.accepted and shows(current, _wanted(entry))


def _warnings(entry: Entry, current: State) -> Iterator[str]:
    if _without_effect(entry, current):
        yield (
            f"AWS accepted {_what(entry)}, but shows {state_words(_of(entry, current))} as before: this "
            "sends the former value all the same, in case the change still comes to show"
        )
    if entry.undo is not None and entry.undo.operation == provisioned.PUT:
        yield f"{provisioned.ALLOCATES}; it is paid for from then on"
    if changed := schedules.undo_words(current.get(schedules.MODIFIED), entry.outcome_at):
        yield changed
    if _starts(entry.before, current):
        yield "what waited meanwhile starts at once"


def _wanted(entry: Entry) -> State:
    """Return the fields that the entry changed, as they were before; AWS's tokens are left out."""
    return {name: value for name, value in entry.before.items() if name in entry.after}


def _of(entry: Entry, current: State) -> State:
    """Return the fields that the entry changed, as they are now."""
    return {name: current[name] for name in entry.after if name in current}


def _what(entry: Entry) -> str:
    """Return what is undone, for a sentence."""
    return "the undo" if entry.mitigation == NAME else entry.mitigation


def _starts(target: State, current: State) -> bool:
    """Return whether the undo delivers events that wait; what a rule did not match is gone."""
    throttled = current.get("reserved_concurrency") == 0 or managed.stops(current)
    return throttled or target.get("state") == "Enabled" or target.get(pipes.FIELD) == pipes.RUNNING


def _stops(target: State) -> bool:
    """Return whether the undo disables a trigger."""
    return target.get("state") == "Disabled"


def _lost(target: State, current: State) -> str:
    if target.get(rules.FIELD) == rules.OFF:
        return "events while the rule is off are not matched, and not replayed unless the bus has an archive"
    if schedules.FIELD in target:
        off = target[schedules.FIELD] == schedules.OFF
        return f"every run while it is off; {schedules.MISSED}" if off else f"nothing; {schedules.MISSED}"
    if pipes.FIELD in target:
        on = target[pipes.FIELD] == pipes.RUNNING
        return pipes.lost_on_starting(current.get(pipes.RECORD_AGE)) if on else pipes.WAITS
    if managed.stops(target):
        return managed.LOST
    if target.get("reserved_concurrency") == 0:
        return "new async events go to the DLQ or are lost again; synchronous callers get 429"
    if target.get(recursion.FIELD) == "Allow":
        return "nothing is discarded, and a loop may run again until somebody stops it"
    if _stops(target):
        return f"nothing while they wait: events stay in their source until their retention ends; {AGEING}"
    if _discards(target, current):
        return (
            f"records older than {span(current[RECORD_AGE])} are DISCARDED; what its source has dropped "
            "meanwhile is gone"
        )
    skips_after = _skips_after(target, current)
    if skips_after is not None:
        return tune.skipped_words(skips_after, target.get(DESTINATION, current.get(DESTINATION)))
    if target.get("state") == "Enabled":
        return f"nothing; what its source has dropped meanwhile is gone; {AGEING}"
    limit, now = target.get("reserved_concurrency"), current.get("reserved_concurrency")
    if limit is not None and (now is None or now > limit):
        return (
            f"beyond {limit} at once synchronous callers get 429, and asynchronous events are discarded "
            "once they are too old"
        )
    return "nothing"


def _discards(target: State, current: State) -> bool:
    """Return whether the undo enables a trigger, or starts a pipe, that discards records above an age."""
    if target.get(pipes.FIELD) == pipes.RUNNING:
        return isinstance(current.get(pipes.RECORD_AGE), int)
    age = current.get(RECORD_AGE)
    return target.get("state") == "Enabled" and isinstance(age, int) and age >= 0


def _skips_after(target: State, current: State) -> int | None:
    """Return the retries after which the undo lets records be skipped, None where that stays as it is."""
    kind, then = str(current.get(KIND)), {**current, **target}
    retries = given_up_after(kind, then.get(RETRIES), then.get(DESTINATION))
    now = given_up_after(kind, current.get(RETRIES), current.get(DESTINATION))
    return retries if retries != now else None


def _on_the_way(target: State) -> tuple[State, ...]:
    """Return the transitional states of a trigger on its way there; any other is somebody else's change."""
    passing = {"Enabled": "Enabling", "Disabled": "Disabling"}.get(str(target.get("state")))
    if target.get(pipes.FIELD) in pipes.ON_THE_WAY:
        return ({pipes.FIELD: pipes.ON_THE_WAY[target[pipes.FIELD]]},)
    return ({"state": passing},) if passing else managed.on_the_way(target)


def reads_besides(entry: Entry) -> tuple[str, ...]:
    """Return the fields that the undo of an entry needs besides those that the entry changed."""
    undo = entry.undo
    if undo is not None and undo.operation == "UpdateAlias":
        return (alias.REVISION,)
    if undo is not None and undo.operation == schedules.OPERATION:
        return (schedules.MODIFIED,)
    if undo is not None and undo.operation == "StartPipe":
        return (pipes.RECORD_AGE,)
    if undo is None or undo.operation != triggers.CALLS[0][1]:
        return ()
    if undo.params.keys() & {"MaximumRetryAttempts", "DestinationConfig"}:
        return (RETRIES, DESTINATION, KIND)
    return (RECORD_AGE,) if undo.params.get("Enabled") is True else ()


def _as_of_now(call: Call, current: State) -> Call:
    """Return call with AWS's present token, where it has one: an alias gets a new one with every change."""
    if call.operation != "UpdateAlias":
        return call
    revision = current.get(alias.REVISION)
    return replace(call, params={**call.params, "RevisionId": revision}) if revision else call


def _not_applied(entry: Entry, ref: Ref) -> Refusal | None:
    if entry.outcome == "undone":
        return Refusal(NAME, ref, f"This {entry.mitigation} was undone already.")
    if not entry.can_undo:
        reason = f"This {entry.mitigation} is {entry.outcome}: nothing is known to have been applied."
        return Refusal(NAME, ref, reason, "See `lambdatop journal`; act on the state shown there.")
    return None


def _another_move(entry: Entry, current: State, ref: Ref) -> Refusal | None:
    """Return why a move is not stopped that is not the one which the entry started, else None."""
    if entry.seen is None or not shows(entry.seen, entry.after):
        return None  # which one ours is was not seen
    ours, newest = entry.seen[redrive.FIELD], current.get(redrive.FIELD) or {}
    if newest.get("started_ms") in (None, ours["started_ms"]):
        return None
    return Refusal(
        NAME,
        ref,
        f"The move that {entry.mitigation} started is over: somebody has started another one since, which "
        f"is {newest.get('status')}.",
        f"To stop that one: lambdatop mitigate {redrive.NAME} {ref.key.id} --set cancel=yes",
    )


def _changed(entry: Entry, current: State, ref: Ref) -> Refusal | None:
    """Return why an undo would not restore the former state (somebody changed it since), else None."""
    if shows(current, entry.after) or _without_effect(entry, current):
        return None
    if shows(current, _wanted(entry)):
        reason = f"{ref.name} is back at {state_words(_of(entry, current))} already."
        return Refusal(NAME, ref, reason, "Name another entry of `lambdatop journal` by its id.")
    if current.get("state") in triggers.CHANGING:
        reason = f"The trigger is still {current.get('state')}; AWS accepts no change until it has settled."
        return Refusal(NAME, ref, reason, "Try again when its state has settled.")
    if current.get(pipes.FIELD) in pipes.CHANGING:
        reason = f"The pipe is still {current[pipes.FIELD]}; AWS accepts no change until it has settled."
        return Refusal(NAME, ref, reason, "Try again when its state has settled.")
    return Refusal(
        NAME,
        ref,
        f"{ref.name} was changed since: we set {state_words(entry.after)}, it is now "
        f"{state_words(_of(entry, current))}, the undo would set {state_words(_wanted(entry))}.",
        "Somebody else may be acting: find out who before you overwrite it.",
        _despite(entry, ref),
        saw=entry.after,
        now=_of(entry, current),
        want=_wanted(entry),
    )


def _despite(entry: Entry, ref: Ref) -> tuple[Alternative, ...]:
    """Return the alternative that sets the former value anyway, as a plan that shows what it overwrites."""
    if "reserved_concurrency" not in entry.before:
        return ()
    value = entry.before["reserved_concurrency"]
    words = "none" if value is None else str(value)
    label = f"Nevertheless: set reserved concurrency to {reserved_words(value)}"
    why = "overwrites what somebody has set since; asks again"
    return (Alternative("restore_concurrency", ref, why, {"reserved": words}, label),)


def in_transition(state: State) -> bool:
    """Return whether a trigger, pipe or version is on its way to a state (Disabling, STOPPING, Pending)."""
    if str(state.get("state", "")).endswith("ing") or state.get(pipes.FIELD) in pipes.CHANGING:
        return True
    return any(f.startswith(managed.FIELD) and managed.in_transition(value) for f, value in state.items())


def state_words(state: Mapping[str, Any]) -> str:
    """Return control fields in words."""
    words = []
    for field, value in state.items():
        if field == "reserved_concurrency":
            words.append(f"reserved concurrency {reserved_words(value)}")
        elif field == async_retries.FIELD:
            words.append(f"asynchronous events: {async_retries.async_words(value)}")
        elif field == redrive.FIELD:
            words.append(redrive.move_words(value))
        elif field == alias.VERSION:
            words.append(alias.routing_words(str(value), state.get(alias.WEIGHTS)))
        elif field in (alias.WEIGHTS, alias.REVISION, schedules.MODIFIED, pipes.RECORD_AGE):
            continue
        elif field.startswith(provisioned.FIELD):
            qualifier = field.removeprefix(provisioned.FIELD)
            words.append(f"provisioned concurrency of {qualifier} {'none' if value is None else value}")
        elif field.startswith(managed.FIELD):
            words.append(managed.control_words(field, value))
        elif field == rules.FIELD:
            words.append(f"rule {value}")
        elif field == schedules.FIELD:
            words.append(f"schedule {value}")
        elif field == pipes.FIELD:
            words.append(f"pipe {value}")
        elif field.startswith(EXECUTION):
            words.append(f"execution {field.removeprefix(EXECUTION)} {status_words(value)}")
        elif field == recursion.FIELD:
            words.append("loops stopped" if value == "Terminate" else "loops allowed")
        else:
            words.append(setting_words({field: value}))
    return ", ".join(words) or "nothing to compare"


class _Kind(NamedTuple):
    """A kind of undo call: its `aws` command and the IAM actions it needs."""

    command: Callable[[Call], Words]
    iam: tuple[str, ...]


_KINDS: Mapping[str, _Kind] = {
    "PutFunctionConcurrency": _Kind(throttle.reserved_command, throttle.IAM),
    "DeleteFunctionConcurrency": _Kind(throttle.reserved_command, throttle.IAM),
    provisioned.PUT: _Kind(provisioned.provisioned_command, provisioned.IAM),
    provisioned.DELETE: _Kind(provisioned.provisioned_command, provisioned.IAM),
    managed.PUT: _Kind(managed.scaling_command, managed.IAM),
    "UpdateEventSourceMapping": _Kind(triggers.mapping_command, triggers.IAM),
    "PutFunctionEventInvokeConfig": _Kind(async_retries.async_command, async_retries.IAM),
    "UpdateFunctionEventInvokeConfig": _Kind(async_retries.async_command, async_retries.IAM),
    "DeleteFunctionEventInvokeConfig": _Kind(async_retries.async_command, async_retries.IAM),
    "PutFunctionRecursionConfig": _Kind(recursion.recursion_command, recursion.IAM),
    "UpdateAlias": _Kind(alias.alias_command, alias.IAM),
    "DisableRule": _Kind(rules.rule_command, rules.IAM),
    "EnableRule": _Kind(rules.rule_command, rules.IAM),
    schedules.OPERATION: _Kind(schedules.no_command, schedules.IAM),
    "StopPipe": _Kind(pipes.pipe_command, pipes.IAM),
    "StartPipe": _Kind(pipes.pipe_command, pipes.IAM),
}
