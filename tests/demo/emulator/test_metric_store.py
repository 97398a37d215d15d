from __future__ import annotations

from lambdatop.demo.emulator.metric_store import KEPT_BUCKETS, MetricKey, MetricStore, Scope, dimensions
from lambdatop.demo.emulator.timeline import Timeline

NOW = 1_795_222_347.25
MINUTE = int(NOW // 60 * 60)
KEY = MetricKey(Scope("1", "r"), "AWS/Lambda", "Invocations", dimensions({"FunctionName": "f"}))


def test_every_value_is_published_exactly_once_over_the_window() -> None:
    store = MetricStore(Timeline(12))
    for age_s in range(60):
        store.record(KEY, 1, NOW - age_s)
    points = store.read(KEY, "Sum", 60, NOW - 3600, NOW + 60, NOW)
    assert sum(value for _, value in points) == 60
    assert [at for at, _ in points] == sorted(at for at, _ in points)
    assert points[-1][0] == MINUTE
    assert {value for _, value in points[1:-1]} == {5.0}


def test_longer_periods_merge_minutes() -> None:
    store = MetricStore(Timeline(12))
    for age_s in (0, 5, 10, 15):
        store.record(KEY, 1, NOW - age_s)
    points = store.read(KEY, "Sum", 300, NOW - 3600, NOW + 60, NOW)
    assert sum(value for _, value in points) == 4
    assert all(at % 300 == 0 for at, _ in points)


def test_the_start_is_inclusive_and_the_end_exclusive() -> None:
    store = MetricStore(Timeline(1))
    store.record(KEY, 1, MINUTE)
    assert store.read(KEY, "Sum", 60, MINUTE + 30, MINUTE + 60, NOW) == [(MINUTE, 1.0)]
    assert store.read(KEY, "Sum", 60, MINUTE - 60, MINUTE, NOW) == []


def test_dimensions_select_exactly_and_scopes_are_apart() -> None:
    store = MetricStore(Timeline(1))
    store.record(KEY, 1, NOW)
    account_wide = MetricKey(KEY.scope, KEY.namespace, KEY.name)
    elsewhere = MetricKey(Scope("2", "r"), KEY.namespace, KEY.name, KEY.dimensions)
    for other in (account_wide, elsewhere):
        assert store.read(other, "Sum", 60, NOW - 60, NOW + 60, NOW) == []
    assert store.keys(KEY.scope) == [KEY]


def test_pruning_keeps_the_window_and_drops_what_is_older() -> None:
    store = MetricStore(Timeline(12))
    store.record(KEY, 1, NOW - (KEPT_BUCKETS + 2) * 5)
    store.prune(NOW)
    assert store.keys(KEY.scope) == []
    store.record(KEY, 1, NOW - 3)
    store.prune(NOW)
    assert store.keys(KEY.scope) == [KEY]
