"""error_rate begins exactly where it says it does."""

from __future__ import annotations

import pytest
from fakes.queuescene import found, runs, scene
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
