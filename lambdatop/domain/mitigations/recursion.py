"""stop_recursion: PutFunctionRecursionConfig(Terminate). Lambda then stops loops that it can see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.mitigations.spec import MitigationSpec, UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.plans.wording import owner_warning

NAME = "stop_recursion"
FIELD = "recursive_loop"
CALLS = (("lambda", "PutFunctionRecursionConfig"),)
IAM = ("lambda:PutFunctionRecursionConfig", "lambda:GetFunctionRecursionConfig")
HOPS = 16


def set_recursion(function: str, value: str) -> Call:
    """Return call that allows loops of `function` (its ARN) or has Lambda stop them (Allow, Terminate)."""
    return Call("lambda", "PutFunctionRecursionConfig", {"FunctionName": function, "RecursiveLoop": value})


def recursion_command(call: Call) -> Words:
    """Return `set_recursion` as an `aws` command."""
    name = option("--function-name", call.params["FunctionName"])
    loop = call.params["RecursiveLoop"]
    return ("lambda", "put-function-recursion-config", *name, "--recursive-loop", loop)


def plan_stop_recursion(
    s: FunctionSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan or refuse: where loops are stopped already, something else is the matter."""
    name, scope = s.facts.name, s.ref.key.scope
    if s.recursive_loop == "Terminate":
        return Refusal(
            NAME,
            s.ref,
            f"Lambda stops loops of {name} already, after about {HOPS} hops, where it can see them.",
            "A loop that goes on is one that Lambda cannot see: disable a trigger, or throttle to zero.",
        )
    if s.recursive_loop != "Allow":
        # The read that this plan alone needs is the last one made; the others say nothing about loops.
        return Refusal(
            NAME, s.ref, f"Whether loops of {name} are stopped could not be read.", "".join(s.gaps[-1:])
        )
    function = function_arn(scope, name, s.ref.arn)
    call, undo = set_recursion(function, "Terminate"), set_recursion(function, "Allow")
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Let Lambda stop recursive loops of {name}",
        tier="T2",
        call=call,
        before={FIELD: "Allow"},
        after={FIELD: "Terminate"},
        undo=undo,
        way_back=WayBack("allow loops again", recursion_command(undo)),
        lost=_lost(s),
        in_flight="running invocations continue to their end; the next hop of a long chain is refused",
        takes_effect="within seconds (AWS documents no figure)",
        confirm=name,
        command=recursion_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(
            f"chains of about {HOPS} hops through queues, topics, buckets and functions end; others continue",
        ),
        warnings=(
            "somebody allowed loops on purpose: if the loop is intended, it is cut off",
            "loops through DynamoDB, Kinesis or EventBridge, and SDKs without the trace header, are not seen",
            *owner_warning(s.stack),
        ),
        unknowns=s.gaps,
    )


def _lost(s: FunctionSituation) -> str:
    config = s.async_config
    end = (None if isinstance(config, NotKnown) else config.on_failure_arn) or s.facts.dlq_arn
    if isinstance(config, NotKnown) and not end:
        lost = "events of a chain that is cut off are LOST unless there is an on-failure destination"
        return f"{lost}, which is {config.words}"
    if end:
        return f"events of a chain that is cut off go to {end}"
    return "events of a chain that is cut off are LOST: there is neither a DLQ nor an on-failure destination"


SPECS = (
    MitigationSpec(
        name=NAME,
        order=90,
        kind="function",
        tier="T2",
        summary="let Lambda stop recursive loops of the function",
        plan=plan_stop_recursion,
        hotkey="L",
        label="stop loop",
        does="let Lambda stop its recursive loops",
        footer=22,
        looks_at=(FIELD,),
        saves="some runs",
        calls=CALLS,
        iam=IAM,
        undo=(UndoCalls(CALLS, recursion_command, IAM),),
    ),
)
