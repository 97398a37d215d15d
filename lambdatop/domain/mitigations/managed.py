"""Stop or cap functions on managed instances: PutFunctionScalingConfig of each of their versions.

Reserved concurrency is not documented for such functions. Minimum and maximum 0 deactivate a version, which
does not come back by itself; both numbers are always sent, because AWS sets one that is missing to its
default (Lambda developer guide, "Scaling Lambda Managed Instances").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.function_state import DEACTIVATED, DEFAULT_LEAST, Scaling
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.mitigations.composite import in_steps, step_id
from lambdatop.domain.mitigations.spec import UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal, Wait
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.plans.wording import count, owner_warning

FIELD = "scaling:"
"""Begins the control field of one version; its value is that of `control`."""
PUT = "PutFunctionScalingConfig"
CALLS = (("lambda", PUT),)
IAM = (
    f"lambda:{PUT}",
    "lambda:GetFunctionScalingConfig",
    "lambda:GetFunctionConfiguration",
    "lambda:ListFunctionVersionsByCapacityProvider",
)
GONE_WITHIN_S = 900.0
"""Environments end after the invocations that they run, which take 15 minutes at most."""
LOST = "its callers are refused while it is deactivated; what becomes of their events is not known"
STAYS = "it does not come back by itself"
UNDOCUMENTED = (
    "how queues and streams that feed it take the refusals is not documented: disable its triggers first"
)
RUNS_ON = (
    "an invocation that reaches its timeout is reported as failed, and its code may run on; EC2 bills the "
    "instances until they end, some minutes later"
)


def control(scaling: Scaling) -> dict[str, Any]:
    """Return what plans compare of a version's scaling; None is AWS's default."""
    return {"min": scaling.least, "max": scaling.most, "state": scaling.state}


def control_words(field: str, value: Mapping[str, Any]) -> str:
    """Return a version's control field in words."""
    of = Scaling(field.removeprefix(FIELD), value.get("min"), value.get("max"), str(value.get("state")))
    return f"environments of {of.qualifier} {of.words} ({of.state})"


def set_scaling(function: str, qualifier: str, least: int | None, most: int | None) -> Call:
    """Return the call that sets both numbers of a version of `function` (its ARN); None is AWS's default."""
    numbers = {"MinExecutionEnvironments": least, "MaxExecutionEnvironments": most}
    config = {name: number for name, number in numbers.items() if number is not None}
    return Call(
        "lambda", PUT, {"FunctionName": function, "Qualifier": qualifier, "FunctionScalingConfig": config}
    )


def scaling_command(call: Call) -> Words:
    """Return `set_scaling` as an `aws` command."""
    p = call.params
    numbers = ",".join(f"{name}={number}" for name, number in p["FunctionScalingConfig"].items())
    of = (*option("--function-name", p["FunctionName"]), "--qualifier", p["Qualifier"])
    return ("lambda", "put-function-scaling-config", *of, "--function-scaling-config", numbers or "{}")


UNDO = UndoCalls(CALLS, scaling_command, IAM)


def plan_stop(
    mitigation: str, s: FunctionSituation, now: float, plan_id: str, first: Sequence[Plan] = ()
) -> Proposal:
    """Plan or refuse to deactivate every version of a function on managed instances, after steps `first`."""
    versions = _versions(mitigation, s)
    if isinstance(versions, Refusal):
        return versions
    running = [each for each in versions if not each.stopped]
    if not running:
        return Refusal(
            mitigation,
            s.ref,
            f"Every version of {s.facts.name} on managed instances is deactivated already.",
            "Undo the change that did it, by `lambdatop undo`.",
        )
    steps = [
        _step(mitigation, s, each, 0, 0, now, step_id(plan_id, number))
        for number, each in enumerate(running, len(first) + 1)
    ]
    then = f"deactivate {count(len(steps), 'version')} on managed instances"
    done = f"disable {count(len(first), 'queue trigger')}, then {then}" if first else then
    return in_steps(mitigation, s.ref, f"Stop {s.facts.name}: {done}", (*first, *steps), confirm=s.facts.name)


def plan_cap(mitigation: str, s: FunctionSituation, most: int, now: float, plan_id: str) -> Proposal:
    """Plan or refuse `most` execution environments at once of every version that runs."""
    versions = _versions(mitigation, s)
    if isinstance(versions, Refusal):
        return versions
    running = [each for each in versions if not each.stopped and each.most != most]
    if not running:
        reason = f"No running version of {s.facts.name} has another maximum than {most}."
        return Refusal(mitigation, s.ref, reason, "Versions that are deactivated stay so.")
    steps = []
    for number, each in enumerate(running, 1):
        least = min(most, DEFAULT_LEAST if each.least is None else each.least)
        steps.append(_step(mitigation, s, each, least, most, now, step_id(plan_id, number)))
    title = f"Cap {s.facts.name} at {count(most, 'environment')} of each version, on managed instances"
    return in_steps(mitigation, s.ref, title, steps, confirm=s.facts.name)


def _versions(mitigation: str, s: FunctionSituation) -> tuple[Scaling, ...] | Refusal:
    if isinstance(s.scalings, NotKnown):
        reason = f"How the versions of {s.facts.name} scale on managed instances is {s.scalings.words}."
        return Refusal(mitigation, s.ref, reason, f"{s.scalings.remedy}, or disable its triggers instead.")
    if not s.scalings:
        reason = f"{s.facts.name} has no published version on managed instances, so none runs there."
        return Refusal(mitigation, s.ref, reason)
    return s.scalings


def _step(
    mitigation: str, s: FunctionSituation, of: Scaling, least: int, most: int, now: float, plan_id: str
) -> Plan:
    name, field = f"{s.facts.name}:{of.qualifier}", f"{FIELD}{of.qualifier}"
    function = function_arn(s.ref.key.scope, s.facts.name, s.ref.arn)
    call = set_scaling(function, of.qualifier, least, most)
    undo = set_scaling(function, of.qualifier, of.least, of.most)
    stop = most == 0
    after = {"min": least, "max": most, "state": DEACTIVATED if stop else of.state}
    return Plan(
        id=plan_id,
        mitigation=mitigation,
        target=s.ref,
        title=f"Deactivate {name}" if stop else f"Let {name} have at most {most} environments",
        tier="T2",
        call=call,
        before={field: control(of)},
        after={field: after},
        undo=undo,
        way_back=WayBack(f"back to {of.words}", scaling_command(undo)),
        lost=LOST if stop else "above it callers are refused",
        in_flight=RUNS_ON if stop else "running invocations continue to their end",
        takes_effect="within minutes: Deactivating, then Deactivated" if stop else "within minutes",
        confirm=s.facts.name,
        command=scaling_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(f"{name}: {of.words} now, {of.state}",),
        warnings=((STAYS, UNDOCUMENTED) if stop else ()) + owner_warning(s.stack),
        unknowns=s.gaps,
        transient=tuple({field: {**after, "state": state}} for state in (of.state, "Deactivating"))
        if stop
        else (),
        wait=Wait(f"until {of.qualifier} is {after['state']}", GONE_WITHIN_S),
    )


def stops(state: Mapping[str, Any]) -> bool:
    """Return whether a version is deactivated in this state."""
    return any(name.startswith(FIELD) and value.get("max") == 0 for name, value in state.items())


def in_transition(value: Mapping[str, Any]) -> bool:
    """Return whether a version's state is not yet that of its numbers."""
    state = str(value.get("state"))
    return state.endswith("ing") or (value.get("max") == 0) != (state == DEACTIVATED)


def on_the_way(before: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the states through which a version comes back to what it was before."""
    return tuple(
        {field: {**value, "state": state}}
        for field, value in before.items()
        if field.startswith(FIELD)
        for state in (DEACTIVATED, "Pending", "Inactive")
    )
