"""Every `aws` command that plans and their undos show, with the call it stands for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.worlds import NOW, function, mapping, queue

from lambdatop.domain.finding import Ref
from lambdatop.domain.journal import Entry
from lambdatop.domain.mitigations import REGISTRY, plan, plan_undo
from lambdatop.domain.plan import Call, Plan
from lambdatop.domain.scope import Key
from lambdatop.domain.situation import FunctionSituation, MappingSituation, QueueSituation, Situation
from lambdatop.domain.trigger import AsyncConfig

F, Q = Key(SCOPE, "function", "orders-worker"), Key(SCOPE, "queue", "orders")
M = Key(SCOPE, "mapping", "6f1c8a52-1f0e-4a55-9a39-0d5f3f1b7c01")
LOST = f"arn:aws:sqs:{REGION}:{ACCOUNT}:lost"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"


def _function(**changes: Any) -> FunctionSituation:
    facts = replace(function(), key=F, arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{F.id}")
    return replace(FunctionSituation(Ref(F, facts.arn, F.id), NOW, facts, None), **changes)


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
        "purge": ("purge_queue", QueueSituation(Ref(Q, full.arn, Q.id), NOW, full), {}),
    }


def shown() -> dict[str, tuple[str, Call]]:
    """Command and call of each plan, and of its undo where there is one; every planner occurs."""
    found: dict[str, tuple[str, Call]] = {}
    situations = _situations()
    assert {name for name, _, _ in situations.values()} == set(REGISTRY)
    for label, (name, situation, params) in situations.items():
        planned = plan(name, situation, params, NOW, "p")
        assert isinstance(planned, Plan), planned
        found[label] = planned.cli, planned.call
        if planned.undo is not None:
            back = plan_undo(_applied(planned), planned.after, NOW, "u")
            assert isinstance(back, Plan), back
            found[f"undo {label}"] = back.cli, back.call
            assert back.cli in planned.undo_note or name in ("disable_trigger", "enable_trigger"), label
    return found


def _applied(p: Plan) -> Entry:
    return Entry(
        p.id, NOW, p.mitigation, p.target.key, p.target.arn, "me", "h", 1, p.call, p.before, p.after, p.undo,
        None, p.digest(), "applied", NOW,
    )  # fmt: skip
