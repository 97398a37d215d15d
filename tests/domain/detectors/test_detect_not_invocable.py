from __future__ import annotations

import pytest
from fakes.queuescene import found, scene
from fakes.worlds import NOW, ORDERS, SCOPE, WORKER, mapping, points, queue

from lambdatop.domain.detectors.rules import not_invocable as it
from lambdatop.domain.facts.function_state import FunctionState
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.events import MetricPoints

STEADY = [20.0] * 50


def stated(state: FunctionState, *data: MetricPoints) -> list[Finding]:
    return found(it.detect, scene(data, ev.StatesObserved(SCOPE, NOW, ((WORKER, state),))))


@pytest.mark.parametrize("name", ["Failed", "Deactivated", "Deactivating", "ActiveNonInvocable", "Deleting"])
def test_a_state_in_which_nothing_runs(name: str) -> None:
    (finding,) = stated(FunctionState(name, "ImageDeleted", "The image is gone."))
    assert (finding.severity, finding.target.key) == ("critical", WORKER)
    assert finding.title == f"orders-worker cannot be invoked: {name}, ImageDeleted: The image is gone."
    assert finding.formula == f"State {name}, LastUpdateStatus not known"
    assert dict(finding.evidence)["state_reason_code"] == "ImageDeleted"


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (FunctionState("Active"), None),
        (FunctionState(""), None),
        (FunctionState("Pending", "Creating"), None),
        (FunctionState("Inactive", "Idle"), None),
        (FunctionState("Inactive", "InsufficientRolePermissions"), "critical"),
        (FunctionState("Active", update="Failed", update_code="ImageAccessDenied"), "warning"),
        (FunctionState("Active", update="InProgress"), None),
    ],
)
def test_what_runs_is_silent(state: FunctionState, says: str | None) -> None:
    assert [f.severity for f in stated(state)] == ([says] if says else [])


def test_an_update_that_failed_says_that_the_former_version_runs() -> None:
    (finding,) = stated(FunctionState("Active", "", "", "Failed", "ImageAccessDenied", "No access."))
    assert (
        finding.title
        == "orders-worker still runs as before: last update Failed, ImageAccessDenied: No access."
    )


def silent(*more: MetricPoints | ev.Event, minutes: int = 8, before: list[float] = STEADY) -> list[Finding]:
    runs = points(WORKER, "Invocations", before, end=NOW - 60 * minutes)
    data = [runs, *(m for m in more if isinstance(m, MetricPoints))]
    return found(it.detect, scene(data, *(m for m in more if isinstance(m, ev.Event))))


def test_steady_traffic_that_stops_while_messages_wait() -> None:
    waits = ev.QueuesObserved(SCOPE, NOW + 1, (queue(ORDERS, visible=90, at=NOW + 1),))
    (finding,) = silent(waits)
    assert finding.severity == "warning"
    assert finding.title == (
        "orders-worker has not run for 8 min, before 20 times a minute, 90 messages wait; "
        "its state is not known"
    )
    assert finding.since == NOW - 480
    assert dict(finding.evidence)["waiting"] == 90


def test_what_waits_for_a_trigger_that_was_just_enabled_is_information() -> None:
    waits = ev.QueuesObserved(SCOPE, NOW + 1, (queue(ORDERS, visible=90, at=NOW + 1),))
    paused = ev.MappingsListed(SCOPE, NOW, (mapping(last_modified=NOW - 200),))
    long_ago = ev.MappingsListed(SCOPE, NOW, (mapping(last_modified=NOW - 900),))
    assert [f.severity for f in silent(waits, paused)] == ["info"]
    assert [f.severity for f in silent(waits, long_ago)] == ["warning"]


def test_without_anything_that_waits_it_is_information() -> None:
    (finding,) = silent()
    assert (finding.severity, "wait" in finding.title) == ("info", False)
    well = ev.StatesObserved(SCOPE, NOW, ((WORKER, FunctionState("Active")),))
    (finding,) = silent(well)
    assert finding.title.endswith("; its state is Active")
    events = points(WORKER, "AsyncEventsReceived", [3.0] * 8)
    assert [f.severity for f in silent(events)] == ["warning"]


def test_work_that_was_never_steady_or_has_just_ended_is_silent() -> None:
    assert silent(minutes=5) == []
    assert silent(before=[200.0, 0.0, 0.0] * 17) == []  # every third minute
    assert silent(before=[3.0] * 50) == []  # few
    assert silent(before=STEADY[:30]) == []  # not for long
    assert silent(ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 0),))) == []
