"""Definitions of state machines: which functions they invoke, and how failed calls are repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE

from lambdatop.aws.facts import state_machine
from lambdatop.aws.facts.callers import machine_callers
from lambdatop.aws.facts.state_machine import read_definition
from lambdatop.domain.facts.callers import RetryRule
from lambdatop.domain.keys import Key

FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
INVOKE = "arn:aws:states:::lambda:invoke"


def tasks(**states: Any) -> list[tuple[str, str, str]]:
    found = read_definition(SCOPE, json.dumps({"StartAt": "x", "States": states}))
    assert found is not None
    assert found.complete
    return [(task.state, task.function_arn, task.invocation) for task in found.tasks]


def task(resource: str = INVOKE, **members: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource} | members


@pytest.mark.parametrize(
    ("state", "arn", "invocation"),
    [
        (task(FN + "f"), FN + "f", "push sync"),
        (task(FN + "f:live"), FN + "f:live", "push sync"),
        (task(Parameters={"FunctionName": FN + "f"}), FN + "f", "push sync"),
        (task(Parameters={"FunctionName": "f"}), FN + "f", "push sync"),
        (task(Parameters={"FunctionName": "f:live"}), FN + "f:live", "push sync"),
        (task(Parameters={"FunctionName": f"{ACCOUNT}:function:f"}), FN + "f", "push sync"),
        (task(Parameters={"FunctionName": "f", "Qualifier": "live"}), FN + "f:live", "push sync"),
        (task(Parameters={"FunctionName": "f", "Qualifier.$": "$.q"}), FN + "f", "push sync"),
        (task(Arguments={"FunctionName": "f", "InvocationType": "Event"}), FN + "f", "push async"),
        (task(Arguments={"FunctionName": "f", "InvocationType": "{% $t %}"}), FN + "f", "unknown"),
        (task(Parameters={"FunctionName": "f", "InvocationType.$": "$.t"}), FN + "f", "unknown"),
        (task(INVOKE + ".waitForTaskToken", Arguments={"FunctionName": "f"}), FN + "f", "push sync"),
        (
            task("arn:aws:states:::aws-sdk:lambda:invoke", Parameters={"FunctionName": "f"}),
            FN + "f",
            "push sync",
        ),
        (
            task("arn:aws-cn:states:::lambda:invoke", Parameters={"FunctionName": FN + "f"}),
            FN + "f",
            "push sync",
        ),
        (task(Parameters={"FunctionName.$": "$.which"}), "", "push sync"),
        (task(Arguments={"FunctionName": "{% $states.input.which %}"}), "", "push sync"),
        (task(Arguments="{% $all %}"), "", "push sync"),
        (task(), "", "push sync"),
    ],
)
def test_how_a_task_names_its_function(state: dict[str, Any], arn: str, invocation: str) -> None:
    assert tasks(Charge=state) == [("Charge", arn, invocation)]


@pytest.mark.parametrize(
    "state",
    [
        task(Parameters={"FunctionName": "f", "InvocationType": "DryRun"}),
        task("arn:aws:states:::sqs:sendMessage", Parameters={"QueueUrl": FN + "f"}),
        {"Type": "Pass", "Result": {"Resource": FN + "f"}},
        {"Type": "Task"},
        {"Type": "Task", "Resource": {"of": FN + "f"}},
        "no state",
    ],
)
def test_what_invokes_no_function(state: Any) -> None:
    assert tasks(Other=state) == []


def test_tasks_within_maps_and_branches_have_the_retriers_around_them() -> None:
    again = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5, "IntervalSeconds": 2, "BackoffRate": 1.5}]
    inner = {"States": {"Deep": task(FN + "deep")}}
    old = {"Type": "Map", "Iterator": inner}
    branches = {
        "Type": "Parallel",
        "Branches": [{"States": {"Each": old}}, {"States": {"B": task(FN + "b")}}],
    }
    states = {"Every": {"Type": "Map", "ItemProcessor": {"States": {"Both": branches}}, "Retry": again}}
    found = read_definition(SCOPE, json.dumps({"States": states}))
    assert found is not None
    rule = RetryRule(("States.ALL",), 5, 2.0, 1.5, "Every")
    assert {(t.state, t.function_arn, t.retry) for t in found.tasks} == {
        ("Deep", FN + "deep", (rule,)),
        ("B", FN + "b", (rule,)),
    }
    assert rule.words == "States.ALL: 5 times, first after 2 s, then x 1.5 (Every)"


def test_retriers_without_numbers_have_those_of_the_language() -> None:
    odd = {"ErrorEquals": ["Lambda.TooManyRequestsException", 7], "MaxAttempts": -1, "BackoffRate": "no"}
    rules = [{"ErrorEquals": ["A"]}, odd, {"ErrorEquals": ["B"], "MaxAttempts": 0}, "none"]
    text = json.dumps({"States": {"S": task(FN + "f", Retry=rules)}})
    found = read_definition(SCOPE, text)
    assert found is not None
    first, second, third = found.tasks[0].retry
    assert first == RetryRule(("A",), 3, 1.0, 2.0)
    assert second == RetryRule(("Lambda.TooManyRequestsException",), 3, 1.0, 2.0)
    assert (first.words, third.words) == ("A: 3 times, first after 1 s, then x 2", "B: not repeated")


@pytest.mark.parametrize(
    ("set_", "most", "jitter", "words"),
    [
        ({"MaxDelaySeconds": 30}, 30.0, False, "A: 3 times, first after 1 s, then x 2, at most 30 s apart"),
        ({"JitterStrategy": "FULL"}, None, True, "A: 3 times, first after 1 s, then x 2, with jitter"),
        ({"JitterStrategy": "NONE"}, None, False, "A: 3 times, first after 1 s, then x 2"),
        ({"MaxDelaySeconds": 0, "JitterStrategy": 1}, None, False, "A: 3 times, first after 1 s, then x 2"),
        ({"MaxDelaySeconds": "9"}, None, False, "A: 3 times, first after 1 s, then x 2"),
        (
            {"MaxDelaySeconds": 5, "JitterStrategy": "FULL", "MaxAttempts": 1},
            5.0,
            True,
            "A: once, first after 1 s, with jitter",
        ),
    ],
)
def test_the_longest_interval_and_jitter_are_part_of_the_rule(
    set_: dict[str, Any], most: float | None, jitter: bool, words: str
) -> None:
    text = json.dumps({"States": {"S": task(FN + "f", Retry=[{"ErrorEquals": ["A"], **set_}])}})
    found = read_definition(SCOPE, text)
    assert found is not None
    (rule,) = found.tasks[0].retry
    assert (rule.most_interval_s, rule.jitter, rule.words) == (most, jitter, words)


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "{", '{"States": 3}', "[" * 100_000])
def test_what_is_no_definition_is_not_known(text: Any) -> None:
    assert read_definition(SCOPE, text) is None
    assert machine_callers(SCOPE, {"definition": text}) == ((), False)


def test_a_definition_that_is_too_large_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_machine, "MOST_STATES", 2)
    text = json.dumps({"States": {f"S{i}": task(FN + "f") for i in range(3)}})
    found = read_definition(SCOPE, text)
    assert found is not None
    assert not found.complete
    assert len(found.tasks) == 2


def test_a_machine_is_one_caller_of_each_function() -> None:
    states = {f"S{i}": task(FN + "f", Retry=[{"ErrorEquals": ["A"]}]) for i in range(5)}
    states |= {"Async": task(Parameters={"FunctionName": "f", "InvocationType": "Event"})}
    states |= {"Other": task(Parameters={"FunctionName.$": "$.f"}), "Bad\x1b[2J": task(FN + "g")}
    answer = {"stateMachineArn": "arn:x", "name": "pay", "status": "ACTIVE"}
    answer |= {"definition": json.dumps({"States": states})}
    callers, whole = machine_callers(SCOPE, answer)
    by_arn = {c.function_arn: c for c in callers}
    assert whole
    assert set(by_arn) == {FN + "f", FN + "g", ""}
    f = by_arn[FN + "f"]
    assert (f.key, f.function) == (Key(SCOPE, "state machine", "pay"), Key(SCOPE, "function", "f"))
    assert (f.parts, f.more, f.invocation, f.state) == (("S0", "S1", "S2"), 3, "unknown", "ACTIVE")
    assert f.settings == "ACTIVE, states S0, S1, S2 and 3 more"
    assert f.retries == "Retry A: 3 times, first after 1 s, then x 2"
    assert by_arn[FN + "g"].parts == ("Bad␛[2J",)
    assert by_arn[""].function is None
    assert by_arn[""].retries == "no Retry: a failed call fails its state"
