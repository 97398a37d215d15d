from __future__ import annotations

import json
import random
from importlib.resources import files
from typing import Any

import pytest
from demo.clients import Aws, wait_for

from lambdatop.demo.patches.control_plane import unreserved_floor
from lambdatop.demo.process.launch import start
from lambdatop.demo.scenarios import SCENARIOS, Scenario

pytestmark = pytest.mark.wire


def test_the_registry_tells_its_stories() -> None:
    assert {"poison-queue", "calm"} <= set(SCENARIOS)
    for name, scenario in SCENARIOS.items():
        assert scenario.name == name
        assert scenario.title
        assert scenario.story
        assert scenario.look_for
    assert any("receive counts burn" in notice for notice in SCENARIOS["poison-queue"].notices_at(12))


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_the_fleet_is_one_that_aws_would_accept(scenario: Scenario) -> None:
    visibility = {queue.name: queue.visibility_s for queue in scenario.queues}
    functions = {function.name: function for function in scenario.functions}
    assert len(functions) == len(scenario.functions) >= 13
    assert len({function.memory_mb for function in scenario.functions}) >= 4
    for mapping in scenario.mappings:
        assert mapping.function in functions
        if mapping.kind == "sqs":
            assert functions[mapping.function].timeout_s <= visibility[mapping.source]
        else:
            assert mapping.source in {*scenario.streams, *scenario.tables}
    assert {q.dead_letter for q in scenario.queues if q.dead_letter} <= set(visibility)
    assert {f.on_failure for f in scenario.functions if f.on_failure} <= set(visibility)
    reserved = sum(f.reserved or 0 for f in scenario.functions)
    limit = scenario.account_concurrency
    assert limit - reserved >= unreserved_floor(limit)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_function_has_code_and_every_event_a_target(scenario: Scenario) -> None:
    modules = {f.name.removesuffix(".py") for f in files("lambdatop.demo.functions").iterdir()}
    assert {f.name.replace("-", "_") for f in scenario.functions} <= modules
    targets = {f.name for f in scenario.functions} | {q.name for q in scenario.queues}
    targets |= {m.name for m in scenario.machines}
    invoked = {s.function for s in scenario.schedules} | {m.function for m in scenario.machines}
    assert invoked | {name for p in scenario.pipes for name in (p.function, p.queue)} <= targets
    assert {flow.target.partition(":")[0] for flow in scenario.flows} <= targets | {
        *scenario.streams,
        *scenario.tables,
    }
    for flow in scenario.flows:
        twice = [[flow.payload(n, random.Random(7)) for n in range(1, 4)] for _ in range(2)]
        assert twice[0] == twice[1]
        json.dumps(twice)
    assert {step.target for step in scenario.steps} <= targets


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(ValueError, match=r"known are poison-queue, .*calm"):
        start("nonsense")


def _shown(aws: Aws) -> dict[str, Any]:
    """Return what the scenario shows so far, by AWS's APIs only."""
    functions = [f.name for f in SCENARIOS["poison-queue"].functions]
    dead = aws.metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName="orders-dlq")
    groups = aws.logs.describe_log_groups()["logGroups"]
    return {
        "metrics": sum(bool(aws.metric("AWS/Lambda", "Invocations", FunctionName=f)) for f in functions)
        >= 11,
        "logs": len(groups) >= 11,
        "dead letters grow": len(set(dead)) > 1,
        "in flight": max(
            aws.metric("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "Maximum", QueueName="orders"),
            default=0,
        )
        > 0,
    }


def test_poison_shows_all_that_it_is_for() -> None:
    with start("poison-queue") as demo:
        aws = Aws(demo)
        wait_for(lambda: all(_shown(aws).values()))
        wait_for(lambda: demo.ledger()["queues"]["orders"]["deleted"] >= 20)
        ledger = demo.ledger()
        received = sum(aws.metric("AWS/SQS", "NumberOfMessagesReceived", QueueName="orders"))
        deleted = sum(aws.metric("AWS/SQS", "NumberOfMessagesDeleted", QueueName="orders"))
        aws.close()
    counted = ledger["functions"]
    assert {name for name, counts in counted.items() if counts["errors"]} == {"orders-worker"}
    assert max(counted, key=lambda name: counted[name]["errors"]) == "orders-worker"
    assert abs(received - ledger["queues"]["orders"]["received"]) <= 6
    assert received / deleted >= 1.5
    assert all(counts["throttles"] == 0 for counts in counted.values())


def test_calm_is_calm() -> None:
    with start("calm") as demo:
        wait_for(lambda: demo.ledger()["queues"].get("orders", {}).get("deleted", 0) >= 8)
        ledger = demo.ledger()
    assert all(counts["errors"] == counts["throttles"] == 0 for counts in ledger["functions"].values())
    assert ledger["queues"]["orders-dlq"]["arrived_by_redrive"] == 0
