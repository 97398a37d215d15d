from __future__ import annotations

import pytest
from fakes.worlds import (
    MAPPING,
    NOW,
    ORDERS,
    PROMPT,
    SCOPE,
    WORKER,
    function,
    mapping,
    metrics,
    points,
    queue,
)
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import dead_trigger as it
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

VISIBLE = "ApproximateNumberOfMessagesVisible"
WAITING = metrics(
    points(ORDERS, VISIBLE, [7.0] * 12, "Maximum"), points(ORDERS, "NumberOfMessagesReceived", [0.0] * 12)
)


def world(*more: ev.Event, visible: int = 7, in_flight: int = 0, **changes: object) -> World:
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            ev.ConcurrencyObserved(SCOPE, NOW - 1, ((WORKER, None),)),
            ev.MappingsListed(SCOPE, NOW, (mapping(**changes),)),
            ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, visible=visible, in_flight=in_flight),)),
            *more,
        ],
    )


def found(seen: World, settings: object = PROMPT) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, settings)))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["Disabled", "Disabling"])
@pytest.mark.parametrize("reason", ["EVENT_SOURCE_AUTHZ_ERROR", "Lambda initiated", "the queue is gone"])
def test_a_mapping_that_lambda_disabled(state: str, reason: str) -> None:
    (finding,) = found(world(state=state, state_reason=reason, last_modified=NOW - 500))
    assert (finding.severity, finding.target.key, finding.since) == ("critical", MAPPING, NOW - 500)
    assert finding.title == f"orders → orders-worker was disabled by Lambda: {reason}"
    assert finding.about == (WORKER, ORDERS)
    assert finding.suggests == ("enable_trigger",)
    assert finding.formula == f"State {state}, reason names no user: {reason}"


@pytest.mark.parametrize("reason", ["User action", "USER_INITIATED", "User initiated"])
def test_a_mapping_that_somebody_disabled(reason: str) -> None:
    (finding,) = found(world(state="Disabled", state_reason=reason))
    assert finding.severity == "info"
    assert finding.title == "orders → orders-worker is disabled by a user, 7 waiting"
    assert found(world(state="Disabled", state_reason=reason, visible=0)) == []


@pytest.mark.parametrize("state", ["Enabled", "Disabled"])
def test_the_function_of_a_mapping_was_deleted(state: str) -> None:
    """Enabling it would deliver nothing, so that is not suggested, whoever disabled it."""
    gone = ev.FunctionsListed(SCOPE, NOW + 1, ())
    (finding,) = found(world(gone, state=state, state_reason="Lambda initiated", last_modified=NOW - 500))
    assert (finding.severity, finding.target.key) == ("warning", MAPPING)
    assert finding.title == "orders → orders-worker invokes a function that was deleted, 7 waiting"
    assert finding.suggests == (("disable_trigger",) if state == "Enabled" else ())
    assert finding.formula == "ListFunctions does not name orders-worker, which the mapping invokes"


def test_a_function_that_is_not_listed_is_not_always_deleted() -> None:
    gone = ev.FunctionsListed(SCOPE, NOW + 1, ())
    assert found(world(gone, state="Disabled", visible=0, last_modified=NOW - 500)) == []
    newer = found(world(gone, last_modified=NOW + 2, last_result="PROBLEM: x"))
    assert [f.title for f in newer] == ["orders → orders-worker reports PROBLEM: x"]


def test_a_mapping_that_lambdatop_has_just_disabled_is_not_lambdas_doing() -> None:
    disabled = ev.ControlObserved(SCOPE, NOW + 1, (ev.Control(MAPPING, "state", "Disabled"),))
    seen = world(disabled, state_reason="Lambda initiated")
    assert [f.severity for f in found(seen)] == ["info"]
    listed = ev.MappingsListed(SCOPE, NOW + 2, (mapping(state="Disabled", state_reason="Lambda initiated"),))
    assert [f.severity for f in found(fold_all(seen, [listed]))] == ["critical"]


@pytest.mark.parametrize("state", ["Creating", "Enabling", "Updating"])
def test_a_mapping_that_does_not_get_out_of_a_passing_state(state: str) -> None:
    (finding,) = found(world(state=state, last_modified=NOW - 1500))
    assert (finding.severity, finding.since) == ("warning", NOW - 1500)
    assert finding.title == f"orders → orders-worker is still {state} while 7 messages wait"
    assert finding.formula == f"State {state} for 25 min >= 10 min"
    assert found(world(state=state, last_modified=NOW - 540)) == []
    assert found(world(state=state, last_modified=None)) == []
    assert found(world(state="Deleting", last_modified=NOW - 1500)) == []


def test_a_disabled_mapping_without_a_reason_is_not_judged() -> None:
    assert found(world(state="Disabled")) == []


def test_a_problem_that_is_not_the_functions() -> None:
    (finding,) = found(world(last_result="PROBLEM: Cluster failed to authorize Lambda", visible=0))
    assert finding.severity == "warning"
    assert dict(finding.evidence)["last_processing_result"] == "PROBLEM: Cluster failed to authorize Lambda"


def test_a_function_that_fails_is_told_elsewhere() -> None:
    (finding,) = found(world(last_result="PROBLEM: Function call failed", visible=0))
    assert finding.severity == "info"
    assert found(world(last_result="OK", visible=0)) == []
    assert found(world(last_result="No records processed", visible=0)) == []


def test_an_enabled_mapping_that_never_polls() -> None:
    silent = metrics(points(MAPPING, "PolledEventCount", []))
    (finding,) = found(world(WAITING, silent, metrics=("EventCount",)))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.since) == ("warning", NOW - 600)
    assert (evidence["polled_events"], evidence["visible_min"], evidence["window_min"]) == (0, 7, 10)
    assert finding.title == "orders → orders-worker receives nothing while 7 messages wait"
    assert finding.suggests == ("disable_trigger", "enable_trigger")
    zeros = metrics(points(MAPPING, "PolledEventCount", [0.0] * 12))
    assert len(found(world(WAITING, zeros, metrics=("EventCount",)))) == 1


def test_polled_events_that_nobody_asked_for_are_unknown() -> None:
    assert found(world(WAITING, metrics=("EventCount",))) == []
    polls = metrics(points(MAPPING, "PolledEventCount", [0.0] * 11 + [3.0]))
    assert found(world(WAITING, polls, metrics=("EventCount",))) == []


def test_without_that_metric_the_queue_tells() -> None:
    (finding,) = found(world(WAITING))
    assert dict(finding.evidence)["received"] == 0
    assert finding.formula == "received = 0 and at least 7 messages visible in each of 10 min"
    only_visible = metrics(points(ORDERS, VISIBLE, [7.0] * 12, "Maximum"))
    assert found(world(only_visible)) == []


@pytest.mark.parametrize("visible", [[7.0] * 5 + [0.0] + [7.0] * 6, [7.0] * 9])
def test_a_queue_that_was_empty_or_unknown_for_a_minute_is_silent(visible: list[float]) -> None:
    seen = metrics(
        points(ORDERS, VISIBLE, visible, "Maximum"), points(ORDERS, "NumberOfMessagesReceived", [0.0] * 12)
    )
    assert found(world(seen)) == []


def test_each_excuse_is_silent() -> None:
    assert found(world(WAITING, ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 0),)))) == []
    assert found(world(WAITING, metrics(points(WORKER, "Throttles", [1.0] * 12)))) == []
    assert found(world(WAITING, in_flight=3)) == []
    assert found(world(WAITING, visible=0)) == []
    assert found(world(WAITING, state="Enabling")) == []
    assert found(world(WAITING, last_modified=NOW - 300)) == []
    assert found(world(WAITING, last_modified=NOW - 599)) == []
    assert len(found(world(WAITING, last_modified=NOW - 600))) == 1


def test_minutes_that_are_not_final_neither_raise_nor_clear() -> None:
    delayed = replace(PROMPT, metrics=MetricSettings(publish_delay_s=120.0))
    # 8 final minutes and 2 that are not: too few. The newest minute's receives do not clear.
    late = metrics(
        points(ORDERS, VISIBLE, [7.0] * 10, "Maximum"), points(ORDERS, "NumberOfMessagesReceived", [0.0] * 10)
    )
    assert found(world(late), delayed) == []
    received = metrics(
        points(ORDERS, VISIBLE, [7.0] * 12, "Maximum"),
        points(ORDERS, "NumberOfMessagesReceived", [0.0] * 11 + [5.0]),
    )
    assert len(found(world(received), delayed)) == 1


def test_the_demos_minutes_are_older_than_the_clock_says() -> None:
    fast = replace(PROMPT, metrics=MetricSettings(publish_delay_s=0.0, times=12.0))
    assert len(found(world(WAITING, last_modified=NOW - 60), fast)) == 1
    assert found(world(WAITING, last_modified=NOW - 60)) == []


def test_an_unknown_queue_is_silent() -> None:
    seen = world(WAITING)
    assert found(replace(seen, queues={})) == []


def _filtered(dropped: list[float], passed: list[float], **changes: object) -> World:
    counts = metrics(
        points(MAPPING, "PolledEventCount", [d + p for d, p in zip(dropped, passed, strict=True)]),
        points(MAPPING, "FilteredOutEventCount", dropped),
        points(MAPPING, "InvokedEventCount", passed),
    )
    return world(counts, visible=0, **({"filters": 1, "metrics": ("EventCount",)} | changes))  # type: ignore[arg-type]


THEN_ALL = [50.0] * 20 + [100.0] * 10
THEN_NONE = [50.0] * 20 + [0.0] * 10


def test_a_filter_that_lets_nothing_through_any_more() -> None:
    (finding,) = found(_filtered(THEN_ALL, THEN_NONE))
    assert (finding.severity, finding.suggests) == ("warning", ("disable_trigger",))
    assert finding.title == (
        "orders → orders-worker filters out everything: 1000 messages, which deletes them from the queue"
    )
    assert finding.formula == (
        "FilteredOutEventCount 1000, InvokedEventCount 0 over 10 min; before, 50% passed: 500 expected >= 10"
    )


@pytest.mark.parametrize(
    ("dropped", "passed", "changes"),
    [
        (THEN_ALL, THEN_NONE, {"filters": 0}),
        (THEN_ALL, THEN_NONE, {"metrics": ()}),
        (THEN_ALL, [50.0] * 29 + [1.0], {}),  # something passes
        (THEN_ALL, [0.0] * 30, {}),  # nothing has passed before either: it may be meant
        (
            [100.0] * 30,
            [0.0] * 10 + [1.0] + [0.0] * 19,
            {},
        ),  # 1 of 2,000 passed: 0 of 1,000 says nothing
        ([50.0] * 20 + [0.0] * 10, THEN_NONE, {}),  # nothing comes
    ],
)
def test_a_filter_that_may_be_as_it_was_meant(
    dropped: list[float], passed: list[float], changes: dict[str, object]
) -> None:
    assert found(_filtered(dropped, passed, **changes)) == []
