"""Schedules, pipes and state machines of the account of `wire_world.py`: their reads and their changes.

UpdateSchedule replaces everything: what a request leaves out is at its default afterwards. A pipe passes
through STOPPING or STARTING and refuses changes meanwhile. An execution that has ended is not stopped.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from fakes.aws_doubles import ACCOUNT, REGION
from fakes.wire_stub import Fault

SCHEDULE, PIPE, MACHINE = "shop/minutely", "orders-pipe", "checkout"
SECRET = "hunter2-token"
"""It stands in what the schedule sends, and must be found nowhere on this machine."""
HERE = f"{REGION}:{ACCOUNT}"
STATES = f"arn:aws:states:{HERE}:"
READS_UNTIL_DONE = 2
RUNNING, WAYS = "RUNNING", {"RUNNING": "STARTING", "STOPPED": "STOPPING"}
State = dict[str, Any]
Params = Mapping[str, Any]
Done = dict[str, Any] | Fault
DEFAULTS: dict[str, Any] = {"State": "ENABLED", "ActionAfterCompletion": "NONE"}
OWN = ("Arn", "CreationDate", "LastModificationDate")
GONE = Fault("ResourceNotFoundException", "Schedule does not exist.", 404)
NO_PIPE = Fault("NotFoundException", "Pipe does not exist.", 404)


def callers(function: str) -> State:
    """Return what calls a function (its ARN): a schedule, a pipe and a state machine with two executions."""
    target = {
        "Arn": function,
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/scheduler",
        "Input": f'{{"token": "{SECRET}"}}',
        "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 3},
        "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{HERE}:orders-lost"},
    }
    schedule = {
        "Arn": f"arn:aws:scheduler:{HERE}:schedule/{SCHEDULE}",
        "GroupName": "shop",
        "Name": "minutely",
        "ScheduleExpression": "rate(1 minutes)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "Description": "starts orders",
        "StartDate": 1_700_000_000.0,
        "EndDate": 1_900_000_000.0,
        "KmsKeyArn": f"arn:aws:kms:{HERE}:key/1",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
        "Target": target,
        **DEFAULTS,
    }
    stamps = {"CreationDate": 1.7e9, "LastModificationDate": 1.7e9}
    pipe = {"Name": PIPE, "Arn": f"arn:aws:pipes:{HERE}:pipe/{PIPE}", "Target": function}
    pipe |= {"Source": f"arn:aws:sqs:{HERE}:orders", "CurrentState": RUNNING, "DesiredState": RUNNING}
    work = {"Type": "Task", "Resource": function, "End": True}
    definition = json.dumps({"StartAt": "Work", "States": {"Work": work}})
    return {
        "schedules": {SCHEDULE: schedule | stamps},
        "pipes": {PIPE: pipe},
        "machines": {MACHINE: {"type": "STANDARD", "definition": definition}},
        "executions": {f"run-{n}": RUNNING for n in (1, 2)},
    }


def settled(state: State) -> None:
    """Let pipes arrive where they are on the way to, and forget AWS's own stamps."""
    arrived(state)
    for pipe in state["pipes"].values():
        del pipe["DesiredState"]
    for schedule in state["schedules"].values():
        schedule.pop("LastModificationDate")


def arrived(state: State) -> None:
    """Let pipes arrive where they are on the way to."""
    for pipe in state["pipes"].values():
        pipe["CurrentState"] = pipe["DesiredState"]
        pipe.pop("left", None)


def _schedule_id(params: Params) -> str:
    return f"{params.get('GroupName', 'default')}/{params['Name']}"


def _get_schedule(state: State, params: Params) -> Done:
    found = state["schedules"].get(_schedule_id(params))
    return GONE if found is None else copy.deepcopy(found)


def _update_schedule(state: State, params: Params) -> Done:
    name = _schedule_id(params)
    there = state["schedules"].get(name)
    if there is None:
        return GONE
    kept = {own: there[own] for own in OWN if own in there}
    wanted = {k: v for k, v in params.items() if k != "ClientToken"}
    state["schedules"][name] = DEFAULTS | wanted | kept | {"LastModificationDate": 1.75e9}
    return {"ScheduleArn": there["Arn"]}


def _list_schedules(state: State, params: Params) -> Done:
    shown = ("Arn", "GroupName", "Name", "State")
    return {
        "Schedules": [
            {n: s[n] for n in shown} | {"Target": {"Arn": s["Target"]["Arn"]}}
            for s in state["schedules"].values()
        ]
    }


def _describe_pipe(state: State, params: Params) -> Done:
    pipe = state["pipes"].get(params["Name"])
    if pipe is None:
        return NO_PIPE
    shown = {k: v for k, v in pipe.items() if k != "left"}
    if "left" in pipe:
        pipe["left"] -= 1
        if pipe["left"] <= 0:
            del pipe["left"]
            pipe["CurrentState"] = pipe["DesiredState"]
    return shown


def _set_pipe(goal: str) -> Callable[[State, Params], Done]:
    def change(state: State, params: Params) -> Done:
        pipe = state["pipes"].get(params["Name"])
        if pipe is None:
            return NO_PIPE
        if pipe["CurrentState"] not in WAYS:
            return Fault("ConflictException", "the pipe is changing", 409)
        pipe |= {"DesiredState": goal, "CurrentState": WAYS[goal], "left": READS_UNTIL_DONE}
        return {"Name": pipe["Name"], "CurrentState": WAYS[goal], "DesiredState": goal}

    return change


def _machine(state: State, params: Params) -> Done:
    name = str(params["stateMachineArn"]).removeprefix(f"{STATES}stateMachine:")
    found = state["machines"].get(name)
    if found is None:
        return Fault("StateMachineDoesNotExist", "no such state machine")
    shown = {"stateMachineArn": f"{STATES}stateMachine:{name}", "name": name, "type": found["type"]}
    whole = {} if params.get("includedData") == "METADATA_ONLY" else {"definition": found["definition"]}
    return shown | whole | {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/checkout", "creationDate": 1.7e9}


def _list_machines(state: State, params: Params) -> Done:
    return {
        "stateMachines": [
            {
                "stateMachineArn": f"{STATES}stateMachine:{n}",
                "name": n,
                "type": m["type"],
                "creationDate": 1.7e9,
            }
            for n, m in state["machines"].items()
        ]
    }


def _execution(name: str, status: str) -> dict[str, Any]:
    arn, machine = f"{STATES}execution:{MACHINE}:{name}", f"{STATES}stateMachine:{MACHINE}"
    shown = {"executionArn": arn, "stateMachineArn": machine, "name": name, "status": status}
    return shown | {"startDate": 1.7e9}


def _list_executions(state: State, params: Params) -> Done:
    wanted = params.get("statusFilter")
    found = [_execution(n, s) for n, s in state["executions"].items() if wanted in (None, s)]
    return {"executions": found}


def _describe_execution(state: State, params: Params) -> Done:
    name = str(params["executionArn"]).rpartition(":")[2]
    status = state["executions"].get(name)
    if status is None:
        return Fault("ExecutionDoesNotExist", "no such execution")
    return _execution(name, status)


def _stop_execution(state: State, params: Params) -> Done:
    name = str(params["executionArn"]).rpartition(":")[2]
    if name not in state["executions"]:
        return Fault("ExecutionDoesNotExist", "no such execution")
    if state["executions"][name] == RUNNING:
        state["executions"][name] = "ABORTED"
    return {"stopDate": 1.8e9}


READS: Mapping[tuple[str, str], Callable[[State, Params], Done]] = {
    ("scheduler", "GetSchedule"): _get_schedule,
    ("scheduler", "ListSchedules"): _list_schedules,
    ("pipes", "DescribePipe"): _describe_pipe,
    ("pipes", "ListPipes"): lambda s, p: {"Pipes": [_describe_pipe(s, {"Name": n}) for n in s["pipes"]]},
    ("stepfunctions", "ListStateMachines"): _list_machines,
    ("stepfunctions", "DescribeStateMachine"): _machine,
    ("stepfunctions", "ListExecutions"): _list_executions,
    ("stepfunctions", "DescribeExecution"): _describe_execution,
}
CHANGES: Mapping[tuple[str, str], Callable[[State, Params], Done]] = {
    ("scheduler", "UpdateSchedule"): _update_schedule,
    ("pipes", "StopPipe"): _set_pipe("STOPPED"),
    ("pipes", "StartPipe"): _set_pipe("RUNNING"),
    ("stepfunctions", "StopExecution"): _stop_execution,
}


def journaled(service: str, operation: str, params: Params) -> tuple[str, str, dict[str, Any]]:
    """Return the call that the journal holds for a request: of a schedule's update only what is switched."""
    if operation != "UpdateSchedule":
        return service, operation, dict(params)
    named = {n: params.get(n) for n in ("GroupName", "Name", "State")}
    arn = f"arn:aws:scheduler:{HERE}:schedule/{_schedule_id(params)}"
    return "lambdatop", "SwitchSchedule", {"Arn": arn, **named}
