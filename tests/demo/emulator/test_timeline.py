from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.demo.emulator.timeline import Timeline

NOW = 1_795_222_347.25


def test_without_compression_a_bucket_is_its_own_minute() -> None:
    timeline = Timeline(1)
    assert timeline.minute(timeline.bucket(NOW), NOW) == NOW // 60 * 60
    assert timeline.minute(timeline.bucket(NOW - 600), NOW) == (NOW - 600) // 60 * 60


def test_twelve_times_compression_publishes_five_seconds_as_one_minute() -> None:
    timeline = Timeline(12)
    assert timeline.bucket_s == 5
    current = timeline.bucket(NOW)
    assert timeline.minute(current, NOW) == NOW // 60 * 60
    assert timeline.minute(current - 1, NOW) == NOW // 60 * 60 - 60
    assert timeline.minute(timeline.bucket(NOW - 300), NOW) == NOW // 60 * 60 - 3600


def test_ages_grow_with_the_compressed_clock_and_are_never_negative() -> None:
    assert Timeline(12).aged(2.5) == 30
    assert Timeline(12).aged(-0.001) == 0


def test_a_compression_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Timeline(0)


@given(st.integers(1, 60), st.floats(0, 3000), st.floats(0, 3000))
def test_later_events_never_answer_for_earlier_minutes(times: int, first: float, second: float) -> None:
    timeline, (early, late) = Timeline(times), sorted((NOW - first, NOW - second))
    assert timeline.minute(timeline.bucket(early), NOW) <= timeline.minute(timeline.bucket(late), NOW)
    assert timeline.minute(timeline.bucket(late), NOW) <= NOW
