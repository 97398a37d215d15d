"""stop_durable: stop the running durable executions of a function, one by one. Irreversible.

StopDurableExecution: "The execution transitions to STOPPED status and cannot be resumed. Any in-progress
operations are terminated." (Lambda API reference). Each execution is a step with a journal entry of its own,
so a plan that was cut off is gone on with by planning anew: what was stopped is listed no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.durable import (
    PART,
    RUNNING,
    STOPPED,
    DurableExecution,
    RunningExecutions,
    VersionExecutions,
)
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.composite import step_id
from lambdatop.domain.mitigations.one_by_one import FIELD, MOST, one_by_one
from lambdatop.domain.mitigations.spec import Ask, MitigationSpec
from lambdatop.domain.plans.command import WayBack, Words
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Alternative, Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.plans.unfinished import ALREADY
from lambdatop.domain.plans.wording import count
from lambdatop.domain.units import span

NAME = "stop_durable"
OPERATION = "StopDurableExecution"
CALLS = (("lambda", OPERATION),)
IAM = (f"lambda:{OPERATION}", "lambda:GetDurableExecution", "lambda:ListDurableExecutionsByFunction")
LOOKED_AT = "durable_executions"
"""The field of the situation with the running executions, which only this plan needs."""
PARAM, ALL = "version", "all"
FINAL = "none: a stopped execution cannot be resumed; its work has to be started anew"


def plan_stop_durable(s: FunctionSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse; nothing is planned for versions whose executions are not known."""
    refused = _not_listed(s)
    if refused is not None:
        return refused
    found = s.durable_executions
    assert isinstance(found, RunningExecutions)
    chosen = _chosen(s, found, str(params.get(PARAM) or ALL).strip())
    if isinstance(chosen, Refusal):
        return chosen
    listed = [(of, one) for of, one in found.listed if of in chosen]
    if not listed:
        return _none_runs(s, chosen)
    steps = tuple(
        _step(s, of, one, now, step_id(plan_id, number)) for number, (of, one) in enumerate(listed[:MOST], 1)
    )
    some = len(steps) < len(listed) or any(of.more for of in chosen)
    name = s.facts.name
    which = "" if len(chosen) == len(found.versions) else f"{chosen[0].label} of "
    what = f"{'the oldest ' if some else ''}{count(len(steps), 'running durable execution')}"
    whole = one_by_one(
        steps,
        title=f"Stop {what} of {which}{name}",
        lost=f"what {count(len(steps), 'execution')} had still to do; their callers get no result of it",
    )
    return replace(
        whole,
        in_flight="operations in progress are terminated",
        blast_radius=_counts(chosen, now),
        warnings=(*_warnings(s, some), *_before(s.stopped_before, now)),
        unknowns=(*found.gaps, *s.gaps),
        alternatives=_first(s),
    )


def _not_listed(s: FunctionSituation) -> Refusal | None:
    unfit = not_durable(s.facts)
    if unfit:
        return Refusal(NAME, s.ref, unfit)
    if isinstance(s.durable_executions, NotKnown):
        why = s.durable_executions
        return Refusal(
            NAME, s.ref, f"Which executions of {s.facts.name} run is {why.words}.", f"{why.remedy}."
        )
    return None


def not_durable(facts: FunctionFacts) -> str:
    """Return why there are no executions to stop, "" for a durable function."""
    return "" if facts.durable else f"{facts.name} is not a durable function, so it has no executions."


def _chosen(s: FunctionSituation, found: RunningExecutions, wanted: str) -> list[VersionExecutions] | Refusal:
    """Return the versions that a person means: all, one by its number, or the one that an alias points at."""
    if wanted.lower() == ALL:
        return list(found.versions)
    chosen = [of for of in found.versions if wanted == of.version or wanted in of.aliases]
    if len(chosen) == 1:
        return chosen
    known = ", ".join(of.label for of in found.versions) or "none"
    why = (
        f"{wanted} points at several versions" if chosen else f"No version or alias {wanted} was asked about"
    )
    return Refusal(NAME, s.ref, f"{why}.", f"Name a version, or {ALL}; asked about: {known}.")


def _none_runs(s: FunctionSituation, chosen: list[VersionExecutions]) -> Refusal:
    unknown = [of for of in chosen if isinstance(of.running, NotKnown)]
    unsaid = s.durable_executions.gaps if isinstance(s.durable_executions, RunningExecutions) else ()
    if unknown:
        why = unknown[0].running
        assert isinstance(why, NotKnown)
        reason = f"How many executions of {unknown[0].label} of {s.facts.name} run is {why.words}."
        return Refusal(NAME, s.ref, reason, f"{why.remedy}.")
    reason = f"No durable execution of {', '.join(of.label for of in chosen)} of {s.facts.name} runs now"
    return Refusal(NAME, s.ref, f"{'; '.join((reason, *unsaid))}.")


def _counts(chosen: list[VersionExecutions], now: float) -> tuple[str, ...]:
    """Return how many run of each version, and since when the oldest."""
    words = []
    for of in chosen:
        if isinstance(of.running, NotKnown):
            words.append(f"{of.label}: how many run is {of.words}")
            continue
        oldest = of.running[0].started if of.running else None
        age = "" if oldest is None else f", the oldest for {span(max(0.0, now - oldest))}"
        words.append(f"{of.label}: {of.words} running{age}")
    return tuple(words)


def _warnings(s: FunctionSituation, some: bool) -> tuple[str, ...]:
    words = ["what their steps have done outside Lambda stays done"]
    if some:
        words.append(f"more run than one plan stops ({MOST} at most): plan it again for the next ones")
    if s.reserved != 0:
        words.append("new executions begin all the same while somebody invokes the function")
    return tuple(words)


def _before(stopped: tuple[tuple[str, float], ...], now: float) -> tuple[str, ...]:
    """Return what the journal says was stopped from here before."""
    if not stopped:
        return ()
    last = span(max(0.0, now - max(at for _, at in stopped)))
    were = "was" if len(stopped) == 1 else "were"
    return (f"{count(len(stopped), 'execution')} of it {were} stopped from here before, the last {last} ago",)


def stopped_from_here(entries: Iterable[Entry], function: Key) -> Mapping[str, Any]:
    """Return the executions of a function that the journal says were stopped: their fields, and when."""
    stopped = tuple(
        (field, entry.outcome_at or entry.at)
        for entry in entries
        if entry.target == function and entry.mitigation == NAME and entry.outcome == "applied"
        if not entry.detail.startswith(ALREADY)
        for field in entry.after
    )
    return {"stopped_before": stopped}


def _first(s: FunctionSituation) -> tuple[Alternative, ...]:
    if s.reserved == 0:
        return ()
    why = "holds them instead: replays are refused and tried again, and no new execution runs meanwhile"
    return (Alternative("throttle_to_zero", s.ref, why),)


def _step(
    s: FunctionSituation, of: VersionExecutions, one: DurableExecution, now: float, plan_id: str
) -> Plan:
    call = stop(s, one.path)
    age = "" if one.started is None else f", running for {span(max(0.0, now - one.started))}"
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Stop {one.name} of {of.label}{age}",
        tier="T3",
        call=call,
        before={f"{FIELD}{one.path}": RUNNING},
        after={f"{FIELD}{one.path}": STOPPED},
        undo=None,
        way_back=WayBack(FINAL),
        lost="what it had still to do",
        in_flight="its operations in progress are terminated",
        takes_effect="within seconds",
        confirm=s.facts.name,
        command=stop_command(call),
        iam_actions=IAM,
        planned_at=now,
        unknowns=s.gaps,
    )


def stop(s: FunctionSituation, path: str) -> Call:
    """Return the call that stops one execution of a function."""
    version, _, rest = path.partition("/")
    arn = f"{function_arn(s.ref.key.scope, s.facts.name, s.ref.arn)}:{version}{PART}{rest}"
    return Call("lambda", OPERATION, {"DurableExecutionArn": arn})


def stop_command(call: Call) -> Words:
    """Return `stop` as an `aws` command."""
    return (
        "lambda",
        "stop-durable-execution",
        "--durable-execution-arn",
        str(call.params["DurableExecutionArn"]),
    )


SPECS = (
    MitigationSpec(
        name=NAME,
        order=95,
        kind="function",
        tier="T3",
        summary="stop running durable executions for good, all or those of one version",
        plan=plan_stop_durable,
        hotkey="Y",
        label="stop durable",
        does="stop its running durable executions (irreversible)",
        footer=33,
        params=(PARAM,),
        ask=Ask(
            "Stop the durable executions of which version of {target}?",
            f"{ALL}, a version, or an alias",
            PARAM,
        ),
        looks_at=(LOOKED_AT,),
        never_fits=not_durable,
        recalls=stopped_from_here,
        saves="some runs",
        calls=CALLS,
        iam_elevated=IAM,
        final=((OPERATION, "a stopped execution cannot be resumed"),),
    ),
)
