"""An answer that arrives after a newer one brings nothing back."""

from __future__ import annotations

from itertools import permutations

import pytest
from fakes.worlds import MAPPING, NOW, ORDERS, SCOPE, WORKER, function, mapping, points, queue

from lambdatop.domain.facts.event_source_mapping import StreamFacts
from lambdatop.domain.facts.function import AlarmFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

STREAM = Key(SCOPE, "stream", "clicks")
ALARM = Key(SCOPE, "alarm", "dlq")


def folded(*events: ev.Event) -> World:
    return fold_all(EMPTY_WORLD, events)


def answer(at: float, metric: str, value: float) -> ev.MetricsObserved:
    return ev.MetricsObserved(SCOPE, at, NOW - 600, NOW, (points(WORKER, metric, [value]),))


def logged(at: float, number: int, complete: bool) -> ev.LogsObserved:
    line = parse(at, f"e{number}", "s", f"line {number}")
    return ev.LogsObserved(SCOPE, at, WORKER, "/g", (line,), complete, "" if complete else "gap")


@pytest.mark.parametrize("order", permutations(range(3)))
def test_the_newest_answer_counts_in_any_order(order: tuple[int, int, int]) -> None:
    def at(i: int) -> float:
        return NOW + i

    rounds = [
        (
            ev.ConcurrencyObserved(SCOPE, at(i), ((WORKER, 10 * i),)),
            ev.StreamsObserved(SCOPE, at(i), (StreamFacts(STREAM, "arn", "kinesis", 86_400 * (i + 1)),)),
            ev.AlarmsObserved(SCOPE, at(i), (AlarmFacts(ALARM, f"reason {i}", "m", "n", None, None),)),
            ev.SourceReported(SCOPE, at(i), "metrics", "failed" if i == 2 else "ok"),
            ev.QueuesObserved(SCOPE, at(i), (queue(ORDERS, at=at(i), visible=i),)),
            logged(at(i), i, complete=i != 2),
        )
        for i in range(3)
    ]
    world = folded(*(event for i in order for event in rounds[i]))
    assert world.reserved[WORKER] == 20
    assert world.streams[STREAM].retention_s == 3 * 86_400
    assert world.alarms[ALARM].reason == "reason 2"
    health = world.sources["metrics"]
    assert (health.report.state, health.report.at, health.ok_at) == ("failed", NOW + 2, NOW + 1)
    history = world.queues[ORDERS]
    assert history.facts.visible == 2
    assert history.depths == ((NOW, 0), (NOW + 1, 1), (NOW + 2, 2))
    tail = world.logs[WORKER]
    assert (tail.complete, tail.gap, tail.at) == (False, "gap", NOW + 2)
    assert {line.text for line in tail.lines} == {"line 0", "line 1", "line 2"}


def test_a_series_that_only_the_late_answer_holds_is_kept() -> None:
    """Not every answer holds every series; the late one is old news for the series that came since."""
    early, late = answer(NOW + 60, "Errors", 5.0), answer(NOW, "Invocations", 9.0)
    world = folded(early, late, answer(NOW, "Errors", 1.0))
    assert tuple(world.metric(WORKER, "Invocations").values) == (9.0,)
    assert tuple(world.metric(WORKER, "Errors").values) == (5.0,)
    assert world.metrics_at[WORKER] == NOW + 60


def test_a_control_read_back_before_a_newer_poll_does_not_beat_it() -> None:
    def control(at: float) -> ev.ControlObserved:
        said = (ev.Control(WORKER, "reserved_concurrency", 0), ev.Control(MAPPING, "state", "Disabled"))
        return ev.ControlObserved(SCOPE, at, said)

    known = (
        ev.MappingsListed(SCOPE, NOW, (mapping(),)),
        ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 50),)),
    )
    older, newer = folded(*known, control(NOW - 1)), folded(*known, control(NOW + 1))
    assert (older.reserved[WORKER], older.mappings[MAPPING].state) == (50, "Enabled")
    assert (newer.reserved[WORKER], newer.mappings[MAPPING].state) == (0, "Disabled")


def test_a_function_that_is_gone_leaves_no_age_behind() -> None:
    """Else the first answer about a new function of the same name could look old."""
    world = folded(
        ev.FunctionsListed(SCOPE, NOW, (function(),)),
        ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 5),)),
        answer(NOW, "Errors", 1.0),
        ev.FunctionsListed(SCOPE, NOW + 1, ()),
    )
    assert not {*world.reserved_at, *world.metrics_at, *world.series}
