"""Durable executions of the emulator: replayed until they end, listed, read and stopped by the real plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from demo.clients import Aws, wait_for
from demo.mitigation_flow import open_flow

from lambdatop.demo.process.launch import start

pytestmark = pytest.mark.wire

NAME = "saga"
TIMES = 120
"""So many times faster pass minutes here: the first replay comes after an eighth of a second."""
CODE = """
import json
def handler(event, context):
    operations = event["InitialExecutionState"]["Operations"]
    order = json.loads(operations[0]["ExecutionDetails"]["InputPayload"])
    print("run " + order["run"])
    if order["fails"]:
        raise RuntimeError("no")
    return order
"""


@pytest.fixture(scope="module")
def quick() -> Iterator[Aws]:
    with start(deploy=False, compression=TIMES) as demo:
        aws = Aws(demo)
        yield aws
        aws.close()


@pytest.fixture(autouse=True)
def clean(quick: Aws) -> None:
    quick.demo.reset()


def saga(aws: Aws, timeout_s: int = 86_400) -> None:
    config = {"ExecutionTimeout": timeout_s, "RetentionPeriodInDays": 1}
    aws.function(NAME, CODE, DurableConfig=config, Publish=True)


def begin(aws: Aws, run: str, *, fails: bool = True) -> None:
    aws.invoke(f"{NAME}:1", {"run": run, "fails": fails}, "Event")


def listed(aws: Aws, status: str) -> list[str]:
    found = aws.functions.list_durable_executions_by_function(
        FunctionName=NAME, Qualifier="1", Statuses=[status]
    )
    return [e["DurableExecutionArn"] for e in found["DurableExecutions"]]


def runs(aws: Aws) -> Counter[str]:
    if not aws.counted(NAME)["finished"]:
        return Counter()
    lines = [event["message"] for event in aws.log(f"/aws/lambda/{NAME}")]
    return Counter(line.removeprefix("run ") for line in lines if line.startswith("run "))


def metric(aws: Aws, name: str) -> float:
    return aws.total(f"DurableExecution{name}", NAME)


def test_an_execution_that_succeeds_runs_once(quick: Aws) -> None:
    saga(quick)
    begin(quick, "one", fails=False)
    (arn,) = wait_for(lambda: listed(quick, "SUCCEEDED"))
    assert ":function:saga:1/durable-execution/" in arn
    wait_for(lambda: metric(quick, "Succeeded") == metric(quick, "Started") == 1)
    assert runs(quick) == {"one": 1}


def test_one_that_fails_is_replayed_and_has_a_history(quick: Aws) -> None:
    saga(quick)
    begin(quick, "one")
    wait_for(lambda: runs(quick)["one"] >= 3)
    (arn,) = listed(quick, "RUNNING")
    events: list[dict[str, Any]] = wait_for(
        lambda: [
            e
            for e in quick.functions.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
            if e["EventType"] == "InvocationCompleted"
        ]
    )
    told = {"ErrorType": "RuntimeError", "ErrorMessage": "no"}
    assert events[0]["InvocationCompletedDetails"]["Error"]["Payload"] == told
    assert metric(quick, "Failed") == 0
    running = "ApproximateRunningDurableExecutions"
    wait_for(lambda: 1.0 in quick.metric("AWS/Lambda", running, "Maximum"))


def test_the_execution_timeout_ends_it(quick: Aws) -> None:
    saga(quick, timeout_s=60)
    begin(quick, "one")
    wait_for(lambda: listed(quick, "TIMED_OUT"))
    wait_for(lambda: metric(quick, "TimedOut") == 1)


async def test_stop_durable_stops_what_runs_and_nothing_is_replayed(quick: Aws, tmp_path: Path) -> None:
    saga(quick)
    for run in ("one", "other"):
        begin(quick, run)
    wait_for(lambda: min(runs(quick)[run] for run in ("one", "other")) >= 2)
    async with open_flow(quick, tmp_path) as way:
        done = await way.carry_out("stop_durable", NAME)
        assert done.kind == "applied", done.message
        assert "2 of 2 done" in done.message
        assert [e.outcome for e in way.journal.read()] == ["applied", "applied"]
    assert len(listed(quick, "STOPPED")) == 2
    wait_for(lambda: metric(quick, "Stopped") == 2)  # counted when a replay was due and did not come
    before = runs(quick)
    begin(quick, "later")
    wait_for(lambda: runs(quick)["later"] >= 4)
    assert runs(quick) - Counter(later=99) == before
