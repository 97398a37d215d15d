"""Points in two columns say and do what pairs do; silent things are told once."""

from __future__ import annotations

from array import array

from fakes.worlds import NOW, SCOPE
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.facts.series import Columns, Series, SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

MINUTES = st.sets(st.integers(0, 12), max_size=9).map(lambda found: tuple(60 * m for m in sorted(found)))


def columns(times: tuple[int, ...], shift: float = 0.0) -> Columns:
    return Columns(times, array("d", [t / 7 + shift for t in times]))


def test_they_compare_and_slice_as_pairs() -> None:
    both = columns((60, 120, 180), 1.5), tuple((t, t / 7 + 1.5) for t in (60, 120, 180))
    assert both[0] == both[1]
    assert both[1] == both[0]
    assert hash(both[0]) == hash(both[1])
    assert (both[0][1:], both[0][-1], len(both[0]), list(both[0])) == (
        both[1][1:],
        both[1][-1],
        3,
        [*both[1]],
    )
    assert both[0] != columns((60, 120, 180))


@given(MINUTES, MINUTES, st.integers(0, 12), st.integers(0, 12))
def test_replacing_by_columns_is_replacing_by_pairs(
    old: tuple[int, ...], new: tuple[int, ...], first: int, last: int
) -> None:
    known = Series(old, array("d", [float(t) for t in old]))
    start, end = 60 * min(first, last), 60 * max(first, last)
    assert known.replace(start, end, columns(new)) == known.replace(start, end, tuple(columns(new)))


def test_what_is_silent_is_told_once_and_what_runs_for_itself() -> None:
    names = ("a", "b", "c")
    keys = [SeriesKey(Key(SCOPE, "function", name), "Errors", "Sum") for name in names]
    data = (
        ev.MetricPoints(keys[0], ()),
        ev.MetricPoints(keys[1], columns((60,))),
        ev.MetricPoints(keys[2], ()),
    )
    series = fold_all(EMPTY_WORLD, (ev.MetricsObserved(SCOPE, NOW, 0.0, 600.0, data),)).series
    a, b, c = (series[one.key] for one in keys)
    assert a is c
    assert b.series["Errors", "Sum"].times == (60,)
    assert not a.series["Errors", "Sum"].times
    assert a.at == b.at == {("Errors", "Sum"): NOW}
