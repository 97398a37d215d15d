"""Schedules, pipes and state machines on the real mitigation flow and the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from demo.clients import Aws, wait_for
from demo.mitigation_flow import MitigationFlow

from lambdatop.domain.plans.plan import Refusal

pytestmark = pytest.mark.wire

NAME, ROLE = "worker", "arn:aws:iam::123456789012:role/test"
FINE = "def handler(event, context):\n    return 1\n"
SECRET = "hunter2-token"
WAITS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 900, "Next": "Call"}}}


def arn(aws: Aws) -> str:
    return f"arn:aws:lambda:{aws.demo.region}:{aws.demo.account}:function:{NAME}"


def schedule(aws: Aws) -> dict[str, Any]:
    found: dict[str, Any] = aws.scheduler.get_schedule(GroupName="default", Name="nightly")
    return {k: v for k, v in found.items() if k not in ("ResponseMetadata", "LastModificationDate")}


async def test_a_schedule_is_switched_off_and_given_back_member_by_member(
    aws: Aws, mitigation_flow: MitigationFlow
) -> None:
    aws.function(NAME, FINE)
    target = {"Arn": arn(aws), "RoleArn": ROLE, "Input": json.dumps({"token": SECRET})}
    aws.scheduler.create_schedule(
        Name="nightly",
        ScheduleExpression="cron(0 3 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
        Target=target | {"RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}},
        ActionAfterCompletion="NONE",
        Description="starts the worker",
    )
    before = schedule(aws)
    done = await mitigation_flow.carry_out("disable_schedule", NAME)
    assert done.kind == "applied", done.message
    assert schedule(aws) == before | {"State": "DISABLED"}
    undone = await mitigation_flow.undo()
    assert undone.kind == "applied", undone.message
    assert schedule(aws) == before
    assert SECRET not in repr(mitigation_flow.journal.read())


async def test_a_pipe_is_stopped_and_started_again(aws: Aws, mitigation_flow: MitigationFlow) -> None:
    aws.function(NAME, FINE)
    aws.pipes.create_pipe(Name="carrier", RoleArn=ROLE, Source=aws.queue("jobs"), Target=arn(aws))

    def state() -> str:
        return str(aws.pipes.describe_pipe(Name="carrier")["CurrentState"])

    wait_for(lambda: state() == "RUNNING")
    done = await mitigation_flow.carry_out("stop_pipe", NAME)
    assert (done.kind, state()) == ("applied", "STOPPED"), done.message
    undone = await mitigation_flow.undo()
    assert (undone.kind, state()) == ("applied", "RUNNING"), undone.message
    assert isinstance(await mitigation_flow.propose("start_pipe", "carrier"), Refusal)


def running(aws: Aws, machine: str) -> list[str]:
    found = aws.stepfunctions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    return [e["name"] for e in found["executions"]]


async def test_running_executions_are_stopped_one_by_one(aws: Aws, mitigation_flow: MitigationFlow) -> None:
    aws.function(NAME, FINE)
    call = {"Call": {"Type": "Task", "Resource": arn(aws), "End": True}}
    definition = json.dumps(WAITS | {"States": WAITS["States"] | call})  # type: ignore[operator]
    made = aws.stepfunctions.create_state_machine(name="checkout", definition=definition, roleArn=ROLE)
    machine = made["stateMachineArn"]
    for n in range(3):
        aws.stepfunctions.start_execution(stateMachineArn=machine, name=f"run-{n}", input="{}")
    wait_for(lambda: len(running(aws, machine)) == 3)
    done = await mitigation_flow.carry_out("stop_executions", NAME)
    assert done.kind == "applied", done.message
    assert done.message.endswith("3 of 3 done.")
    assert running(aws, machine) == []
    entries = mitigation_flow.journal.read()
    assert [e.outcome for e in entries] == ["applied"] * 3
    assert {e.call.params["executionArn"].rpartition(":")[2] for e in entries} == {"run-0", "run-1", "run-2"}
