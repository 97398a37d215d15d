from __future__ import annotations

import pytest

from lambdatop.tui.style import format as fmt

UNKNOWN = fmt.UNKNOWN


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, UNKNOWN), (0, "0"), (0.01, "<0.1"), (0.3, "0.3"), (3, "3"), (9.94, "9.9"), (9.96, "10"),
     (812.4, "812"), (12_345, "12,345"), (99_999.6, "100k"), (999_499, "999k"), (4_500_000, "4.5M"),
     (2.5e9, "2.5G"), (-3.4, "-3.4")],
)  # fmt: skip
def test_number(value: float | None, text: str) -> None:
    assert fmt.number(value) == text


def test_rates_line_up() -> None:
    assert [fmt.rate(v) for v in (None, 0, 0.01, 4, 8.3, 9.96, 714)] == [
        UNKNOWN, "0", "<0.1", "4.0", "8.3", "10", "714",
    ]  # fmt: skip


def test_unknown_is_never_zero() -> None:
    for make in (
        fmt.number,
        fmt.rate,
        fmt.percent,
        fmt.millis,
        fmt.ratio,
        fmt.age,
        fmt.span,
        fmt.size,
        fmt.usd,
    ):
        assert make(None) == UNKNOWN
        assert make(0) != UNKNOWN


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0004, "<0.1"), (0.004, "0.4"), (0.0996, "10"), (0.367, "37"), (1, "100")]
)
def test_percent(value: float, text: str) -> None:
    assert fmt.percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "<10s"), (9.9, "<10s"), (10, "10s"), (99, "90s"), (100, "1m"), (-5, "<10s")]
)
def test_coarse_age(seconds: float, text: str) -> None:
    assert fmt.coarse_age(seconds) == text


def test_times_are_utc() -> None:
    assert fmt.clock(1_782_914_602.0) == "14:03:22"
    assert fmt.clock_ms(1_782_914_602.12) == "14:03:22.120"
    assert fmt.moment(1_782_914_602.0) == "2026-07-01 14:03:22Z"
    assert fmt.signed(12) == "+12"
    assert fmt.signed(-2.5) == "-2.5"


def test_what_is_not_known_is_never_zero() -> None:
    assert {make(None) for make in (fmt.age, fmt.span, fmt.size, fmt.usd, fmt.usd_column)} == {UNKNOWN}
    assert fmt.usd_column(0.5) == "$0.5000"


@pytest.mark.parametrize("odd", [float("inf"), float("-inf"), float("nan"), 1e300, -1e300, -1e12, 1e12])
def test_no_figure_ends_what_shows_it(odd: float) -> None:
    makers = (fmt.number, fmt.rate, fmt.signed, fmt.percent, fmt.millis, fmt.ratio, fmt.age, fmt.coarse_age)
    more = (fmt.span, fmt.size, fmt.usd)
    assert all(make(odd) for make in (*makers, *more))
    assert {make(odd) for make in (fmt.clock, fmt.clock_ms, fmt.moment)} == {UNKNOWN}


def test_times_are_in_utc() -> None:
    made = [make(1_782_914_602.1209) for make in (fmt.clock, fmt.clock_ms, fmt.moment)]
    assert made == ["14:03:22", "14:03:22.120", "2026-07-01 14:03:22Z"]
