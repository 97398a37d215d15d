"""cost_burn: far more than usual, mostly in vain, or far more than yesterday; and silent otherwise."""

from __future__ import annotations

import pytest
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points

from lambdatop.domain.detectors.rules.cost_burn import detect
from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

GIGABYTE = function(memory_mb=1024, timeout_s=0)
ACCOUNT = Key(SCOPE, "account", SCOPE.account)
MINUTE_MS = 60_000.0
"""One execution that runs all the time: with 1 GB $0.06 an hour."""


def world(running: list[float], errors: float = 0.0, *more: ev.Event) -> World:
    """Return a World with so many executions at once in each minute up to NOW; 100 invocations a minute."""
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (GIGABYTE,)),
            metrics(
                points(WORKER, "Invocations", [100.0] * len(running)),
                points(WORKER, "Duration", [n * MINUTE_MS for n in running]),
                points(WORKER, "Errors", [errors] * len(running)),
            ),
            *more,
        ],
    )


def found(seen: World, *previous: Finding) -> list[Finding]:
    return list(detect(evaluation_context(seen, NOW, PROMPT, previous)))


def one(seen: World, *previous: Finding) -> Finding:
    (finding,) = found(seen, *previous)
    return finding


def test_many_times_the_median_of_the_hour_before() -> None:
    finding = one(world([10.0] * 55 + [100.0] * 5))
    assert (finding.severity, finding.target.key) == ("warning", WORKER)
    assert finding.title == "orders-worker burns $6.00/h, before $0.60/h"
    assert finding.formula == "$6.00/h >= 3 x $0.60/h, the median of the hour before"
    evidence = dict(finding.evidence)
    assert evidence["usd_per_hour"] == pytest.approx(6.0012, abs=1e-4)
    assert evidence["usd_per_hour_before"] == pytest.approx(0.6012, abs=1e-4)
    assert evidence["running_at_once"] == 100.0
    assert finding.since == NOW - 300


def test_a_single_peak_in_the_hour_before_does_not_move_the_median() -> None:
    assert one(world([10.0] * 50 + [5000.0] * 5 + [100.0] * 5)).formula.endswith(
        "3 x $0.60/h, the median of the hour before"
    )


def test_critical_by_what_is_at_stake_in_usd() -> None:
    assert one(world([10.0] * 55 + [400.0] * 5)).severity == "critical"  # $24.00/h, $23.40/h above


@pytest.mark.parametrize(
    "running",
    [
        pytest.param([100.0] * 60, id="as always"),
        pytest.param([50.0] * 55 + [100.0] * 5, id="twice as much"),
        pytest.param([0.1] * 55 + [10.0] * 5, id="little money"),
        pytest.param([1.0] * 4 + [100.0] * 5, id="no baseline"),
    ],
)
def test_silent(running: list[float]) -> None:
    assert found(world(running)) == []


def test_mostly_in_vain_without_any_rise() -> None:
    finding = one(world([100.0] * 60, 60.0))
    assert finding.title == "orders-worker burns $6.00/h, $3.60/h of it wasted"
    assert finding.formula == "$3.60/h wasted / $6.00/h = 60% >= 50%"
    assert found(world([100.0] * 60, 40.0)) == []
    assert found(world([20.0] * 60, 60.0)) == []  # $0.72/h wasted


def test_a_standing_finding_stays_until_it_falls_below_four_fifths() -> None:
    standing = one(world([10.0] * 55 + [100.0] * 5))
    less = world([10.0] * 55 + [26.0] * 5)
    assert found(less) == []
    assert one(less, standing).severity == "warning"
    assert found(world([10.0] * 55 + [22.0] * 5), standing) == []


def test_suggestions_fit_how_it_is_fed_and_what_is_wrong() -> None:
    rise = [10.0] * 55 + [100.0] * 5
    assert one(world(rise)).suggests == ("cap_concurrency", "throttle_to_zero")
    fed = ev.MappingsListed(SCOPE, NOW, (mapping(),))
    assert one(world(rise, 0.0, fed)).suggests == ("cap_concurrency", "disable_trigger", "throttle_to_zero")
    pushed = metrics(points(WORKER, "AsyncEventsReceived", [100.0] * 20))
    rest = ("disable_trigger", "cap_concurrency", "throttle_to_zero")
    assert one(world([100.0] * 60, 90.0, fed, pushed)).suggests == rest  # who takes the events is not known
    nobody, somebody = (
        ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, config),))
        for config in (AsyncConfig(), AsyncConfig(on_failure_arn="arn:aws:sqs:x:1:lost"))
    )
    assert one(world([100.0] * 60, 90.0, fed, pushed, nobody)).suggests == rest  # they would be lost
    vain = one(world([100.0] * 60, 90.0, fed, pushed, somebody)).suggests
    assert vain == ("disable_trigger", "stop_async_retries", "cap_concurrency", "throttle_to_zero")


def yesterday(running: float) -> ev.BurnHistoryObserved:
    hour = int(NOW) - 86_400
    return ev.BurnHistoryObserved(SCOPE, NOW, ((hour, running * 3_600_000.0, 1.0),))


def test_the_account_against_the_same_hour_yesterday() -> None:
    seen = world([100.0] * 60, 0.0, yesterday(25.0))
    finding = one(seen)
    assert finding.target.key == ACCOUNT
    assert finding.target.arn == f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}"
    assert finding.title == "the account burns $6.00/h: 4.0 x the running time of this hour yesterday"
    assert finding.formula == "100.00 running at once / 25.00 yesterday = 4.0 >= 3"
    assert (finding.remedy, finding.about) == (WORKER, (WORKER,))
    assert found(world([100.0] * 60, 0.0, yesterday(40.0))) == []
    assert found(world([100.0] * 60, 0.0, yesterday(0.0))) == []
    assert found(world([10.0] * 60, 0.0, yesterday(1.0))) == []  # $0.60/h


def test_the_accounts_own_metric_counts_where_it_was_asked_for() -> None:
    # Functions that nobody asked about run, too.
    whole = metrics(points(ACCOUNT, "Duration", [200 * MINUTE_MS] * 10))
    finding = one(world([100.0] * 60, 0.0, yesterday(50.0), whole))
    assert dict(finding.evidence)["duration_vs_yesterday"] == 4.0


def test_what_logs_cost_is_compared_as_well() -> None:
    group = Key(SCOPE, "log group", GIGABYTE.log_group)
    flood = metrics(points(group, "IncomingBytes", [100e6] * 40 + [900e6] * 20))
    finding = one(fold(world([5.0] * 60), flood))
    assert "before $" in finding.title
    evidence = dict(finding.evidence)
    assert evidence["logs_usd_per_hour"] == pytest.approx(34.02)
    assert found(fold(world([5.0] * 60), metrics(points(group, "IncomingBytes", [900e6] * 60)))) == []


def test_logs_are_left_out_of_the_comparison_because_they_come_later() -> None:
    group = Key(SCOPE, "log group", GIGABYTE.log_group)
    chatty = metrics(points(group, "IncomingBytes", [500e6] * 60))
    assert found(fold(world([20.0] * 60), chatty)) == []
    with_logs = one(fold(world([10.0] * 55 + [100.0] * 5), chatty))
    assert dict(with_logs.evidence)["logs_usd_per_hour"] == pytest.approx(18.9)
    assert with_logs.formula.startswith("$6.00/h")
