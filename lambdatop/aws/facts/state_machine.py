"""Find the Lambda functions that a state machine's definition invokes, and how it repeats failed calls. Pure.

Amazon States Language: https://states-language.net/; how a task names a function: Step Functions developer
guide, "Invoke an AWS Lambda function with Step Functions". A name that is computed when the task runs stands
in no definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lambdatop.aws.facts.resources import finite, json_object
from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.callers import RetryRule
from lambdatop.domain.facts.triggers import Invocation
from lambdatop.domain.keys import Scope, parse_arn
from lambdatop.domain.sanitize import clean_line, clean_name

MOST_STATES = 2_000
"""States of one definition that are looked at; it has at most 1 MB (model of CreateStateMachine)."""
MOST_RULES = 5
"""Retriers of one task that are kept."""

_INVOKES = (":states:::lambda:invoke", ":states:::aws-sdk:lambda:invoke")
_CALLS: Mapping[str, Invocation] = {"Event": "push async", "RequestResponse": "push sync"}
_DRY = "DryRun"


class Task(NamedTuple):
    """A state that invokes a function; `function_arn` is "" where the name is computed."""

    state: str
    function_arn: str
    invocation: Invocation
    retry: tuple[RetryRule, ...]


class Definition(NamedTuple):
    """The tasks of one definition, and whether all of its states were looked at."""

    tasks: tuple[Task, ...]
    complete: bool


def read_definition(scope: Scope, text: Any) -> Definition | None:
    """Return what a definition invokes, None for what is no definition; names are of the scope's account."""
    outermost = json_object(text)
    if not isinstance(outermost.get("States"), dict):
        return None
    tasks: list[Task] = []
    seen = 0
    waiting: list[tuple[Any, tuple[RetryRule, ...]]] = [(outermost, ())]
    while waiting:
        part, around = waiting.pop()
        states = part.get("States") if isinstance(part, dict) else None
        for name, state in states.items() if isinstance(states, dict) else ():
            seen += 1
            if seen > MOST_STATES:
                return Definition(tuple(tasks), complete=False)
            if not isinstance(state, dict):
                continue
            task = _task(scope, str(name), state, around)
            tasks += (task,) if task else ()
            rules = (*_rules(state, of=clean_name(str(name))), *around)
            waiting += [(inner, rules) for inner in _inner(state)]
    return Definition(tuple(tasks), complete=True)


def _inner(state: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the state machines within a Parallel or Map state; Iterator is what ItemProcessor was called."""
    branches = state.get("Branches")
    yield from branches if isinstance(branches, list) else ()
    yield from (state[name] for name in ("ItemProcessor", "Iterator") if name in state)


def _task(scope: Scope, name: str, state: Mapping[str, Any], around: tuple[RetryRule, ...]) -> Task | None:
    resource = state.get("Resource")
    if state.get("Type") != "Task" or not isinstance(resource, str):
        return None
    parsed = parse_arn(resource)
    retry = (*_rules(state), *around)[:MOST_RULES]
    if parsed is not None and parsed.service == "lambda" and parsed.resource.startswith("function:"):
        return Task(clean_name(name), clean_line(resource, 2048), "push sync", retry)
    if not any(of in resource for of in _INVOKES):
        return None
    arn, invocation = invoked(scope, _arguments(state))
    return None if invocation is None else Task(clean_name(name), arn, invocation, retry)


def _arguments(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the call is given: Parameters with JSONPath, Arguments with JSONata; {} where computed."""
    found = state.get("Arguments", state.get("Parameters"))
    return found if isinstance(found, dict) else {}


def invoked(scope: Scope, arguments: Mapping[str, Any]) -> tuple[str, Invocation | None]:
    """Return the function that a call of lambda:Invoke names, and its type; None for one that is only a test.

    The name is the ARN with version or alias, "" where it is computed.
    """
    name, kind = arguments.get("FunctionName"), arguments.get("InvocationType", "RequestResponse")
    if "InvocationType.$" in arguments or not isinstance(kind, str):
        kind = ""
    if kind == _DRY:
        return "", None
    invocation = _CALLS.get(kind, "unknown")
    if not isinstance(name, str) or computed(name):
        return "", invocation
    qualifier = arguments.get("Qualifier")
    told = qualifier if isinstance(qualifier, str) and not computed(qualifier) else ""
    return named_function(scope, name, told), invocation


def computed(text: str) -> bool:
    """Return whether a value is a JSONata expression, a path or an intrinsic function rather than a name."""
    text = text.strip()
    return text.startswith(("{%", "$", "States.")) or not text


def named_function(scope: Scope, name: str, qualifier: str = "") -> str:
    """Return the ARN of a function by name, partial ARN or ARN (model of Invoke), with its qualifier.

    "" for what is none of these.
    """
    name = clean_line(name.strip(), 2048)
    parsed = parse_arn(name)
    if parsed is not None:
        if parsed.service != "lambda" or not parsed.resource.startswith("function:"):
            return ""
        arn = name
    else:
        account, between, rest = name.partition(":function:")
        if between:
            scope, name = Scope(account, scope.region), rest
        plain, _, own = name.partition(":")
        if not plain or "/" in plain:
            return ""
        arn = function_arn(scope, plain) + (f":{own}" if own else "")
    last = parse_arn(arn)
    qualified = last is not None and last.qualifier is not None
    return arn if qualified or not qualifier else f"{arn}:{clean_name(qualifier)}"


def _rules(state: Mapping[str, Any], of: str = "") -> tuple[RetryRule, ...]:
    found = state.get("Retry")
    listed = found if isinstance(found, list) else []
    return tuple(_rule(rule, of) for rule in listed[:MOST_RULES] if isinstance(rule, dict))


def _rule(rule: Mapping[str, Any], of: str) -> RetryRule:
    errors = rule.get("ErrorEquals")
    names = tuple(clean_name(e) for e in errors if isinstance(e, str)) if isinstance(errors, list) else ()
    attempts = rule.get("MaxAttempts")
    return RetryRule(
        names[:MOST_RULES],
        attempts if type(attempts) is int and finite(attempts) and attempts >= 0 else 3,
        _number(rule.get("IntervalSeconds"), 1.0),
        _number(rule.get("BackoffRate"), 2.0),
        of,
        _limit(rule.get("MaxDelaySeconds")),
        rule.get("JitterStrategy") == "FULL",
    )


def _limit(value: Any) -> float | None:
    """Return MaxDelaySeconds, which is above 0 and below 31,622,400; None for what is none."""
    return float(value) if finite(value) and 0 < value < 31_622_400 else None


def _number(value: Any, default: float) -> float:
    return float(value) if finite(value) and value >= 0 else default
