"""Two consoles on one journal and somebody outside, over every kind of control state, in any order."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes.aws_doubles import SCOPE
from fakes.clock import FakeClock
from fakes.situations import untried
from fakes.wire_world import ALIAS, FED, FUNCTION, RULE, STREAMED, WireWorld
from fakes.wire_world_callers import PIPE, SCHEDULE, arrived, callers
from fakes.wire_world_changes import apply
from fakes.wire_world_flow import ACTOR
from fakes.wire_world_memory import MemoryApi, MemoryMutator, peek
from fakes.wire_world_rows import Row
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdatop.aws.facts.schedule_copy import copied
from lambdatop.aws.targets.reader import AwsReader
from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.registry import REGISTRY, kind_of
from lambdatop.domain.mitigations.undo import in_transition
from lambdatop.domain.plans.plan import Plan, shows
from lambdatop.engine.mutating.executor import Executor
from lambdatop.storage.journal_file import JournalFile

DONE: list[Row] = [
    *(Row("cap_concurrency", FUNCTION, {"reserved": n}) for n in (1, 7, 50)),
    *(Row("restore_concurrency", FUNCTION, {"reserved": n}) for n in ("none", 7)),
    Row("throttle_to_zero", FUNCTION),
    *(Row(name, uuid) for name in ("disable_trigger", "enable_trigger") for uuid in (FED, STREAMED)),
    *(Row("tune_trigger", FED, {"max_concurrency": n}) for n in ("none", 2)),
    *(Row("tune_trigger", uuid, {"batch_size": 1}) for uuid in (FED, STREAMED)),
    Row("tune_trigger", STREAMED, {"max_retry_attempts": 2, "bisect_on_error": True}),
    Row("stop_async_retries", FUNCTION),
    *(Row("restore_async", FUNCTION, {"retries": n}) for n in ("none", 0, 1)),
    Row("stop_recursion", FUNCTION),
    *(Row("rollback_alias", f"{FUNCTION}:{ALIAS}", {"version": n}) for n in ("1", "2")),
    *(Row(name, RULE) for name in ("disable_rule", "enable_rule")),
    Row("disable_schedule", SCHEDULE),
    *(Row(name, PIPE) for name in ("stop_pipe", "start_pipe")),
]
FINAL = {name for name, spec in REGISTRY.items() if spec.final}
"""Mitigations of which a call cannot be taken back, so that no undo of them can overwrite anything."""


def _alias(version: str, weights: Mapping[str, float]) -> tuple[str, str, dict[str, Any]]:
    params = {"FunctionName": FUNCTION, "Name": ALIAS, "FunctionVersion": version}
    return "lambda", "UpdateAlias", {**params, "RoutingConfig": {"AdditionalVersionWeights": dict(weights)}}


def _lambda(operation: str, **params: Any) -> tuple[str, str, dict[str, Any]]:
    return "lambda", operation, params


def _schedule(state: str, minutes: int) -> dict[str, Any]:
    """Return the parameters by which somebody changes more of the schedule than its state."""
    there = copied(callers(function_arn(SCOPE, FUNCTION))["schedules"][SCHEDULE])
    return {**there, "State": state, "ScheduleExpression": f"rate({minutes} minutes)"}


OUTSIDE = [
    *(
        _lambda("PutFunctionConcurrency", FunctionName=FUNCTION, ReservedConcurrentExecutions=n)
        for n in (0, 7)
    ),
    _lambda("DeleteFunctionConcurrency", FunctionName=FUNCTION),
    *(
        _lambda("UpdateEventSourceMapping", UUID=u, Enabled=on)
        for u in (FED, STREAMED)
        for on in (True, False)
    ),
    _lambda("UpdateEventSourceMapping", UUID=FED, ScalingConfig={"MaximumConcurrency": 5}),
    _lambda("UpdateEventSourceMapping", UUID=FED, BatchSize=1),
    _lambda("UpdateEventSourceMapping", UUID=STREAMED, MaximumRetryAttempts=2),
    _lambda("PutFunctionEventInvokeConfig", FunctionName=FUNCTION, MaximumRetryAttempts=1),
    _lambda("DeleteFunctionEventInvokeConfig", FunctionName=FUNCTION),
    *(
        _lambda("PutFunctionRecursionConfig", FunctionName=FUNCTION, RecursiveLoop=v)
        for v in ("Allow", "Terminate")
    ),
    _alias("3", {}),
    _alias("2", {"1": 0.5}),
    *(
        ("events", f"{verb}Rule", {"Name": "nightly", "EventBusName": "default"})
        for verb in ("Enable", "Disable")
    ),
    *(("pipes", f"{verb}Pipe", {"Name": PIPE}) for verb in ("Stop", "Start")),
    *(("scheduler", "UpdateSchedule", _schedule(state, 7)) for state in ("ENABLED", "DISABLED")),
]


def _concerns(target: str, call: tuple[str, str, dict[str, Any]]) -> bool:
    """Return whether somebody outside changes this very target."""
    params = call[2]
    alias = f"{params.get('FunctionName')}:{params['Name']}" if call[1] == "UpdateAlias" else ""
    named = {"pipes": params.get("Name"), "scheduler": SCHEDULE}.get(call[0])
    name = alias or params.get("UUID") or params.get("FunctionName") or named or f"default/{params['Name']}"
    return bool(name == target)


def _about(target: str) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Return steps that all concern one target, so that they meet; now and then one about any other."""
    mine, theirs = [r for r in DONE if r.target == target], [c for c in OUTSIDE if _concerns(target, c)]
    who = st.integers(0, 1)
    plan = st.tuples(st.just("plan"), who, st.sampled_from(mine))
    undo = st.tuples(st.just("undo"), who, st.integers(0, 2))
    between = st.one_of(st.none(), st.none(), st.sampled_from(theirs))
    execute = st.tuples(st.just("execute"), who, between)
    outside = st.tuples(st.just("outside"), st.sampled_from(theirs))
    elsewhere = st.tuples(st.just("plan"), who, st.sampled_from(DONE))
    passes = st.just(("time passes",))
    step = st.one_of(plan, execute, undo, execute, plan, execute, outside, passes, elsewhere)
    return st.lists(step, min_size=12, max_size=24)


STEPS = st.sampled_from(sorted({r.target for r in DONE})).flatmap(_about)


@dataclass
class Seat:
    """One console and the plan on its screen."""

    executor: Executor
    journal: JournalFile
    clock: FakeClock
    plan: Plan | None = None


def _seat(world: WireWorld, directory: Path) -> Seat:
    clock, journal = FakeClock(auto=True), JournalFile(directory)
    reader = AwsReader(MemoryApi(world, clock), SCOPE)
    mutator = MemoryMutator(world)
    executor = Executor(clock, journal, reader, mutator, ACTOR, "operator", lambda events: None, scope=SCOPE)
    return Seat(executor, journal, clock)


def test_every_mitigation_with_an_undo_is_tried() -> None:
    tried = {row.mitigation for row in DONE} | FINAL
    assert untried(tried, "DONE of `tests/faults/test_interleavings_of_everything.py`") == ""


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_nobodys_change_is_overwritten_unseen(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    asyncio.run(_play(tmp_path_factory.mktemp("interleave"), steps))


async def _play(directory: Path, steps: list[tuple[Any, ...]]) -> None:
    world = WireWorld()
    seats = [_seat(world, directory / "j") for _ in range(2)]
    world.witness.file = seats[0].journal.path
    for step in steps:
        if step[0] == "outside":
            apply(world.state, *step[1])
        elif step[0] == "time passes":
            _arrive(world)
        elif step[0] == "execute":
            if step[2] is not None:
                apply(world.state, *step[2])
            seat = next((s for s in (seats[step[1]], *seats) if s.plan is not None), None)
            if seat is not None and seat.plan is not None:
                plan, seat.plan = seat.plan, None
                await _execute(seat, world, plan)
        else:
            seats[step[1]].plan = await _propose(seats[step[1]], step)


def _arrive(world: WireWorld) -> None:
    for uuid, change in world.state["changing"].items():
        world.state["mappings"][uuid]["State"] = change["to"]
    world.state["changing"].clear()
    arrived(world.state)


async def _propose(seat: Seat, step: tuple[Any, ...]) -> Plan | None:
    if step[0] == "undo":
        entries = seat.journal.read()
        if not entries:
            return None
        proposal = await seat.executor.proposals.propose_undo(entries[-1 - step[2] % len(entries)].id)
    else:
        row: Row = step[2]
        try:
            target = Key(SCOPE, kind_of(row.mitigation), row.target)
            proposal = await seat.executor.proposals.propose(row.mitigation, target, row.params)
        except UsageError:
            return None
    return proposal if isinstance(proposal, Plan) else None


async def _execute(seat: Seat, world: WireWorld, plan: Plan) -> None:
    key, sent, was = plan.target.key, len(world.requests), world.settings()
    there = await peek(world, key, plan.before)
    result = await seat.executor.execute(plan, seat.clock.now())
    if not shows(there, plan.before):
        # A trigger that changes may arrive between our look and the console's; then it is as it was shown.
        if result.kind != "applied":
            assert result.kind == "drift", result
            assert (world.settings(), len(world.requests)) == (was, sent), "the other's change stands"
            return
        assert shows(plan.before, result.entry.before if result.entry else {})
        assert in_transition(there)
    new = world.requests[sent:]
    if result.kind == "refused":
        assert not any(r.applied for r in new)
        assert world.settings() == was
        return
    assert (result.kind, [r.applied for r in new], [r.intent for r in new]) == ("applied", [True], [plan.id])
    _only_this_changed(was, world.settings(), plan)
    if plan.undoes is not None:
        await _is_back(seat, world, plan)


async def _is_back(seat: Seat, world: WireWorld, plan: Plan) -> None:
    """Check that after an undo each field that the undone entry had changed is what it was."""
    _arrive(world)
    undone = next(e for e in seat.journal.read() if e.id == plan.undoes)
    assert undone.outcome == "undone"
    wanted = {name: undone.before[name] for name in undone.after}
    assert dict(await peek(world, plan.target.key, wanted)) == wanted


PLACES: Mapping[str, Callable[[dict[str, Any], str], tuple[dict[str, Any], str]]] = {
    "reserved_concurrency": lambda s, id_: (s["function"], "reserved"),
    "async_config": lambda s, id_: (s["function"], "event_invoke"),
    "recursive_loop": lambda s, id_: (s["function"], "recursion"),
    "state": lambda s, id_: (s["mappings"][id_], "State"),
    "batch_size": lambda s, id_: (s["mappings"][id_], "BatchSize"),
    "max_concurrency": lambda s, id_: (s["mappings"][id_], "ScalingConfig"),
    "max_retry_attempts": lambda s, id_: (s["mappings"][id_], "MaximumRetryAttempts"),
    "bisect_on_error": lambda s, id_: (s["mappings"][id_], "BisectBatchOnFunctionError"),
    "version": lambda s, id_: (s["aliases"][id_.split(":")[1]], "FunctionVersion"),
    "weights": lambda s, id_: (s["aliases"][id_.split(":")[1]], "RoutingConfig"),
    "rule_state": lambda s, id_: (s["rules"][id_], "State"),
    "schedule_state": lambda s, id_: (s["schedules"][id_], "State"),
    "pipe_state": lambda s, id_: (s["pipes"][id_], "CurrentState"),
}
"""Where the account keeps each control field."""


def _only_this_changed(was: dict[str, Any], now: dict[str, Any], plan: Plan) -> None:
    """Check that everything that the plan does not name is as it was."""
    was, now = copy.deepcopy(was), copy.deepcopy(now)
    for name in plan.after:
        for state in (was, now):
            holder, place = PLACES[name](state, plan.target.key.id)
            holder.pop(place, None)
    assert now == was
