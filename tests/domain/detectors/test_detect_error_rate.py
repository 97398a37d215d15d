"""error_rate begins exactly where it says it does."""

from __future__ import annotations

import pytest
from fakes.queuescene import END, found, runs, scene
from fakes.worlds import NOW

from lambdatop.domain.detectors.rules.error_rate import detect
from lambdatop.domain.plans.finding import Finding


def of(errors: float, invocations: float, before: tuple[Finding, ...] = ()) -> list[Finding]:
    return found(detect, scene(runs(Errors=[errors], Invocations=[invocations])), before)


@pytest.mark.parametrize(
    ("errors", "invocations", "severities"),
    [
        (5.0, 100.0, ["warning"]),  # 5 %, the threshold itself
        (3.0, 60.0, ["warning"]),  # the same with the fewest errors
        (49.0, 1000.0, []),  # just below
        (25.0, 100.0, ["critical"]),
        (249.0, 1000.0, ["warning"]),
        (3.0, 20.0, ["warning"]),  # the smallest volume
        (19.0, 19.0, []),
        (2.0, 20.0, []),
    ],
)
def test_a_threshold_is_reached_by_its_own_value(
    errors: float, invocations: float, severities: list[str]
) -> None:
    assert [f.severity for f in of(errors, invocations)] == severities


def test_a_finding_that_stands_ends_below_the_cleared_threshold_and_not_before() -> None:
    """Four fifths of each threshold: 4 %, 16 invocations, 2.4 errors."""
    (stood,) = of(5.0, 100.0)
    assert len(of(41.0, 1000.0, (stood,))) == 1
    assert of(39.0, 1000.0, (stood,)) == []
    assert len(of(3.0, 16.0, (stood,))) == 1
    assert of(3.0, 15.0, (stood,)) == []
    assert of(41.0, 1000.0) == [], "without one that stands it does not begin there"
    assert stood.since < NOW


def seldom(errors: list[float], invocations: list[float] | None = None) -> list[Finding]:
    return found(detect, scene(runs(Errors=errors, Invocations=invocations or [1.0] * len(errors))))


def test_a_function_that_runs_seldom_and_fails_each_time() -> None:
    (finding,) = seldom([0.0] * 30 + [1.0] * 25)
    assert (finding.severity, finding.since) == ("warning", END - 25 * 60)
    assert finding.title == "orders-worker fails each time it runs: 25 of 25 in 25 min"
    assert finding.formula == (
        "25 minutes with invocations >= 5, in 25 min >= 10 min, and all of them failed"
    )
    every_tenth = [1.0 if n % 10 == 0 else 0.0 for n in range(60)]
    assert len(seldom(every_tenth, every_tenth)) == 1


def test_one_success_few_failures_or_old_ones_are_no_total_failure() -> None:
    assert seldom([1.0] * 24 + [0.0]) == []
    assert seldom([1.0] * 9) == [], "nine minutes"
    four = [1.0, *[0.0] * 5] * 4
    assert seldom(four, four) == [], "four runs"
    old = [1.0] * 20 + [0.0] * 16
    assert seldom(old, old) == [], "it has not run for a quarter of an hour"
    assert seldom([1.0] * 20, [2.0] * 20) == [], "half of it succeeds, below the volume"
