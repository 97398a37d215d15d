"""Every `aws` command that plans and their undos show, with the call it stands for."""

from __future__ import annotations

from typing import Any

from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.situations_of_callers import on_machine, on_pipe, on_schedule
from fakes.worlds import NOW, function, mapping, queue
from msgspec.structs import replace

from lambdatop.domain.facts.durable import DurableExecution, RunningExecutions, VersionExecutions
from lambdatop.domain.facts.function_state import Scaling
from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.facts.triggers import AsyncConfig
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.registry import REGISTRY, plan, plan_undo
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Call, Plan
from lambdatop.domain.plans.situation import (
    AliasSituation,
    FunctionSituation,
    MappingSituation,
    QueueSituation,
    RuleSituation,
    Situation,
    VersionFacts,
)

F, Q = Key(SCOPE, "function", "orders-worker"), Key(SCOPE, "queue", "orders")
D, A, R = (
    Key(SCOPE, "queue", "orders-dlq"),
    Key(SCOPE, "alias", "orders-worker:live"),
    Key(SCOPE, "rule", "x"),
)
M = Key(SCOPE, "mapping", "6f1c8a52-1f0e-4a55-9a39-0d5f3f1b7c01")
LOST = f"arn:aws:sqs:{REGION}:{ACCOUNT}:lost"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"


def _function(**changes: Any) -> FunctionSituation:
    facts = replace(function(), key=F, arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{F.id}")
    return replace(FunctionSituation(Ref(F, facts.arn, F.id), NOW, facts, None), **changes)


def _managed(*scalings: Scaling) -> FunctionSituation:
    made = _function(scalings=scalings)
    return replace(made, facts=replace(made.facts, managed_instances=True))


def _durable() -> FunctionSituation:
    one = DurableExecution("$LATEST/order-1/0f1e", "order-1", NOW - 60)
    found = RunningExecutions((VersionExecutions("$LATEST", (one,)),))
    made = _function(durable_executions=found)
    return replace(made, facts=replace(made.facts, durable=True))


def _mapping(**fields: Any) -> MappingSituation:
    return MappingSituation(Ref(M, M.id, "orders → orders-worker"), NOW, mapping(key=M, **fields))


def _situations() -> dict[str, tuple[str, Situation, dict[str, Any]]]:
    stream = {
        "source_kind": "kinesis",
        "source_arn": STREAM,
        "max_retry_attempts": -1,
        "bisect_on_error": False,
    }
    full = queue(Q, visible=3)
    return {
        "zero": ("throttle_to_zero", _function(), {}),
        "zero from 7": ("throttle_to_zero", _function(reserved=7), {}),
        "managed instances": (
            "throttle_to_zero",
            _managed(Scaling("3", 5, 40, "Active"), Scaling("$LATEST.PUBLISHED", None, None, "Active")),
            {},
        ),
        "cap managed instances": (
            "cap_concurrency",
            _managed(Scaling("3", None, None, "Active")),
            {"reserved": 3},
        ),
        "cap": ("cap_concurrency", _function(reserved=9), {"reserved": 3}),
        "restore": ("restore_concurrency", _function(reserved=0), {"reserved": "none"}),
        "disable": ("disable_trigger", _mapping(), {}),
        "enable": ("enable_trigger", _mapping(state="Disabled"), {}),
        "tune queue": (
            "tune_trigger",
            _mapping(max_concurrency=None),
            {"max_concurrency": 2, "batch_size": 4},
        ),
        "tune stream": (
            "tune_trigger",
            _mapping(**stream),
            {"max_retry_attempts": 2, "bisect_on_error": "yes"},
        ),
        "window": ("tune_trigger", _mapping(), {"batch_size": 100, "batching_window_s": 5}),
        "retries": ("stop_async_retries", _function(async_config=AsyncConfig()), {}),
        "retries with ends": (
            "stop_async_retries",
            _function(async_config=AsyncConfig(1, 90, LOST, LOST)),
            {},
        ),
        "restore async": ("restore_async", _function(async_config=AsyncConfig(0, 60, LOST)), {"retries": 2}),
        "recursion": ("stop_recursion", _function(recursive_loop="Allow"), {}),
        "durable": ("stop_durable", _durable(), {}),
        "purge": ("purge_queue", QueueSituation(Ref(Q, full.arn, Q.id), NOW, full), {}),
        "destination": ("tune_trigger", _mapping(**stream), {"on_failure": LOST}),
        "stop in order": (
            "throttle_to_zero",
            _function(mappings=(mapping(key=M), mapping(key=M._replace(id=M.id.replace("6f", "7f"))))),
            {"triggers": "first"},
        ),
        "stop in order, provisioned": (
            "throttle_to_zero",
            _function(provisioned=(("live", 4),)),
            {"provisioned": "remove"},
        ),
        "skip": ("tune_trigger", _mapping(**stream), {"skip_poison": "yes", "on_failure": LOST}),
        **_queues_and_others(),
    }


def _queues_and_others() -> dict[str, tuple[str, Situation, dict[str, Any]]]:
    letters = replace(queue(D, visible=3), arn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{D.id}")
    s = QueueSituation(Ref(D, letters.arn, D.id), NOW, letters, (), (Q.id,))
    running = replace(s, move_task=MoveTask(5, "RUNNING", "handle-5"))
    versions = tuple(VersionFacts(v, "sha", NOW, "Active") for v in ("1", "2"))
    live = AliasSituation(Ref(A, "arn", A.id), NOW, F, "live", "2", (("1", 0.1),), "rev-1", versions)
    rule = RuleSituation(Ref(R, "arn", R.id), NOW, "nightly", "default", "ENABLED")
    return {
        "redrive": ("redrive_dlq", s, {"rate": 20}),
        "stop redrive": ("redrive_dlq", running, {"cancel": "yes"}),
        "aside": ("quarantine_queue", s, {"to": LOST}),
        "drain": ("quarantine_queue", s, {"to": "file"}),
        "alias": ("rollback_alias", live, {"version": "1"}),
        "rule off": ("disable_rule", rule, {}),
        "rule on": ("enable_rule", replace(rule, state="DISABLED"), {}),
        "schedule off": ("disable_schedule", on_schedule(), {}),
        "pipe off": ("stop_pipe", on_pipe(), {}),
        "pipe on": ("start_pipe", on_pipe(state="STOPPED"), {}),
        "executions": ("stop_executions", on_machine(2), {}),
    }


def plans() -> dict[str, Plan]:
    """Return a plan or more of every planner."""
    found: dict[str, Plan] = {}
    situations = _situations()
    assert {name for name, _, _ in situations.values()} == set(REGISTRY)
    for label, (name, situation, params) in situations.items():
        planned = plan(name, situation, params, NOW, "p")
        assert isinstance(planned, Plan), planned
        found[label] = planned
    return found


def shown() -> dict[str, tuple[str, Call]]:
    """Return command and call of each plan, and of its undo where there is one; every planner occurs."""
    found: dict[str, tuple[str, Call]] = {}
    for label, planned in plans().items():
        for number, step in enumerate(planned.steps, 1):
            found |= _one(f"{label} step {number}", step)
        if not planned.steps:
            found |= _one(label, planned)
    return found


def _one(label: str, p: Plan) -> dict[str, tuple[str, Call]]:
    """Return a plan's command and call, and those of its undo; a schedule is switched by no command."""
    if not p.cli:
        return {}
    if p.call.service == "lambdatop":
        asked = {"QueueUrl": p.call.params["QueueUrl"], "MaxNumberOfMessages": 10}
        return {label: (p.cli, Call("sqs", "ReceiveMessage", asked))}
    found = {label: (p.cli, p.call)}
    if p.undo is not None:
        after = p.after if "move_task" not in p.after else {"move_task": MoveTask(9, "RUNNING", "h").control}
        back = plan_undo(_applied(p), after, NOW, "u")
        assert isinstance(back, Plan), back
        found[f"undo {label}"] = back.cli, back.call
        told = p.mitigation in ("disable_trigger", "enable_trigger") or "move_task" in p.after
        assert back.cli in p.undo_note or told, label
    return found


def _applied(p: Plan) -> Entry:
    return Entry(
        p.id, NOW, p.mitigation, p.target.key, p.target.arn, "me", "h", 1, p.call, p.before, p.after, p.undo,
        None, p.digest(), "applied", NOW,
    )  # fmt: skip
