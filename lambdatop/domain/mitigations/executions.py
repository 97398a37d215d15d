"""stop_executions: end every running execution of a state machine. Irreversible; each has its own entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lambdatop.domain.keys import parse_arn
from lambdatop.domain.mitigations.composite import step_id
from lambdatop.domain.mitigations.one_by_one import FIELD, MOST, one_by_one
from lambdatop.domain.mitigations.spec import MitigationSpec
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import Execution, StateMachineSituation
from lambdatop.domain.plans.wording import count
from lambdatop.domain.units import span

NAME = "stop_executions"
RUNNING, ABORTED = "RUNNING", "ABORTED"
EXPRESS = "EXPRESS"
CALLS = (("stepfunctions", "StopExecution"),)
IAM = ("states:StopExecution", "states:DescribeExecution", "states:ListExecutions")
WAY_BACK = "none: lambdatop starts no execution again"


def stop_execution(arn: str) -> Call:
    """Return the call that stops an execution.

    Without error and cause: an encrypted state machine would need a KMS key for them (API reference,
    StopExecution).
    """
    return Call("stepfunctions", "StopExecution", {"executionArn": arn})


def execution_command(call: Call) -> Words:
    """Return `stop_execution` as an `aws` command."""
    arn = option("--execution-arn", call.params["executionArn"])
    return ("stepfunctions", "stop-execution", *arn)


def plan_stop_executions(
    s: StateMachineSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan or refuse stopping what runs; MOST executions at a time, the newest first."""
    if s.kind == EXPRESS:
        reason = f"{s.ref.name} is an EXPRESS state machine: AWS neither lists nor stops its executions."
        return Refusal(NAME, s.ref, reason, "Stop what starts them, or throttle the functions they call.")
    if not s.running:
        odd = f" but {count(s.odd, 'execution')} whose name no request can hold" if s.odd else ""
        reason = f"{s.ref.name} has no running execution{odd}."
        return Refusal(NAME, s.ref, reason, "The list lags: AWS calls it eventually consistent.")
    chosen = s.running[:MOST]
    steps = [_step(s, one, now, step_id(plan_id, n)) for n, one in enumerate(chosen, 1)]
    # The list is best effort: an execution that began a moment ago may be missing from it.
    return one_by_one(
        steps,
        title=f"Stop {_how_many(s)} of {s.ref.name} for good",
        lost=f"the work of each of them from where it is now{_oldest(s)}; its output is never produced",
    )


def _step(s: StateMachineSituation, one: Execution, now: float, plan_id: str) -> Plan:
    field = f"{FIELD}{one.name}"
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Stop the execution {one.name}",
        tier="T3",
        call=stop_execution(one.arn),
        before={field: RUNNING},
        after={field: ABORTED},
        undo=None,
        way_back=WayBack(WAY_BACK),
        lost="its work from where it is now; its output is never produced",
        in_flight="an invocation of a function that it started may run to its end",
        takes_effect="at once",
        confirm=s.ref.key.id,
        command=execution_command(stop_execution(one.arn)),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(f"state machine {s.ref.name}: what starts its executions goes on starting them",),
        warnings=tuple(_warnings(s)),
        unknowns=s.gaps,
    )


def _how_many(s: StateMachineSituation) -> str:
    there = len(s.running)
    if there <= MOST and not s.more:
        return count(there, "running execution")
    return f"the newest {min(there, MOST)} of {'at least ' if s.more else ''}{there} running executions"


def _oldest(s: StateMachineSituation) -> str:
    known = [one.started for one in s.running[:MOST] if one.started is not None]
    return f" (the oldest has run for {span(max(0.0, s.at - min(known)))})" if known else ""


def _warnings(s: StateMachineSituation) -> Iterator[str]:
    if len(s.running) > MOST or s.more:
        yield f"one plan stops {MOST} at most: plan it again for the others"
    if s.odd:
        verb = "is" if s.odd == 1 else "are"
        yield f"{count(s.odd, 'execution')} {verb} left out: the name holds what no name may hold"
    yield (
        "the list is eventually consistent: executions that began a moment ago may be missing, and new ones "
        "may begin; plan it again until none runs"
    )
    yield "work that it had begun elsewhere is not taken back"


def execution_arn(machine: str, name: str) -> str:
    """Return the ARN of an execution of a state machine (its ARN), "" where that is none."""
    parsed = parse_arn(machine)
    if parsed is None:
        return ""
    where = f"arn:{parsed.partition}:{parsed.service}:{parsed.region}:{parsed.account}"
    return f"{where}:execution:{parsed.name}:{name}"


SPECS = (
    MitigationSpec(
        name=NAME,
        order=190,
        kind="state machine",
        tier="T3",
        summary="end every running execution of a state machine for good",
        plan=plan_stop_executions,
        hotkey="Z",
        label="executions",
        does="stop the running executions of a state machine that calls it (irreversible)",
        footer=32,
        nothing="no state machine whose definition names it",
        calls=CALLS,
        iam_elevated=IAM,
        final=((CALLS[0][1], "an execution that was stopped has ended for good"),),
    ),
)
