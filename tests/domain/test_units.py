"""Numbers as people read them, with their units."""

from __future__ import annotations

import pytest

from lambdatop.domain import units
from lambdatop.domain.units import about, about_age, minutes


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (99, "99s"), (100, "1m"), (5_999, "99m"), (6_000, "1h"), (172_799, "47h"), (172_800, "2d"),
     (-5, "0s")],
)  # fmt: skip
def test_age(seconds: float, text: str) -> None:
    assert units.age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (45, "45 s"),
        (89, "89 s"),
        (90, "1 min 30 s"),
        (119.6, "2 min"),
        (299, "4 min 59 s"),
        (300, "5 min"),
        (599, "9 min 59 s"),
        (659, "10 min"),
        (720, "12 min"),
        (12_000, "3 h 20 min"),
        (10_800, "3 h"),
        (187_200, "2 d 4 h"),
        (-5, "0 s"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert units.span(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (12_288, "12 KiB"),
        (80_530_636_800, "75.0 GiB"),
        (2**41, "2.0 TiB"),
    ],
)
def test_size(value: float, text: str) -> None:
    assert units.size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (0.00001, "<$0.0001"),
        (0.0042, "$0.0042"),
        (0.5, "$0.5"),
        (1.2, "$1.20"),
        (1204.4, "$1,204"),
    ],
)
def test_usd(value: float, text: str) -> None:
    assert units.usd(value) == text


def test_a_moment_is_told_in_utc_or_not_at_all() -> None:
    assert units.iso(1_782_914_602.12) == "2026-07-01T14:03:22Z"
    assert units.iso(1_782_914_602.12, "milliseconds") == "2026-07-01T14:03:22.120Z"
    assert {units.iso(odd) for odd in (float("inf"), float("nan"), 1e300, -1e12, 1e12)} == {None}


def test_one_is_one_and_others_are_several() -> None:
    assert [units.plural(n, "alarm") for n in (0, 1, 1_200)] == ["0 alarms", "1 alarm", "1,200 alarms"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (59.9, "less than a minute"),
        (734, "12 min"),
        (5399, "89 min"),
        (10_934, "3 h"),
        (12_599, "3 h 20 min"),
        (53_999, "14 h"),
        (190_000, "2 d 4 h"),
        (1_000_000, "11 d"),
    ],
)
def test_a_forecast_says_no_more_than_is_known(seconds: float, words: str) -> None:
    """Its points are minutes, so it has no seconds, and from ten hours on no minutes."""
    assert about(seconds) == words
    assert minutes(seconds) % 60 == 0


def test_forecasts_in_cells_have_no_seconds() -> None:
    assert [about_age(s) for s in (12, 65, 99, 7_300)] == ["<1m", "1m", "1m", "2h"]
