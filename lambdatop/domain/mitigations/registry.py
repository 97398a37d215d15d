"""The registry of planners: one pure file per mitigation, and the way back.

A planner turns a fresh Situation into a Plan that states everything, or a Refusal that says why not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from lambdatop.domain.errors import UsageError
from lambdatop.domain.frozen import dataclass
from lambdatop.domain.keys import Kind
from lambdatop.domain.mitigations import (
    alias,
    async_retries,
    cap,
    drain,
    purge,
    quarantine,
    recursion,
    redrive,
    restore,
    rules,
    skip,
    throttle,
    triggers,
    tune,
)
from lambdatop.domain.mitigations.encryption import KMS
from lambdatop.domain.mitigations.undo import plan_undo, reads_besides
from lambdatop.domain.plans.plan import Proposal, Tier
from lambdatop.domain.plans.situation import Situation

__all__ = [
    "REGISTRY",
    "Ask",
    "Planner",
    "calls",
    "iam_actions",
    "kind_of",
    "looks_at",
    "names_queue",
    "plan",
    "plan_undo",
    "planner",
    "reads_besides",
]

PlanFunction = Callable[[Any, Mapping[str, Any], float, str], Proposal]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a console asks before it can plan: a question with `{target}`, and what an answer looks like.

    With `param` the answer is that setting's value, else it is `K=V`, several apart by blanks.
    """

    question: str
    placeholder: str
    param: str = ""


@dataclass(frozen=True, slots=True)
class Planner:
    """One mitigation: what it acts on, its tier, and the pure function that plans it.

    `params` names the settings that `--set` accepts; `ask` is there when it needs one of them. `looks_at`
    are control fields that no other plan needs, read for this one only: the others must not wait for them.
    `queues` are settings that may name a queue; the planner gets its ARN.

    `calls` are all that its plans and their undos send, as (service, operation); nothing else is sent.
    `iam` are the actions that these need and the operator policy allows, `iam_elevated` those that only
    the elevated one allows (they delete messages), `iam_encrypted` what a queue with a key of KMS adds.
    """

    name: str
    kind: Kind
    tier: Tier
    summary: str
    plan: PlanFunction
    params: tuple[str, ...] = ()
    ask: Ask | None = None
    looks_at: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    iam: tuple[str, ...] = ()
    iam_elevated: tuple[str, ...] = ()
    iam_encrypted: tuple[str, ...] = ()

    @property
    def policy(self) -> str:
        """The policy that its plainest plan needs, as `lambdatop policy` names it."""
        return "operator" if self.iam else "operator-elevated"


REGISTRY: Mapping[str, Planner] = {
    p.name: p
    for p in (
        Planner(
            "throttle_to_zero",
            "function",
            "T2",
            "set reserved concurrency to 0: no new invocation starts",
            throttle.plan_throttle_to_zero,
            (throttle.TRIGGERS,),
            calls=(*throttle.CALLS, *triggers.CALLS),
            iam=throttle.IAM,
        ),
        Planner(
            "cap_concurrency",
            "function",
            "T1",
            "let the function run at most so many executions at once",
            cap.plan_cap_concurrency,
            ("reserved",),
            Ask("Cap {target} at how many executions at once?", "a number from 1", "reserved"),
            calls=throttle.CALLS,
            iam=throttle.IAM,
        ),
        Planner(
            "restore_concurrency",
            "function",
            "T1",
            "set reserved concurrency to a former value, or to none",
            restore.plan_restore_concurrency,
            ("reserved",),
            calls=throttle.CALLS,
            iam=throttle.IAM,
        ),
        Planner(
            "disable_trigger",
            "mapping",
            "T1",
            "switch an event source mapping off: events wait in their source",
            triggers.plan_disable_trigger,
            calls=triggers.CALLS,
            iam=triggers.IAM,
        ),
        Planner(
            "enable_trigger",
            "mapping",
            "T1",
            "switch an event source mapping on again",
            triggers.plan_enable_trigger,
            calls=triggers.CALLS,
            iam=triggers.IAM,
        ),
        Planner(
            "tune_trigger",
            "mapping",
            "T1",
            "change batch size, concurrency, retries … of an event source mapping; skip a poison pill",
            skip.plan_tune_or_skip,
            (*tune.KNOBS, skip.SETTING),
            Ask("Set what of {target}?", "max_concurrency=2, or batch_size=1 …"),
            calls=triggers.CALLS,
            iam=triggers.IAM,
        ),
        Planner(
            "stop_async_retries",
            "function",
            "T2",
            "retry no asynchronous event, and give up those older than 60 s",
            async_retries.plan_stop_async_retries,
            calls=async_retries.CALLS,
            iam=async_retries.IAM,
        ),
        Planner(
            "restore_async",
            "function",
            "T2",
            "set retries and age of asynchronous events, destinations kept",
            async_retries.plan_restore_async,
            ("retries", "max_age"),
            Ask("Asynchronous retries of {target}?", "retries=2, or max_age=21600 …"),
            calls=async_retries.CALLS,
            iam=async_retries.IAM,
        ),
        Planner(
            "stop_recursion",
            "function",
            "T2",
            "let Lambda stop recursive loops of the function",
            recursion.plan_stop_recursion,
            looks_at=(recursion.FIELD,),
            calls=recursion.CALLS,
            iam=recursion.IAM,
        ),
        Planner(
            "purge_queue",
            "queue",
            "T3",
            "delete every message of a queue for good",
            purge.plan_purge_queue,
            calls=purge.CALLS,
            iam_elevated=purge.IAM,
        ),
        Planner(
            "quarantine_queue",
            "queue",
            "T2",
            "hold a queue, then move its messages aside or drain them to a file",
            quarantine.plan_quarantine_queue,
            (quarantine.TO,),
            Ask("Where to with the messages of {target}?", "nowhere, file, or a queue", quarantine.TO),
            queues=(quarantine.TO,),
            calls=(*triggers.CALLS, *redrive.CALLS),
            iam=(*triggers.IAM, *redrive.IAM),
            iam_elevated=drain.IAM,
            iam_encrypted=KMS,
        ),
        Planner(
            "redrive_dlq",
            "queue",
            "T2",
            "move the messages of a dead-letter queue back to where they came from",
            redrive.plan_redrive_dlq,
            ("rate", "cancel"),
            calls=redrive.CALLS,
            iam=redrive.IAM,
            iam_encrypted=KMS,
        ),
        Planner(
            "rollback_alias",
            "alias",
            "T1",
            "point an alias at one version alone",
            alias.plan_rollback_alias,
            (alias.VERSION,),
            calls=alias.CALLS,
            iam=alias.IAM,
        ),
        Planner(
            "disable_rule",
            "rule",
            "T2",
            "switch an EventBridge rule off",
            rules.plan_disable_rule,
            calls=rules.CALLS,
            iam=rules.IAM,
        ),
        Planner(
            "enable_rule",
            "rule",
            "T1",
            "switch an EventBridge rule on again",
            rules.plan_enable_rule,
            calls=rules.CALLS,
            iam=rules.IAM,
        ),
    )
}


def planner(name: str) -> Planner:
    """The planner of a name; raises UsageError for an unknown one."""
    if name in REGISTRY:
        return REGISTRY[name]
    near = get_close_matches(name, REGISTRY)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"There is no mitigation called {name!r}.{hint} Known: {', '.join(REGISTRY)}.")


def kind_of(name: str) -> Kind:
    """What a mitigation acts on: function, mapping, queue, alias or rule."""
    return planner(name).kind


def iam_actions() -> tuple[str, ...]:
    """Every IAM action that some mitigation needs, in the registry's order."""
    found = (a for p in REGISTRY.values() for a in (*p.iam, *p.iam_elevated, *p.iam_encrypted))
    return tuple(dict.fromkeys(found))


def calls() -> frozenset[tuple[str, str]]:
    """Every call that some mitigation or its undo sends, as (service, operation)."""
    return frozenset(call for p in REGISTRY.values() for call in p.calls)


def looks_at(name: str) -> tuple[str, ...]:
    """Control fields that have to be read besides the situation."""
    return planner(name).looks_at


def names_queue(name: str, param: str, value: object) -> bool:
    """Whether this setting's value names a queue that has to be looked up."""
    words = (quarantine.NOWHERE, quarantine.FILE)
    return param in planner(name).queues and str(value).strip().lower() not in words


def plan(name: str, situation: Situation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan a mitigation; raises UsageError for settings that it does not know."""
    chosen = planner(name)
    for key in params:
        if key not in chosen.params:
            known = f"it takes {', '.join(chosen.params)}" if chosen.params else "it takes none"
            raise UsageError(f"{name} has no setting {key!r}; {known}.")
    return chosen.plan(situation, params, now, plan_id)
