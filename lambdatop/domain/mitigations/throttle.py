"""throttle_to_zero: PutFunctionConcurrency(0). AWS stops new invocations, running ones continue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.callers import looked_up
from lambdatop.domain.facts.event_source_mapping import MAX_RECEIVES, MappingFacts
from lambdatop.domain.facts.function import Reserved
from lambdatop.domain.facts.not_read import NotKnown, or_none, with_unit
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.mitigations import managed, provisioned, triggers
from lambdatop.domain.mitigations.composite import disable_steps, in_steps, step_id
from lambdatop.domain.mitigations.spec import Check, MitigationSpec, UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Alternative, Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.plans.wording import count, owner_warning
from lambdatop.domain.units import span

NAME = "throttle_to_zero"
TRIGGERS, FIRST, KEEP = "triggers", "first", "keep"
PROVISIONED, REMOVE = "provisioned", "remove"
WHY_REMOVE = "each number is kept in the journal and can be given back; confirmed once"
LABEL_REMOVE = "Instead: remove its provisioned concurrency, then throttle"
CALLS = (("lambda", "PutFunctionConcurrency"), ("lambda", "DeleteFunctionConcurrency"))
IAM = ("lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency", "lambda:GetFunctionConcurrency")


def set_reserved(function: str, value: Reserved) -> Call:
    """Return the call that sets reserved concurrency of `function` (its ARN) to `value`; None deletes it."""
    if value is None:
        return Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": function})
    params = {"FunctionName": function, "ReservedConcurrentExecutions": value}
    return Call("lambda", "PutFunctionConcurrency", params)


def reserved_command(call: Call) -> Words:
    """Return `set_reserved` as an `aws` command."""
    function = option("--function-name", call.params["FunctionName"])
    if "ReservedConcurrentExecutions" not in call.params:
        return ("lambda", "delete-function-concurrency", *function)
    value = str(call.params["ReservedConcurrentExecutions"])
    return ("lambda", "put-function-concurrency", *function, "--reserved-concurrent-executions", value)


def plan_throttle_to_zero(
    s: FunctionSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan or refuse. Always T2: SDK callers cannot be listed, so nobody can promise no loss."""
    first = _asked(params, TRIGGERS, FIRST)
    remove = _asked(params, PROVISIONED, REMOVE)
    if s.facts.managed_instances:
        return _deactivate(s, first, remove, now, plan_id)
    refused = _refuse(s, remove)
    if refused:
        return refused
    plan, steps = _throttle(s, now, plan_id), tuple[Plan, ...]()
    if first:
        disabled = _triggers_first(s, now, plan_id)
        if isinstance(disabled, Refusal):
            return disabled
        steps = disabled
    if remove:
        provisions = tuple((q, n) for q, n in or_none(s.provisioned) or () if n)
        steps += provisioned.remove_steps(s, provisions, now, plan_id, len(steps) + 1)
    return _after(s, steps, plan) if steps else plan


def _deactivate(s: FunctionSituation, first: bool, remove: bool, now: float, plan_id: str) -> Proposal:
    """Plan or refuse for a function on managed instances."""
    if remove:
        reason = f"{s.facts.name} runs on managed instances: its versions are deactivated instead."
        return Refusal(NAME, s.ref, reason, f"Throttle it without {PROVISIONED!r}.")
    disabled = _triggers_first(s, now, plan_id) if first else ()
    if isinstance(disabled, Refusal):
        return disabled
    made = managed.plan_stop(NAME, s, now, plan_id, disabled)
    in_order = _in_order(s) if isinstance(made, Plan) else ()
    return made if first else replace(made, alternatives=(*in_order, *_first_disable(s)))


def _asked(params: Mapping[str, Any], name: str, yes: str) -> bool:
    """Return whether a setting says `yes`, not `keep`."""
    asked = str(params.get(name, KEEP)).strip().lower()
    if asked not in (yes, KEEP):
        raise UsageError(f"{name} must be {yes!r} or {KEEP!r}, not {params[name]!r}.")
    return asked == yes


def _check(yes: str) -> Check:
    return lambda name, value: _asked({name: value}, name, yes)


def _throttle(s: FunctionSituation, now: float, plan_id: str) -> Plan:
    name = s.facts.name
    function = function_arn(s.ref.key.scope, name, s.ref.arn)
    back = "remove the reservation again" if s.reserved is None else f"set it back to {s.reserved}"
    note = "" if s.reserved is None else "; AWS refuses if others took that share of the pool meanwhile"
    call, undo = set_reserved(function, 0), set_reserved(function, s.reserved)
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Throttle {name} to zero",
        tier="T2",
        call=call,
        before={"reserved_concurrency": s.reserved},
        after={"reserved_concurrency": 0},
        undo=undo,
        way_back=WayBack(back, reserved_command(undo), note),
        lost=_lost(s),
        in_flight=_in_flight(s),
        takes_effect="within seconds (AWS documents no figure); all versions and aliases",
        confirm=name,
        command=reserved_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=callers(s),
        warnings=_warnings(s),
        unknowns=s.gaps,
        alternatives=(*_in_order(s), *_first_disable(s)),
    )


def _triggers_first(s: FunctionSituation, now: float, plan_id: str) -> tuple[Plan, ...] | Refusal:
    """Return the steps that disable the queues' triggers: so no message goes to a DLQ by the throttle."""
    if isinstance(s.mappings, NotKnown):
        reason = f"The triggers of {s.facts.name} could not be read ({s.mappings.why})."
        hint = f"{s.mappings.remedy}, or disable its triggers one by one before you throttle it."
        return Refusal(NAME, s.ref, reason, hint)
    fed = tuple(m for m in enabled_mappings(s) if m.source_kind == "sqs")
    if not fed:
        reason = f"No enabled queue feeds {s.facts.name}."
        return Refusal(NAME, s.ref, reason, "Throttle it without 'triggers'.")
    steps = disable_steps(fed, s.queue_of, now, plan_id, timeout_s=s.facts.timeout_s)
    if isinstance(steps, Refusal):
        return Refusal(NAME, s.ref, steps.reason, steps.hint)
    return steps


def _after(s: FunctionSituation, steps: tuple[Plan, ...], throttle: Plan) -> Plan:
    """Return the plan of these steps and the throttle as the last one."""
    disabled = sum(step.mitigation != NAME for step in steps)
    warnings = throttle.warnings
    if disabled:  # what their messages would suffer, they no longer do
        warnings = (*unread_warnings(s), *owner_warning(s.stack))
    last = replace(throttle, id=step_id(throttle.id, len(steps) + 1), warnings=warnings, alternatives=())
    done = [f"disable {count(disabled, 'queue trigger')}"] if disabled else []
    done += ["remove provisioned concurrency"] if disabled < len(steps) else []
    title = f"Stop {s.facts.name}: {', '.join(done)}, then throttle to zero"
    return in_steps(NAME, s.ref, title, (*steps, last), confirm=s.facts.name)


def _in_order(s: FunctionSituation) -> tuple[Alternative, ...]:
    if not any(m.source_kind == "sqs" for m in enabled_mappings(s)):
        return ()
    why = "waits until they are Disabled, so that no refused receive counts; confirmed once"
    label = "Instead: disable its queue triggers, then throttle"
    return (Alternative(NAME, s.ref, why, {TRIGGERS: FIRST}, label),)


def _refuse(s: FunctionSituation, remove: bool) -> Refusal | None:
    provisions = or_none(s.provisioned) or ()
    there = sum(n for _, n in provisions)
    if s.reserved == 0:
        reason = f"{s.facts.name} is throttled to zero already."
        return Refusal(NAME, s.ref, reason, "Restore the former value with restore_concurrency.")
    if remove and isinstance(s.provisioned, NotKnown):
        return Refusal(
            NAME,
            s.ref,
            f"What is provisioned of {s.facts.name} is {s.provisioned.words}.",
            s.provisioned.remedy,
        )
    if remove and not there:
        reason = f"{s.facts.name} has no provisioned concurrency."
        return Refusal(NAME, s.ref, reason, f"Throttle it without {PROVISIONED!r}.")
    if there and not remove:
        where = ", ".join(f"{q}: {n}" for q, n in provisions)
        return Refusal(
            NAME,
            s.ref,
            f"AWS refuses reserved concurrency 0 while the function has provisioned concurrency ({where}).",
            "Remove the provisioned concurrency first, or disable its triggers instead.",
            (Alternative(NAME, s.ref, WHY_REMOVE, {PROVISIONED: REMOVE}, LABEL_REMOVE), *_first_disable(s)),
        )
    return None


def enabled_mappings(s: FunctionSituation) -> tuple[MappingFacts, ...]:
    """Return triggers that deliver now, none where they could not be read (see `unread_warnings`)."""
    return tuple(m for m in or_none(s.mappings) or () if m.enabled)


def unread_warnings(s: FunctionSituation) -> tuple[str, ...]:
    """Return what may speak against a change of the reservation and was not read."""
    words = []
    if isinstance(s.mappings, NotKnown):
        words.append(
            f"its triggers are {s.mappings.words}: a queue that feeds it goes on being received, refused "
            "receives count, and good messages land in its dead-letter queue if it has one"
        )
    if isinstance(s.provisioned, NotKnown):
        words.append(f"provisioned concurrency is {s.provisioned.words}: AWS refuses a reservation below it")
    return tuple(words)


def _first_disable(s: FunctionSituation) -> tuple[Alternative, ...]:
    found = []
    for mapping in enabled_mappings(s):
        if mapping.source_kind == "sqs":
            why = f"otherwise AWS keeps receiving: {_refused_receives(s.queue_of(mapping.source_arn))}"
        elif mapping.kind.part:
            part = mapping.kind.part
            why = f"otherwise each {part} is tried again until its {mapping.kind.event} expire"
        else:
            why = f"otherwise {mapping.kind.place} goes on handing out its {mapping.kind.event}"
        ref = Ref(mapping.key, mapping.uuid, mapping.label)
        found.append(Alternative("disable_trigger", ref, why))
    return tuple(found)


def _refused_receives(queue: QueueFacts | NotKnown) -> str:
    """Return what becomes of a queue's messages that the throttled function does not take.

    Only a redrive policy moves them away (SQS developer guide, "Using dead-letter queues").
    """
    if isinstance(queue, NotKnown):
        return f"what becomes of its messages is {queue.words}"
    if queue.dlq_arn is None:
        return "messages come back until they expire"
    dlq, receives = queue.dlq_arn.rpartition(":")[2], queue.max_receive_count or MAX_RECEIVES
    return f"after {count(receives, 'receive')} good messages land in {dlq}"


def _in_flight(s: FunctionSituation) -> str:
    words = f"running invocations continue to their end, at most {with_unit(s.facts.timeout_s, 's')}"
    if not s.facts.durable:
        return words
    limit = s.facts.durable_timeout_s
    until = "their execution timeout" if limit is None else f"they are {span(limit)} old"
    return f"{words}; durable executions do not end: replays are refused, and tried again until {until}"


def _lost(s: FunctionSituation) -> str:
    if s.facts.durable:
        return "whether new durable executions wait or fail is not documented; synchronous callers get 429"
    words, config = [], s.async_config
    if s.facts.dlq_arn and (isinstance(config, NotKnown) or not config.on_failure_arn):
        words.append(f"new async events go without an attempt to the DLQ {s.facts.dlq_arn}")
    elif isinstance(config, NotKnown):
        lost = "new async events are LOST unless there is an on-failure destination"
        words.append(f"{lost}, which is {config.words}")
    elif config.on_failure_arn:
        words.append(
            f"new async events go without an attempt to the on-failure destination {config.on_failure_arn}"
        )
        if s.aliases and not s.facts.dlq_arn:
            some = f" (its aliases are {s.aliases.words})" if isinstance(s.aliases, NotKnown) else ""
            words.append(f"those sent to an alias{some} are LOST unless it has a destination of its own")
    else:
        words.append(
            "new async events are LOST: the function has neither a DLQ nor an on-failure destination"
        )
    words.append("synchronous callers get 429")
    return "; ".join(words)


def _warnings(s: FunctionSituation) -> tuple[str, ...]:
    words = list(unread_warnings(s))
    for mapping in enabled_mappings(s):
        if mapping.source_kind == "sqs":
            end = _refused_receives(s.queue_of(mapping.source_arn))
            words.append(f"{mapping.source_name} keeps being received while throttled: {end}")
        elif mapping.max_record_age_s not in (None, -1):
            words.append(
                f"{mapping.source_name}: records older than {mapping.max_record_age_s} s are discarded"
            )
        elif mapping.kind.part:
            part, event = mapping.kind.part, mapping.kind.event
            words.append(
                f"{mapping.source_name}: each {part} is blocked until you restore, or {event} expire"
            )
        else:
            kind = mapping.kind
            words.append(
                f"{mapping.source_name}: {kind.event} wait in {kind.place}, which may hand them out again"
            )
    return (*words, *owner_warning(s.stack))


def callers(s: FunctionSituation) -> tuple[str, ...]:
    """Return everybody who is known to invoke the function."""
    found = [f"mapping {m.source_name} ({m.source_kind}, {m.state})" for m in or_none(s.mappings) or ()]
    found += [f"resource policy allows {p}" for p in or_none(s.policy_principals) or ()]
    found += [f"alias {a}" for a in or_none(s.aliases) or ()]
    if s.url and not isinstance(s.url, NotKnown):
        found.append(f"function URL {s.url}")
    return (*found, *looked_up(s.looked_for))


SPECS = (
    MitigationSpec(
        name=NAME,
        order=10,
        kind="function",
        tier="T2",
        summary="set reserved concurrency to 0, or deactivate on managed instances: no new invocation starts",
        plan=plan_throttle_to_zero,
        hotkey="T",
        label="throttle to 0",
        does="throttle the function to zero",
        footer=6,
        params=(TRIGGERS, PROVISIONED),
        checks=((TRIGGERS, _check(FIRST)), (PROVISIONED, _check(REMOVE))),
        stops=True,
        saves="runs",
        calls=(*CALLS, *provisioned.CALLS, *triggers.CALLS, *managed.CALLS),
        iam=IAM,
        iam_of_settings=(*provisioned.IAM, *managed.IAM),
        undo=(UndoCalls(CALLS, reserved_command, IAM), provisioned.UNDO, managed.UNDO),
    ),
)
