"""Turn answers about schedules, pipes and state machines into callers of functions. Pure.

An answer that was not given for one of them is a NotKnown in the place of what it would have told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.aws.facts.resources import arn_text, json_object, optional
from lambdatop.aws.facts.state_machine import Task, invoked, read_definition
from lambdatop.domain.facts.callers import Caller, RetryRule
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.triggers import Invocation
from lambdatop.domain.keys import Key, Scope, key_of, parse_arn
from lambdatop.domain.sanitize import clean_line, clean_name

Answer = Mapping[str, Any]
STATES_NAMED = 3
"""States of a machine that are named for each function."""

_UNIVERSAL = ":scheduler:::aws-sdk:lambda:invoke"
_STREAMS = ("KinesisStreamParameters", "DynamoDBStreamParameters")
_TYPES: Mapping[str, Invocation] = {"REQUEST_RESPONSE": "push sync", "FIRE_AND_FORGET": "push async"}


def schedule_key(scope: Scope, summary: Answer) -> Key:
    """Return the key of a schedule in a list or by itself."""
    group = clean_name(str(summary.get("GroupName") or "default"))
    return Key(scope, "schedule", f"{group}/{clean_name(str(summary.get('Name') or ''))}")


def may_invoke(target: str) -> bool:
    """Return whether a schedule's target is a function, or a call of lambda:Invoke whose input names one."""
    return _is_function(target) or _UNIVERSAL in target


def schedule_caller(scope: Scope, summary: Answer, answer: Answer | NotKnown) -> Caller | None:
    """Return what a schedule invokes; None for what invokes no function.

    `summary` is its entry in ListSchedules, `answer` that of GetSchedule.
    """
    target = arn_text((summary.get("Target") or {}).get("Arn"))
    if isinstance(answer, NotKnown):
        if not _is_function(target):
            return None  # which function stands in what was not read: the source tells the gap
        return Caller(
            schedule_key(scope, summary),
            arn_text(summary.get("Arn")),
            key_of("function", target),
            target,
            _state(summary.get("State"), "scheduler:ListSchedules"),
            "push async",
            when=answer,
            max_retries=answer,
            max_age_s=answer,
            dlq_arn=answer,
        )
    of = answer.get("Target") or {}
    target = arn_text(of.get("Arn")) or target
    arn: str = target
    invocation: Invocation | None = "push async"
    if not _is_function(target):
        arn, invocation = invoked(scope, json_object(of.get("Input")))
    if invocation is None:
        return None
    retry, unset = of.get("RetryPolicy") or {}, NotKnown("not answered", "scheduler:GetSchedule")
    tries = optional(retry.get("MaximumRetryAttempts"))
    age = optional(retry.get("MaximumEventAgeInSeconds"))
    return Caller(
        schedule_key(scope, summary),
        arn_text(summary.get("Arn")),
        key_of("function", arn) if arn else None,
        arn,
        _state(answer.get("State"), "scheduler:GetSchedule"),
        invocation,
        when=_expression(answer),
        max_retries=unset if tries is None else tries,
        max_age_s=unset if age is None else age,
        dlq_arn=arn_text((of.get("DeadLetterConfig") or {}).get("Arn")) or None,
    )


def _expression(answer: Answer) -> str:
    zone = clean_name(str(answer.get("ScheduleExpressionTimezone") or ""))
    return " ".join(filter(None, (clean_line(str(answer.get("ScheduleExpression") or ""), 256), zone)))


def _is_function(arn: str) -> bool:
    parsed = parse_arn(arn)
    return parsed is not None and parsed.service == "lambda" and parsed.resource.startswith("function:")


def _state(value: Any, action: str) -> str | NotKnown:
    return clean_name(str(value)) if value else NotKnown("not answered", action)


def functions_of_pipe(summary: Answer) -> tuple[tuple[str, str], ...]:
    """Return what of a pipe in ListPipes is a function: its part and ARN."""
    ends = (("enrichment", arn_text(summary.get("Enrichment"))), ("target", arn_text(summary.get("Target"))))
    return tuple((part, arn) for part, arn in ends if _is_function(arn))


def pipe_callers(scope: Scope, summary: Answer, answer: Answer | NotKnown) -> tuple[Caller, ...]:
    """Return what a pipe invokes; `summary` is its entry in ListPipes, `answer` that of DescribePipe.

    A pipe waits for its enrichment, and for its target unless that is set otherwise (model of
    PipeTargetLambdaFunctionParameters). One that only hands events on is returned without a function.
    """
    key = Key(scope, "pipe", clean_name(str(summary.get("Name") or "")))
    retries, age, dlq = _of_stream(answer)
    ends = functions_of_pipe(summary)
    return tuple(
        Caller(
            key,
            arn_text(summary.get("Arn")),
            key_of("function", arn) if arn else None,
            arn,
            _state(summary.get("CurrentState"), "pipes:ListPipes"),
            "push sync" if part == "enrichment" else _type(answer),
            source_arn=arn_text(summary.get("Source")),
            target_arn=arn_text(summary.get("Target")),
            parts=(part,) if part else (),
            max_retries=retries,
            max_age_s=age,
            dlq_arn=dlq,
        )
        for part, arn in ends or (("", ""),)
    )


def _type(answer: Answer | NotKnown) -> Invocation:
    if isinstance(answer, NotKnown):
        return "unknown"
    of = (answer.get("TargetParameters") or {}).get("LambdaFunctionParameters") or {}
    return _TYPES.get(str(of.get("InvocationType") or "REQUEST_RESPONSE"), "unknown")


def _of_stream(
    answer: Answer | NotKnown,
) -> tuple[int | NotKnown | None, int | NotKnown | None, str | NotKnown | None]:
    """Return retries, greatest age (s) and DLQ of a stream that a pipe reads; None for other sources."""
    if isinstance(answer, NotKnown):
        return answer, answer, answer
    given = answer.get("SourceParameters") or {}
    stream = next((given[name] for name in _STREAMS if given.get(name) is not None), None)
    if stream is None:
        return None, None, None
    unset = NotKnown("not answered", "pipes:DescribePipe")
    tries = optional(stream.get("MaximumRetryAttempts"))
    age = optional(stream.get("MaximumRecordAgeInSeconds"))
    dlq = arn_text((stream.get("DeadLetterConfig") or {}).get("Arn")) or None
    return (unset if tries is None else tries), (unset if age is None else age), dlq


def machine_callers(scope: Scope, answer: Answer) -> tuple[tuple[Caller, ...], bool]:
    """Return what a state machine invokes by DescribeStateMachine, one for each function, and whether all.

    Not all: the definition is none that can be read, or holds too many states.
    """
    arn = arn_text(answer.get("stateMachineArn"))
    found = read_definition(scope, answer.get("definition"))
    if found is None:
        return (), False
    by_function: dict[str, list[Task]] = {}
    for task in found.tasks:
        by_function.setdefault(task.function_arn, []).append(task)
    state = _state(answer.get("status"), "states:DescribeStateMachine")
    name = clean_name(str(answer.get("name") or ""))
    callers = (
        _machine_caller(Key(scope, "state machine", name), arn, state, function, tasks)
        for function, tasks in by_function.items()
    )
    return tuple(callers), found.complete


def _machine_caller(key: Key, arn: str, state: str | NotKnown, function: str, tasks: list[Task]) -> Caller:
    kinds = {task.invocation for task in tasks}
    rules: dict[RetryRule, None] = {rule: None for task in tasks for rule in task.retry}
    return Caller(
        key,
        arn,
        key_of("function", function) if function else None,
        function,
        state,
        kinds.pop() if len(kinds) == 1 else "unknown",
        parts=tuple(task.state for task in tasks[:STATES_NAMED]),
        more=max(0, len(tasks) - STATES_NAMED),
        retry=tuple(rules),
    )
