from __future__ import annotations

import pytest
from fakes.worlds import DLQ, MAPPING, NOW, ORDERS, SCOPE, WORKER, function, mapping, metrics, points, queue
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World


def test_a_complete_list_replaces_what_was_known() -> None:
    first = ev.FunctionsListed(SCOPE, NOW, (function("a"), function("b")))
    then = ev.FunctionsListed(SCOPE, NOW + 1, (function("b"),))
    world = fold_all(EMPTY_WORLD, [first, then])
    assert [f.name for f in world.functions.values()] == ["b"]


def test_an_older_list_that_arrives_late_changes_nothing() -> None:
    newer = fold(EMPTY_WORLD, ev.MappingsListed(SCOPE, NOW, (mapping(),)))
    assert fold(newer, ev.MappingsListed(SCOPE, NOW - 5, ())) is newer


def test_a_deleted_function_takes_its_series_with_it() -> None:
    world = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 5),)),
            metrics(points(WORKER, "Errors", [1.0])),
            ev.FunctionsListed(SCOPE, NOW + 1, ()),
        ],
    )
    assert not world.functions
    assert not world.series
    assert not world.reserved


def test_another_scope_is_left_alone() -> None:
    elsewhere = SCOPE._replace(region="us-east-1")
    other = function("x")
    moved = ev.FunctionsListed(elsewhere, NOW, ())
    world = fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (other,)), moved])
    assert list(world.functions) == [other.key]


def test_a_corrected_minute_replaces_the_first_answer() -> None:
    world = fold(EMPTY_WORLD, metrics(points(WORKER, "Errors", [1.0, 2.0])))
    world = fold(world, metrics(points(WORKER, "Errors", [4.0, 2.0]), at=NOW + 60))
    assert tuple(world.metric(WORKER, "Errors").values) == (4.0, 2.0)


def test_a_point_that_vanished_from_the_answer_vanishes_here() -> None:
    world = fold(EMPTY_WORLD, metrics(points(WORKER, "Errors", [1.0, 2.0])))
    world = fold(world, metrics(points(WORKER, "Errors", []), at=NOW + 1))
    assert tuple(world.metric(WORKER, "Errors").values) == ()


def test_a_gone_queue_disappears() -> None:
    seen = ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS), queue(DLQ)))
    world = fold_all(EMPTY_WORLD, [seen, ev.QueuesObserved(SCOPE, NOW + 1, (), (DLQ,))])
    assert list(world.queues) == [ORDERS]


def test_a_control_read_back_is_visible_before_the_next_poll() -> None:
    world = fold(EMPTY_WORLD, ev.MappingsListed(SCOPE, NOW, (mapping(),)))
    controls = (
        ev.Control(WORKER, "reserved_concurrency", 0),
        ev.Control(MAPPING, "state", "Disabling"),
    )
    world = fold(world, ev.ControlObserved(SCOPE, NOW, controls))
    assert world.reserved[WORKER] == 0
    assert world.mappings[MAPPING].state == "Disabling"


def test_a_poll_that_began_before_a_mutation_does_not_bring_the_old_state_back() -> None:
    world = fold(EMPTY_WORLD, ev.MappingsListed(SCOPE, NOW, (mapping(),)))
    controls = (ev.Control(WORKER, "reserved_concurrency", 0), ev.Control(MAPPING, "state", "Disabled"))
    world = fold(world, ev.ControlObserved(SCOPE, NOW + 5, controls))
    world = fold(world, ev.MappingsListed(SCOPE, NOW + 4, (mapping(),)))
    world = fold(world, ev.ConcurrencyObserved(SCOPE, NOW + 4, ((WORKER, None),)))
    assert world.mappings[MAPPING].state == "Disabled"
    assert world.reserved[WORKER] == 0
    world = fold(world, ev.MappingsListed(SCOPE, NOW + 9, (mapping(),)))
    world = fold(world, ev.ConcurrencyObserved(SCOPE, NOW + 9, ((WORKER, None),)))
    assert world.mappings[MAPPING].state == "Enabled"
    assert world.reserved[WORKER] is None


def test_source_keeps_its_last_success_through_failures() -> None:
    world = fold(EMPTY_WORLD, ev.SourceReported(SCOPE, NOW, "queues", "ok"))
    world = fold(world, ev.SourceReported(SCOPE, NOW + 9, "queues", "denied", "no", "sqs:GetQueueAttributes"))
    assert world.sources["queues"].ok_at == NOW
    assert world.sources["queues"].report.action == "sqs:GetQueueAttributes"


def test_an_event_without_a_fold_is_an_error() -> None:
    with pytest.raises(TypeError):
        fold(EMPTY_WORLD, ev.Event(SCOPE, NOW))


def _lines(count: int, start: int = 0) -> ev.LogsObserved:
    lines = tuple(parse(NOW, str(start + i), "s", f"line {start + i}") for i in range(count))
    return ev.LogsObserved(SCOPE, NOW, WORKER, "/aws/lambda/orders-worker", lines)


def test_log_tail_numbers_on_and_stays_bounded() -> None:
    world = EMPTY_WORLD
    for start in range(0, LogTail.KEEP + 300, 100):
        world = fold(world, _lines(100, start))
    tail = world.logs[WORKER]
    assert len(tail.lines) == LogTail.KEEP
    assert tail.lines[-1].seq == tail.next_seq - 1
    assert [line.text for line in tail.after(tail.next_seq - 3)] == [
        f"line {LogTail.KEEP + 298}",
        f"line {LogTail.KEEP + 299}",
    ]


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 100)), max_size=60), st.randoms())
def test_order_of_metric_answers_for_different_series_does_not_matter(
    raw: list[tuple[int, float]], rng: object
) -> None:
    events = [metrics(points(function(f"f{i}").key, "Errors", [v])) for i, v in raw]
    last = {e.data[0].series: e for e in events}
    unique = list(last.values())
    shuffled = unique.copy()
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert dict(fold_all(World(), unique).series) == dict(fold_all(World(), shuffled).series)
