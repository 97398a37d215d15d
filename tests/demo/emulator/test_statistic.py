from __future__ import annotations

import pytest

from lambdatop.demo.emulator.statistic import UnknownStatistic, check, compute


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("Sum", 10.0),
        ("Average", 2.5),
        ("Minimum", 1.0),
        ("Maximum", 4.0),
        ("SampleCount", 4.0),
        ("p0", 1.0),
        ("p50", 2.5),
        ("p99", 3.97),
        ("p99.9", 3.997),
        ("p100", 4.0),
    ],
)
def test_statistics_of_one_to_four(stat: str, expected: float) -> None:
    assert compute([3, 1, 4, 2], stat) == pytest.approx(expected)


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert compute([7], "p99") == 7


@pytest.mark.parametrize("stat", ["p101", "p", "IQM", "tm99", "sum", ""])
def test_other_statistics_are_refused(stat: str) -> None:
    with pytest.raises(UnknownStatistic):
        check(stat)
