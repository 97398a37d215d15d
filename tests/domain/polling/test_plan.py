"""The polling plan: what it costs, whom it asks first, and what it does when the money is gone."""

from __future__ import annotations

import pytest
from bench.polling_cost import CELLS, ERRORS, NOW, SCOPE, row, state, table
from msgspec.structs import replace

from lambdatop.domain.cost.pricing import METRIC_USD
from lambdatop.domain.keys import Key
from lambdatop.domain.polling.plan import plan
from lambdatop.domain.polling.state import PollingState
from lambdatop.domain.polling.tripwire import WIRES, Metric, Move, Reading
from lambdatop.domain.settings.settings import Limits

Cell = tuple[int, float, str]
BUDGET, CALM = Limits().budget_usd_per_hour, Limits().calm_usd_per_hour


def fn(name: str) -> Key:
    return Key(SCOPE, "function", name)


def small(count: int, **changes: object) -> PollingState:
    given = PollingState(NOW, 60.0, BUDGET, CALM, functions=frozenset(fn(f"f{i:04d}") for i in range(count)))
    return replace(given, **changes)


def done(before: PollingState, after_s: float) -> PollingState:
    """Return the state after everything that is due now was asked, `after_s` later."""
    now = plan(before)
    asked = dict(before.asked) | dict.fromkeys((*now.detail, *now.fixed), before.now)
    swept = dict(before.swept)
    if now.sweep:
        swept[now.metric] = dict(swept.get(now.metric, {})) | dict.fromkeys(now.sweep, before.now)
    return replace(
        before,
        now=before.now + after_s,
        asked=asked,
        swept=swept,
        wire_at=before.now if now.wire else before.wire_at,
        discovered_at=before.now if now.discover else before.discovered_at,
        periodic_at=before.now if now.periodic else before.periodic_at,
        swept_excess={m.wire.sweep: m.excess for m in before.reading.moves} if now.sweep else {},
    )


# -- the promises, for all sizes -------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_budget_holds_for_every_size(cell: Cell) -> None:
    polling, spending = row(*cell).polling, cell[-1]
    assert 0 < polling.usd_per_hour <= (CALM if spending == "calm" else BUDGET)


@pytest.mark.parametrize("cell", [c for c in CELLS if c[:2] != (50_000, 1.0)], ids=str)
def test_who_moves_a_total_has_detail_within_two_minutes(cell: Cell) -> None:
    polling, spending = row(*cell).polling, cell[-1]
    assert polling.mover_s <= 120
    if spending != "calm":
        assert polling.hot_s <= 120


def test_an_account_that_is_too_large_for_one_sweep_says_so() -> None:
    huge = row(50_000, 1.0, "incident")
    assert huge.polling.mover_s > 600
    assert huge.polling.hot_s <= 120


def test_the_discovery_interval_is_told_and_no_cold_function_waits_longer() -> None:
    for one in table():
        assert one.polling.discovery_s <= one.polling.cold_s <= 1.1 * one.polling.discovery_s + 1e-6
    told = {r.functions: r.polling.discovery_s for r in table() if (r.active, r.spending) == (0.30, "calm")}
    assert told[50] < told[1_000] <= told[10_000] < told[50_000]


@pytest.mark.parametrize("spending", ["calm", "incident", "searching"])
@pytest.mark.parametrize("functions", [50, 300, 1_000])
def test_an_hour_of_rounds_costs_what_the_plan_says(functions: int, spending: str) -> None:
    now, units = state(functions, 0.5, spending), 0.0
    for _ in range(60):
        due = plan(now)
        units += now.wire_units * due.wire + due.discover + len(due.sweep)
        units += len(due.detail) * now.series + sum(now.fixed[k] for k in due.fixed)
        now = replace(done(now, 60.0), spent=units)
    told = plan(state(functions, 0.5, spending)).polling.usd_per_hour
    assert units * METRIC_USD <= (1.25 if spending == "calm" else 1.0) * (
        CALM if spending == "calm" else BUDGET
    )
    assert units * METRIC_USD >= 0.5 * told


# -- small accounts --------------------------------------------------------------------------------


def test_a_small_account_is_asked_everything_each_minute_when_something_is_wrong() -> None:
    wrong = small(60, troubled=True, active=frozenset({fn("f0001")}))
    assert set(plan(wrong).detail) == set(wrong.functions)
    again = done(wrong, 60.0)
    assert set(plan(again).detail) == set(wrong.functions)
    assert plan(again).sweep == ()
    assert plan(wrong).polling.slowed == ""


def test_a_tiny_account_is_asked_everything_each_minute_also_while_calm() -> None:
    calm = small(6)
    assert plan(calm).polling.spending == "calm"
    assert set(plan(done(calm, 60.0)).detail) == set(calm.functions)


def test_without_a_budget_everything_is_asked_in_each_round() -> None:
    free = small(3_000, budget=0.0, fixed={Key(SCOPE, "queue", "q"): 6}, asked={fn("f0001"): NOW - 1})
    now = plan(free)
    assert now.detail == tuple(sorted(free.functions))
    assert now.fixed == (Key(SCOPE, "queue", "q"),)
    assert (now.sweep, now.discover, now.polling.spending, now.polling.slowed) == ((), False, "unlimited", "")


def test_the_calm_budget_never_exceeds_the_budget() -> None:
    poor = small(500, budget=0.02, calm=0.05, visible=frozenset({fn("f0001")}))
    assert plan(poor).polling.usd_per_hour <= 0.02
    assert plan(replace(poor, troubled=True)).polling.usd_per_hour <= 0.02


# -- who is asked ----------------------------------------------------------------------------------


def large(**changes: object) -> PollingState:
    functions = frozenset(fn(f"f{i:04d}") for i in range(5_000))
    active = frozenset(fn(f"f{i:04d}") for i in range(1_500))
    given = PollingState(NOW, 60.0, BUDGET, CALM, functions=functions, active=active, discovered_at=NOW - 600)
    return replace(given, **changes)


def test_only_what_somebody_looks_at_is_asked_in_a_large_calm_account() -> None:
    seen = frozenset(fn(f"f{i:04d}") for i in range(20))
    calm = large(visible=seen, watched=frozenset({fn("f4000")}), periodic_at=NOW - 60)
    now = plan(calm)
    assert set(now.detail) == seen | {fn("f4000")}
    assert now.detail[0] == fn("f4000")
    assert plan(done(calm, 60.0)).detail == ()
    assert "rows on screen" in now.polling.slowed
    assert "$0.05 an hour while nothing is wrong" in now.polling.slowed


def test_a_row_that_comes_on_screen_is_asked_at_once_even_when_the_calm_money_is_gone() -> None:
    broke = large(visible=frozenset({fn("f0001"), fn("f0002")}), calm_units=5_000, periodic_at=NOW)
    assert set(plan(broke).detail) == {fn("f0001"), fn("f0002")}
    known = replace(broke, asked=dict.fromkeys(broke.visible, NOW - 3_000))
    assert plan(known).detail == ()
    gone = replace(broke, spent=BUDGET / METRIC_USD)
    assert plan(gone).detail == ()
    assert plan(gone).wire


def test_a_move_sweeps_the_active_ones_at_once_then_those_asleep_then_waits() -> None:
    moved = large(reading=ERRORS, periodic_at=NOW)
    first = plan(moved)
    assert set(first.sweep) == set(moved.active or ())
    assert first.metric == Metric("Errors", "Sum")
    second = done(moved, 1.0)
    assert set(plan(second).sweep) == moved.functions - (moved.active or frozenset())
    third = done(second, 60.0)
    assert plan(third).sweep == ()
    later = replace(third, now=third.now + 3_500)
    assert set(plan(later).sweep) == set(moved.active or ())


def test_a_move_that_has_grown_is_swept_for_again() -> None:
    moved = done(large(reading=ERRORS, periodic_at=NOW), 60.0)
    assert not set(plan(moved).sweep) & set(moved.active or ())
    larger = ERRORS.moves[0]._replace(value=2_000.0)
    assert set(plan(replace(moved, reading=Reading((larger,)))).sweep) == set(moved.active or ())


def test_an_explained_move_and_a_fall_search_for_nobody() -> None:
    for move in (ERRORS.moves[0]._replace(explained=True), Move(WIRES[5], 1, 3.0, 5_000.0)):
        now = plan(large(reading=Reading((move,)), periodic_at=NOW))
        assert now.sweep == ()
        assert now.polling.spending == "wrong"
        assert move.wire.words in now.polling.why


def test_sweeps_leave_money_for_looking_at_what_they_find() -> None:
    hot = tuple(fn(f"f{i:04d}") for i in range(5))
    swept = 0.6 * BUDGET / METRIC_USD
    now = plan(large(reading=ERRORS, hot=hot, spent=swept, swept_units=swept, periodic_at=NOW))
    assert now.sweep == ()
    assert set(now.detail) == set(hot)


def test_more_hot_functions_than_the_budget_can_follow_take_turns() -> None:
    hot = tuple(fn(f"f{i:04d}") for i in range(400))
    now = large(hot=hot, troubled=True, periodic_at=NOW)
    seen: set[Key] = set()
    told = plan(now).polling
    for _ in range(int(told.detail_s / 60) + 2):
        due = plan(now).detail
        assert set(hot[:20]) <= set(due), "the most urgent ones are asked each minute"
        assert len(due) * now.series * 60 * METRIC_USD <= BUDGET
        seen |= set(due)
        now = done(now, 60.0)
    assert seen >= set(hot)
    assert told.usd_per_hour <= BUDGET


def test_discovery_is_hourly_and_sooner_while_searching() -> None:
    assert not plan(large(discovered_at=NOW - 3_500)).discover
    assert plan(large(discovered_at=NOW - 3_700)).discover
    assert plan(large(discovered_at=NOW - 700, reading=ERRORS)).discover
    assert not plan(large(discovered_at=NOW - 500, reading=ERRORS)).discover


def test_what_others_have_spent_goes_off_but_never_all() -> None:
    hot = tuple(fn(f"f{i:04d}") for i in range(40))
    free = plan(large(hot=hot, troubled=True)).polling
    live = plan(large(hot=hot, troubled=True, others=0.4 / METRIC_USD)).polling
    gone = plan(large(hot=hot, troubled=True, others=2.0 / METRIC_USD)).polling
    assert free.usd_per_hour > live.usd_per_hour > gone.usd_per_hour > 0
    assert live.usd_per_hour <= BUDGET - 0.4
    assert gone.usd_per_hour <= CALM
    assert "hot functions every" in gone.slowed


# -- everything now --------------------------------------------------------------------------------


def test_a_full_look_asks_each_function_once_whatever_it_costs() -> None:
    now = large(full_since=NOW, spent=10 * BUDGET / METRIC_USD, fixed={Key(SCOPE, "queue", "q"): 6})
    asked: list[Key] = []
    fixed: list[Key] = []
    while True:
        due = plan(now)
        asked += due.detail
        fixed += due.fixed
        if not due.more:
            break
        now = done(now, 1.0)
    assert sorted(asked) == sorted(now.functions)
    assert fixed == [Key(SCOPE, "queue", "q")]
    polling = plan(now).polling
    assert polling.full_units == 5_000 * 10 + 6 + 11
    assert polling.full_usd == polling.full_units * METRIC_USD
