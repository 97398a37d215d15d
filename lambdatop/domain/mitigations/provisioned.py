"""Remove provisioned concurrency, and give it back: steps of a throttle to zero.

AWS refuses a reservation below what is provisioned, so a function with provisioned concurrency is stopped in
this order (model of PutFunctionConcurrency and of PutProvisionedConcurrencyConfig).
"""

from __future__ import annotations

from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.mitigations.composite import step_id
from lambdatop.domain.mitigations.spec import UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.plan import Call, Plan, Wait
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.plans.wording import count

MITIGATION = "throttle_to_zero"
FIELD = "provisioned_concurrency:"
"""Begins the control field of one alias or version; its value is the number that was asked for, or None."""
PUT, DELETE = "PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"
CALLS = (("lambda", PUT), ("lambda", DELETE))
IAM = (f"lambda:{PUT}", f"lambda:{DELETE}", "lambda:ListProvisionedConcurrencyConfigs")
GONE_WITHIN_S = 300.0
ALLOCATES = "AWS allocates it within minutes; until then invocations start cold"
COMES_BACK = (
    "where Application Auto Scaling manages provisioned concurrency, it puts it back; that is not read"
)


def set_provisioned(function: str, qualifier: str, value: int | None) -> Call:
    """Return the call that sets provisioned concurrency of an alias or version; None removes it."""
    params = {"FunctionName": function, "Qualifier": qualifier}
    if value is None:
        return Call("lambda", DELETE, params)
    return Call("lambda", PUT, {**params, "ProvisionedConcurrentExecutions": value})


def provisioned_command(call: Call) -> Words:
    """Return `set_provisioned` as an `aws` command."""
    of = (*option("--function-name", call.params["FunctionName"]), "--qualifier", call.params["Qualifier"])
    if call.operation == DELETE:
        return ("lambda", "delete-provisioned-concurrency-config", *of)
    value = str(call.params["ProvisionedConcurrentExecutions"])
    return ("lambda", "put-provisioned-concurrency-config", *of, "--provisioned-concurrent-executions", value)


UNDO = UndoCalls(CALLS, provisioned_command, IAM)


def remove_steps(
    s: FunctionSituation, provisions: tuple[tuple[str, int], ...], now: float, plan_id: str, first: int
) -> tuple[Plan, ...]:
    """Return a step for each alias and version; `first` is the number of the first one."""
    name = s.facts.name
    function = function_arn(s.ref.key.scope, name, s.ref.arn)
    steps = []
    for number, (qualifier, value) in enumerate(provisions, first):
        call, undo = set_provisioned(function, qualifier, None), set_provisioned(function, qualifier, value)
        field = f"{FIELD}{qualifier}"
        step = Plan(
            id=step_id(plan_id, number),
            mitigation=MITIGATION,
            target=s.ref,
            title=f"Remove the provisioned concurrency of {name}:{qualifier} ({value})",
            tier="T1",
            call=call,
            before={field: value},
            after={field: None},
            undo=undo,
            way_back=WayBack(f"provision {value} again", provisioned_command(undo), f"; {ALLOCATES}"),
            lost="nothing: what runs goes on, and later invocations start cold",
            in_flight="running invocations continue to their end",
            takes_effect="within seconds",
            confirm="key",
            command=provisioned_command(call),
            iam_actions=IAM,
            planned_at=now,
            blast_radius=(f"{name}:{qualifier} loses {count(value, 'initialised environment')}",),
            warnings=(COMES_BACK,),
            unknowns=s.gaps,
            wait=Wait(f"until {qualifier} has none", GONE_WITHIN_S),
        )
        steps.append(step)
    return tuple(steps)
