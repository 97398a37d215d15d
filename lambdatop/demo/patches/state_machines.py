"""Step Functions: a stopped execution does nothing more.

ministack writes ABORTED down and lets the execution's thread go on: a Task that is being retried invokes its
function until its last attempt. Here the thread ends at its next event, which each attempt begins with. A
function that runs at that moment runs to its end, as on AWS. The thread of an execution that a reset has
forgotten ends in the same way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack

_LAST_WORDS = ("ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded")


def install() -> None:
    """Put the wrapper in place."""
    _ministack.replace("services.stepfunctions._add_event", _while_it_runs)


def _while_it_runs(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def add(execution: dict[str, Any], event_type: str, details: dict[str, Any] | None = None) -> Any:
        if event_type not in _LAST_WORDS and _is_over(execution):
            raise SystemExit  # ends this thread, and no handler of an execution's errors catches it
        return original(execution, event_type, details)

    return add


def _is_over(execution: dict[str, Any]) -> bool:
    """Return whether an execution was stopped or reset away; nobody can stop one that is waited for."""
    arn = execution.get("executionArn")
    if not arn or execution.get("sync"):
        return False
    known = _ministack.get("services.stepfunctions._executions").get(arn)
    return known is not execution or execution.get("status") != "RUNNING"
