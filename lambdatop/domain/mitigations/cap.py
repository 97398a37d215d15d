"""cap_concurrency: PutFunctionConcurrency(n). At most n run at once, and n are reserved for the function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.event_source_mapping import (
    LEAST_CONCURRENCY,
    MAX_RECEIVES,
    MappingFacts,
    most_at_once,
)
from lambdatop.domain.facts.not_read import NotKnown, with_unit
from lambdatop.domain.mitigations import managed, throttle
from lambdatop.domain.mitigations.capped import NOTHING, refused_work, tier_of
from lambdatop.domain.mitigations.restore import FIELD, below_provisioned, no_room, parse_reserved, pool_after
from lambdatop.domain.mitigations.spec import Ask, MitigationSpec
from lambdatop.domain.mitigations.throttle import (
    IAM,
    callers,
    enabled_mappings,
    reserved_command,
    set_reserved,
    unread_warnings,
)
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Alternative, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.plans.wording import count, owner_warning, reserved_words

NAME = "cap_concurrency"
SAFE_RECEIVES = 5
"""AWS recommends a maxReceiveCount of at least 5: refused receives count, too."""


def plan_cap_concurrency(
    s: FunctionSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan or refuse; `reserved` says how many executions at once, and nothing is guessed."""
    if "reserved" not in params:
        return Refusal(NAME, s.ref, "How many executions at once?", "Pass --set reserved=N.")
    wanted = parse_reserved(params["reserved"])
    if s.facts.managed_instances and wanted:
        return managed.plan_cap(NAME, s, wanted, now, plan_id)
    refused = _refuse(s, wanted)
    if refused or wanted is None:
        return refused or Refusal(NAME, s.ref, "'none' is not a cap.", "restore_concurrency removes a cap.")
    name, tier = s.facts.name, tier_of(s)
    function = function_arn(s.ref.key.scope, name, s.ref.arn)
    call, undo = set_reserved(function, wanted), set_reserved(function, s.reserved)
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Cap {name} at {count(wanted, 'execution')} at once",
        tier=tier,
        call=call,
        before={FIELD: s.reserved},
        after={FIELD: wanted},
        undo=undo,
        way_back=WayBack(f"back to {reserved_words(s.reserved)}", reserved_command(undo)),
        lost=f"{NOTHING}; above it {refused_work(s)}",
        in_flight="running invocations continue, "
        f"at most {with_unit(s.facts.timeout_s, 's')}, above the cap too",
        takes_effect="within seconds (AWS documents no figure); all versions and aliases together",
        confirm="key" if tier == "T1" else name,
        command=reserved_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(*pool_after(s, wanted), *callers(s)),
        warnings=_warnings(s, wanted),
        unknowns=s.gaps,
        alternatives=_tune_first(s, wanted),
    )


def _refuse(s: FunctionSituation, wanted: int | None) -> Refusal | None:
    name = s.facts.name
    if wanted == 0:
        reason = "0 is not a cap: no invocation would start any more."
        return Refusal(NAME, s.ref, reason, "That is throttle_to_zero.")
    if wanted is not None and wanted == s.reserved:
        return Refusal(NAME, s.ref, f"Reserved concurrency of {name} is {wanted} already.")
    return below_provisioned(NAME, s, wanted) or no_room(NAME, s, wanted)


def _warnings(s: FunctionSituation, wanted: int) -> tuple[str, ...]:
    words = list(unread_warnings(s))
    for mapping in _queues_beyond(s, wanted):
        queue = s.queue_of(mapping.source_arn)
        if isinstance(queue, NotKnown):
            words.append(
                f"{mapping.source_name}: refused receives count; when good messages leave it is {queue.words}"
            )
        elif queue.dlq_arn and (queue.max_receive_count or MAX_RECEIVES) < SAFE_RECEIVES:
            dlq, receives = queue.dlq_arn.rpartition(":")[2], queue.max_receive_count or MAX_RECEIVES
            words.append(
                f"{queue.name}: refused receives count: after {receives} good messages land in {dlq}"
            )
    if s.reserved == 0:
        words.append("it is throttled to zero now: this starts it again")
    return (*words, *owner_warning(s.stack))


def _queues_beyond(s: FunctionSituation, wanted: int) -> list[MappingFacts]:
    """Return enabled queue mappings, where together they may ask for more than the cap allows."""
    found = [m for m in enabled_mappings(s) if m.source_kind == "sqs"]
    fits = sum(most_at_once(m)[0] for m in found) <= wanted
    return [] if fits else found


def _tune_first(s: FunctionSituation, wanted: int) -> tuple[Alternative, ...]:
    found = []
    for mapping in _queues_beyond(s, wanted):
        asks = f"up to {most_at_once(mapping)[0]:,}"
        ref = Ref(mapping.key, mapping.uuid, mapping.label)
        advice = _fewer_pollers(mapping, wanted) if mapping.pollers else _tuned(wanted)
        found.append(Alternative("tune_trigger", ref, f"it may ask for {asks} at once; {advice}"))
    return tuple(found)


def _fewer_pollers(mapping: MappingFacts, wanted: int) -> str:
    """Return the advice for provisioned mode, in which AWS takes no MaximumConcurrency."""
    fewest, each = mapping.kind.least_pollers, mapping.kind.per_poller
    if wanted < fewest * each:
        return f"the fewest pollers, {fewest}, ask for {fewest * each}, too"
    return f"{wanted // each} pollers ask for no more than the cap"


def _tuned(wanted: int) -> str:
    """Return the advice to set MaximumConcurrency; the cap is shared by all queues and other callers."""
    if wanted < LEAST_CONCURRENCY:
        return f"the least MaximumConcurrency, {LEAST_CONCURRENCY}, is more than the cap, too"
    return (
        f"give its queues a MaximumConcurrency of {wanted} together; receives may be refused all the same "
        "where others call it"
    )


SPECS = (
    MitigationSpec(
        name=NAME,
        order=20,
        kind="function",
        tier="T1",
        summary="let the function run at most so many executions at once",
        plan=plan_cap_concurrency,
        hotkey="C",
        label="cap",
        does="cap its concurrency at a number",
        footer=19,
        params=("reserved",),
        checks=(("reserved", lambda name, value: parse_reserved(value)),),
        ask=Ask("Cap {target} at how many executions at once?", "a number from 1", "reserved"),
        saves="runs above a cap",
        calls=(*throttle.CALLS, *managed.CALLS),
        iam=throttle.IAM,
        iam_of_settings=managed.IAM,
    ),
)
