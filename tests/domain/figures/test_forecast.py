"""The robust trend and the range of exhaustion, against cases computed by hand."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest

from lambdatop.domain.figures.forecast import FEWEST, UNKNOWN, forecast, quantile, theil_sen


def minutes(*values: float) -> tuple[tuple[float, float], ...]:
    return tuple((60.0 * i, v) for i, v in enumerate(values))


def test_a_constant_does_not_grow() -> None:
    seen = forecast(minutes(*[40.0] * 12), 60, 40)
    assert seen.trend is not None
    assert (seen.trend.per_min, seen.exhausted_in_s, seen.range_s, seen.confidence) == (0, None, None, "")


def test_a_straight_line_ends_when_it_must() -> None:
    # 100, 110, … 190: 10 a minute, 210 left are gone in 21 minutes, whichever slope is taken.
    seen = forecast(minutes(*(100.0 + 10 * i for i in range(10))), 210, 190)
    assert seen.exhausted_in_s == pytest.approx(1260)
    assert seen.range_s == pytest.approx((1260, 1260))
    assert seen.confidence == "high"


def test_six_points_are_worth_less_than_ten() -> None:
    assert forecast(minutes(*(10.0 * i for i in range(1, 7))), 100, 60).confidence == "medium"
    assert forecast(minutes(*(10.0 * i for i in range(1, 6))), 100, 50).confidence == "low"


def test_outliers_do_not_move_it_far() -> None:
    values = [100.0 + 10 * i for i in range(12)]
    values[3], values[8] = 900.0, 0.0
    seen = forecast(minutes(*values), 210, values[-1])
    # Of 66 pairs 45 hold neither outlier, and their slope is 10: the median stays there.
    assert seen.trend is not None
    assert seen.trend.per_min == pytest.approx(10)
    assert seen.range_s is not None
    assert seen.range_s[0] <= 1260 <= seen.range_s[1]


def test_the_range_is_the_quartiles_of_all_slopes() -> None:
    # 0, 1, 4, 9: slopes 1, 2, 3 (from 0), 3, 4 (from 1), 5 (from 4); sorted 1 2 3 3 4 5.
    trend = theil_sen(minutes(0, 1, 4, 9))
    assert trend is not None
    assert (trend.low, trend.per_min, trend.high) == pytest.approx((2.25, 3.0, 3.75))
    seen = forecast(minutes(0, 1, 4, 9), 90, 9)
    assert seen.range_s == pytest.approx((90 / 3.75 * 60, 90 / 2.25 * 60))
    assert seen.confidence == "low", "four points are few"


def test_a_step_has_a_soonest_moment_and_no_latest() -> None:
    seen = forecast(minutes(*[100.0] * 6, *[700.0] * 6), 300, 700)
    # 30 of 66 slopes are zero: the lower quartile is, so nothing says that it goes on.
    assert seen.range_s is not None
    assert seen.range_s[1] == math.inf
    assert seen.confidence == "low"


def test_falling_is_not_growing() -> None:
    seen = forecast(minutes(*(500.0 - 20 * i for i in range(10))), 700, 320)
    assert seen.trend is not None
    assert seen.trend.per_min == -20
    assert seen.exhausted_in_s is None


def test_noise_is_not_growth_that_can_be_trusted() -> None:
    dice = Random(7)
    for _ in range(50):
        seen = forecast(minutes(*(500 + dice.uniform(-40, 40) for _ in range(15))), 500, 500)
        assert seen.exhausted_in_s is None or seen.confidence == "low"


def test_too_few_points_say_nothing() -> None:
    assert forecast(minutes(1, 2, 3), 10, 3) is UNKNOWN
    assert theil_sen(minutes(*range(FEWEST))) is not None
    assert theil_sen([(5.0, 1.0)] * 6) is None, "no time passes between them"


def test_what_is_full_is_full_now() -> None:
    assert forecast(minutes(*(10.0 * i for i in range(1, 11))), 0, 100).range_s == (0.0, 0.0)


def test_what_fills_next_month_does_not_fill() -> None:
    assert forecast(minutes(*(100_000.0 + 60 * i for i in range(10))), 1e9, 100_540).range_s is None


def test_growth_below_its_own_noise_floor_is_none() -> None:
    # 0.01 a minute of 1,000: at that rate nobody waits for the end.
    assert forecast(minutes(*(1000 + 0.01 * i for i in range(10))), 5, 1000).exhausted_in_s is None


def test_properties_of_any_series() -> None:
    dice = Random(11)
    for _ in range(200):
        count, slope = dice.randint(FEWEST, 15), dice.uniform(0.5, 50)
        values = [100 + slope * i + dice.gauss(0, slope) for i in range(count)]
        seen, shifted = (
            forecast(minutes(*values), 500, 200),
            forecast(tuple((t + 6e6, v + 7) for t, v in minutes(*values)), 500, 200),
        )
        assert seen.trend is not None
        assert shifted.trend is not None
        assert seen.trend.low <= seen.trend.per_min <= seen.trend.high
        assert shifted.trend.per_min == pytest.approx(seen.trend.per_min), "neither time nor level matters"
        if seen.range_s is not None and seen.exhausted_in_s is not None:
            assert seen.range_s[0] <= seen.exhausted_in_s + 1e-9
            assert seen.exhausted_in_s <= seen.range_s[1] + 1e-9
            half = forecast(minutes(*values), 250, 200)
            assert half.exhausted_in_s == pytest.approx(seen.exhausted_in_s / 2), (
                "half the room, half the time"
            )


def test_quantiles_lie_between_neighbours() -> None:
    assert [quantile([1, 2, 3, 4], q) for q in (0, 0.5, 1)] == [1, 2.5, 4]
    steps = [quantile([3, 5, 8, 13, 21], i / 20) for i in range(21)]
    assert all(a <= b for a, b in pairwise(steps))
