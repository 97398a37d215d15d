from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.facts.series import MINUTE, Series
from lambdatop.domain.figures.sudden_change import burst

END = 1_800_000_000


def series(counts: list[float]) -> Series:
    first = END - MINUTE * len(counts)
    return Series(tuple(first + MINUTE * i for i in range(len(counts))), tuple(counts))


def found(*counts: float) -> object:
    return burst(series(list(counts)), END, 10.0, 1.5, 60.0)


USUAL = [20.0, 24.0, 18.0, 22.0] * 10


def test_a_jump_that_stays_is_seen_for_a_quarter_of_an_hour() -> None:
    for minutes in range(2, 16):
        seen = burst(series(USUAL + [3000.0] * minutes), END, 10.0, 1.5, 60.0)
        assert seen is not None
        assert (seen.before, seen.now, seen.since) == (24.0, 3000.0, END - minutes * MINUTE)
        assert seen.words == "24 -> 3000 a minute"
    assert found(*USUAL, *[3000.0] * 16) is None
    assert found(*USUAL, 3000.0) is None  # one minute
    assert found(*USUAL, 3000.0, 22.0) is None
    assert found(*USUAL, *[239.0] * 5) is None


def test_growth_is_seen_after_three_minutes() -> None:
    seen = burst(series([*USUAL, 36.0, 65.0, 117.0]), END, 10.0, 1.5, 60.0)
    assert seen is not None
    assert seen.steps == (22.0, 36.0, 65.0, 117.0)
    assert seen.words == "22 -> 36 -> 65 -> 117 a minute"
    assert found(*USUAL, 36.0, 65.0) is None
    assert found(*USUAL, 36.0, 65.0, 66.0) is None
    assert found(*[100.0] * 30, 20.0, 36.0, 65.0, 117.0) is None  # back to what was usual
    assert found(*[1.0] * 30, 3.0, 6.0, 12.0) is None  # too few


def test_what_repeats_within_the_hour_is_no_burst() -> None:
    assert found(*[2.0] * 15, *[900.0] * 3, *[2.0] * 15, *[900.0] * 3) is None


@pytest.mark.parametrize("minutes", [0, 5, 11])
def test_without_a_history_there_is_none(minutes: int) -> None:
    assert found(*[1.0] * max(0, minutes - 2), *[900.0] * min(2, minutes)) is None


@given(st.lists(st.floats(0, 1e9), max_size=80), st.floats(1, 100), st.floats(1, 10), st.floats(1, 1e6))
def test_any_counts_have_a_burst_or_none(
    counts: list[float], factor: float, growth: float, least: float
) -> None:
    seen = burst(series(counts), END, factor, growth, least)
    if seen is not None:
        assert seen.now >= least
        assert END - 60 * MINUTE <= seen.since < END
