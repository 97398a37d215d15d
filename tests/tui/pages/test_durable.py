"""The page of a durable execution: how long it runs, when it times out, and what of it is not known."""

from __future__ import annotations

import pytest
from fakes.worlds import NOW
from msgspec.structs import replace

from lambdatop.domain.facts.durable import ExecutionHistory, HistoryEvent, Operation, operations_of
from lambdatop.tui.pages.durable import MOST_OPERATIONS, history_text
from lambdatop.tui.style.spans import plain

DONE = ExecutionHistory("7/a/b", "SUCCEEDED", NOW - 100, NOW - 40, 3600, "", ())


def text(history: ExecutionHistory) -> str:
    return plain(history_text(history, NOW, 100))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "SUCCEEDED after 60 s"),
        ({"status": "RUNNING", "ended": None}, "RUNNING for 1 min 40 s, times out in 58 min"),
        ({"status": "RUNNING", "ended": None, "timeout_s": 10}, "its execution timeout has passed"),
        ({"status": "RUNNING", "ended": None, "timeout_s": None}, "RUNNING for 1 min 40 s\n"),
        ({"status": "RUNNING", "started": None, "ended": None}, "RUNNING\n"),
        ({"status": "FAILED", "error": "Boom: no"}, "Boom: no"),
    ],
)
def test_the_status_says_what_is_known(changes: dict[str, object], words: str) -> None:
    assert words in text(replace(DONE, **changes))


def test_the_newest_operations_are_written_and_the_others_counted() -> None:
    many = tuple(
        Operation(f"step-{n}", "Step", "Succeeded", NOW - n, 1, None, "") for n in range(MOST_OPERATIONS + 3)
    )
    shown = text(replace(DONE, operations=many))
    assert f"step-{MOST_OPERATIONS - 1} " in shown
    assert f"step-{MOST_OPERATIONS} " not in shown
    assert "and 3 older operations" in shown


def test_events_of_one_operation_are_one_line_of_what_came_last() -> None:
    events = (
        HistoryEvent(NOW, "ExecutionStarted"),
        HistoryEvent(NOW + 1, "StepStarted", "s", "pay"),
        HistoryEvent(NOW + 2, "StepFailed", "s", "pay", attempt=1, again_s=5, error="No: funds"),
        HistoryEvent(NOW + 9, "StepStarted", "s", "pay"),
        HistoryEvent(NOW + 10, "StepSucceeded", "s", "pay", attempt=2),
        HistoryEvent(NOW + 3, "CallbackTimedOut", "c"),
        HistoryEvent(NOW + 11, "InvocationCompleted"),
    )
    pay, callback = operations_of(events)
    assert (pay.state, pay.attempts, pay.again_s, pay.error, pay.at) == (
        "Succeeded",
        2,
        None,
        "No: funds",
        NOW + 10,
    )
    assert (callback.name, callback.kind, callback.state) == ("c", "Callback", "TimedOut")
