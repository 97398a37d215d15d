from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.engine.collecting.backoff import Pace

STATES = st.lists(st.sampled_from(["ok", "throttled", "denied", "failed"]), max_size=40)


def intervals(base_s: float, states: list[str]) -> list[float]:
    pace, found = Pace(base_s), []
    for state in states:
        pace = pace.after(state)
        found.append(pace.interval()[0])
    return found


def test_failures_double_up_to_the_cap_and_one_success_ends_them() -> None:
    assert intervals(5, ["failed"] * 5 + ["ok"]) == [10, 20, 40, 40, 40, 5]
    assert intervals(60, ["failed"] * 6) == [20, 40, 80, 160, 300, 300]


def test_a_slow_source_tries_again_soon_after_a_failure() -> None:
    assert intervals(300, ["failed"] * 6 + ["ok"]) == [20, 40, 80, 160, 300, 300, 300]


def test_denied_does_not_ask_sooner_than_usual() -> None:
    assert intervals(60, ["denied"] * 4) == [120, 240, 300, 300]
    assert intervals(300, ["denied"]) == [300]


def test_throttling_slows_at_once_and_recovers_slowly() -> None:
    assert intervals(10, ["throttled", "throttled"]) == [20, 40]
    recovering = intervals(10, ["throttled", "throttled"] + ["ok"] * 6)[2:]
    assert recovering == sorted(recovering, reverse=True)
    assert recovering[0] == 30
    assert recovering[-1] == 10


@given(base_s=st.floats(0.1, 900), states=STATES, floor_s=st.floats(0, 2000), chance=st.floats(0, 1))
def test_never_faster_than_the_floor_and_never_beyond_the_cap(
    base_s: float, states: list[str], floor_s: float, chance: float
) -> None:
    pace = Pace(base_s)
    for state in states:
        pace = pace.after(state)
    wait = pace.wait((floor_s, "budget"), chance)
    assert wait >= floor_s
    assert wait <= 1.1 * max(floor_s, base_s, min(8 * base_s, 300)) + 1e-9


@given(base_s=st.floats(0.1, 900), chance=st.floats(0, 1))
def test_jitter_is_ten_percent(base_s: float, chance: float) -> None:
    assert 0.9 * base_s - 1e-9 <= Pace(base_s).wait((0.0, ""), chance) <= 1.1 * base_s + 1e-9


@pytest.mark.parametrize(
    ("states", "floor", "why"),
    [
        ([], (0.0, ""), ""),
        ([], (99.0, "the budget is used up"), "the budget is used up"),
        (["throttled"], (0.0, ""), "slowed down by throttling"),
        (["failed"], (0.0, ""), "backing off after a failure"),
    ],
)
def test_a_pace_says_why_it_is_slower(states: list[str], floor: tuple[float, str], why: str) -> None:
    pace = Pace(10)
    for state in states:
        pace = pace.after(state)
    assert pace.interval(floor)[1] == why
