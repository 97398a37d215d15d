"""The trip-wire: what counts as usual, what as a move, and when nobody has to be searched for."""

from __future__ import annotations

import pytest
from fakes.entries import SCOPE

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.polling import hot
from lambdatop.domain.polling.tripwire import WIRES, Metric, Reading, read
from lambdatop.domain.state.events import (
    FunctionsListed,
    MappingsListed,
    MetricPoints,
    MetricsObserved,
    QueuesObserved,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

NOW = 1_800_000_030.0
LAST = 1_799_999_940
"""The newest whole minute."""
ACCOUNT = Key(SCOPE, "account", SCOPE.account)
A, B = (Key(SCOPE, "function", n) for n in "ab")
ERRORS = Metric("Errors", "Sum")


def told(world: World, key: Key, name: str, values: list[float], stat: str = "Sum") -> World:
    """Return the newest minutes of one series, ending with the last whole one; None of zeros is published."""
    first = LAST - 60 * (len(values) - 1)
    points = tuple((first + 60 * i, v) for i, v in enumerate(values) if v)
    data = (MetricPoints(SeriesKey(key, name, stat), points),)
    return fold_all(world, (MetricsObserved(SCOPE, NOW, LAST - 3_900, LAST + 60, data),))


def account(name: str, values: list[float], stat: str = "Sum") -> World:
    return told(told(EMPTY_WORLD, ACCOUNT, "Invocations", [1_000.0] * 60), ACCOUNT, name, values, stat)


def moved(world: World, *known: Key) -> list[tuple[str, bool]]:
    return [(m.wire.words, m.explained) for m in read(world, SCOPE, NOW, known).moves]


@pytest.mark.parametrize(
    ("name", "stat", "usual", "now", "words"),
    [
        ("Errors", "Sum", [0.0, 1.0], 9.0, "errors"),
        ("Throttles", "Sum", [0.0], 5.0, "throttles"),
        ("AsyncEventsDropped", "Sum", [0.0], 1.0, "lost asynchronous events"),
        ("AsyncEventAge", "Maximum", [900.0], 90_000.0, "age of asynchronous events"),
        ("ConcurrentExecutions", "Maximum", [30.0, 31.0], 70.0, "concurrency"),
        ("Duration", "Maximum", [800.0, 820.0], 9_000.0, "longest run"),
        ("Duration", "Sum", [90_000.0, 91_000.0], 300_000.0, "running time"),
    ],
)
def test_a_total_that_leaves_the_usual(
    name: str, stat: str, usual: list[float], now: float, words: str
) -> None:
    hour = (usual * 60)[:59]
    assert moved(account(name, [*hour, usual[0]], stat)) == []
    assert moved(account(name, [*hour, now], stat)) == [(words, False)]
    assert words in read(account(name, [*hour, now], stat), SCOPE, NOW).words


def test_the_usual_noise_is_no_move_and_one_spike_in_the_hour_is_not_usual() -> None:
    noise = [float(90 + 7 * (i % 5)) for i in range(59)]
    assert moved(account("Errors", [*noise, 130.0])) == []
    assert moved(account("Errors", [*noise, 260.0])) == [("errors", False)]
    spiky = [*([0.0] * 20), 500.0, *([0.0] * 38)]
    assert moved(account("Errors", [*spiky, 40.0])) == [("errors", False)]


def test_a_move_ends_when_it_is_some_minutes_old_or_has_become_usual() -> None:
    assert moved(account("Errors", [*([0.0] * 50), 80.0, *([0.0] * 9)])) == []
    assert moved(account("Errors", [*([0.0] * 20), *([80.0] * 40)])) == []


def test_traffic_that_stops_is_a_move_that_searches_for_nobody() -> None:
    stopped = told(EMPTY_WORLD, ACCOUNT, "Invocations", [*([1_000.0] * 55), *([0.0] * 5)])
    reading = read(stopped, SCOPE, NOW)
    assert [m.wire.words for m in reading.moves] == ["invocations"]
    assert reading.moves[0].excess < 0
    assert reading.unexplained == ()
    young = told(EMPTY_WORLD, ACCOUNT, "Invocations", [*([1_000.0] * 58), 0.0, 0.0])
    assert moved(young) == [], "minutes that are not final may still be published"


def test_nothing_is_known_of_an_account_that_was_never_asked() -> None:
    assert read(EMPTY_WORLD, SCOPE, NOW) == Reading()


def test_a_move_is_explained_by_who_rose_not_by_who_is_large() -> None:
    world = account("Errors", [*([100.0] * 57), 400.0, 400.0, 400.0])
    large = told(world, A, "Errors", [100.0] * 60)
    assert moved(large, A) == [("errors", False)]
    risen = told(large, B, "Errors", [*([0.0] * 57), 300.0, 300.0, 0.0])
    assert moved(risen, A, B) == [("errors", True)]
    assert moved(risen, A) == [("errors", False)]


def test_what_is_left_unexplained_must_not_be_a_move_itself() -> None:
    world = account("Errors", [*([0.0] * 57), 400.0, 400.0, 400.0])
    half = told(world, A, "Errors", [*([0.0] * 57), 300.0, 300.0, 300.0])
    assert moved(half, A) == [("errors", False)], "somebody else makes 100 errors a minute"


def test_a_maximum_is_explained_by_one_function_that_comes_close_to_it() -> None:
    world = account("Duration", [*([900.0] * 58), 20_000.0, 20_000.0], "Maximum")
    assert moved(told(world, A, "Duration", [500.0, 2_000.0], "Maximum"), A) == [("longest run", False)]
    assert moved(told(world, A, "Duration", [500.0, 20_000.0], "Maximum"), A) == [("longest run", True)]


def test_every_total_can_be_asked_of_a_function_too() -> None:
    account_only = {"ClaimedAccountConcurrency", "UnreservedConcurrentExecutions"}
    assert not {w.sweep.name for w in WIRES} & account_only
    assert not {w.own.name for w in WIRES} & account_only


# -- who is hot ------------------------------------------------------------------------------------


def test_who_moved_the_total_is_found_among_many() -> None:
    world = account("Errors", [*([5.0] * 58), 205.0, 205.0])
    keys = [Key(SCOPE, "function", f"f{i:03d}") for i in range(50)]
    for i, key in enumerate(keys):
        world = told(world, key, "Errors", [float(i % 2)] * 60)
    world = told(world, keys[7], "Errors", [*([0.0] * 58), 150.0, 150.0])
    world = told(world, keys[9], "Errors", [*([0.0] * 58), 50.0, 50.0])
    reading = read(world, SCOPE, NOW)
    assert hot.found(world, keys, ERRORS, reading, NOW, 60) == (keys[7], keys[9])


def test_who_rose_by_next_to_nothing_did_not_move_the_total() -> None:
    world = account("Errors", [*([5.0] * 58), 205.0, 205.0])
    world = told(told(world, A, "Errors", [*([0.0] * 59), 1.0]), B, "Errors", [*([0.0] * 59), 40.0])
    reading = read(world, SCOPE, NOW)
    assert hot.found(world, (A,), ERRORS, reading, NOW, 60) == ()
    assert hot.found(world, (A, B), ERRORS, reading, NOW, 60) == (B,)


def test_without_a_move_those_that_fail_are_found_the_worst_first() -> None:
    world = told(told(EMPTY_WORLD, A, "Errors", [2.0] * 5), B, "Errors", [4.0] * 5)
    quiet = Key(SCOPE, "function", "quiet")
    world = told(world, quiet, "Errors", [1.0])
    assert hot.found(world, (A, B, quiet), ERRORS, Reading(), NOW, 60) == (B, A)


def test_hot_lately_are_errors_throttles_and_long_runs() -> None:
    facts = FunctionFacts(A, "arn", timeout_s=10)
    world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, 1.0, (facts,)),))
    slow = told(world, A, "Duration", [9_000.0], "Maximum")
    assert hot.lately(slow, (A, B), NOW) == (A,)
    assert hot.lately(told(slow, B, "Throttles", [3.0]), (A, B), NOW) == (B, A)
    assert hot.lately(told(world, A, "Errors", [9.0, *([0.0] * 20)]), (A, B), NOW) == ()


def test_a_queue_that_grows_and_a_mapping_that_complains_make_their_function_hot() -> None:
    arn = f"arn:aws:sqs:{SCOPE.region}:{SCOPE.account}:q"
    good = MappingFacts(Key(SCOPE, "mapping", "1"), A, "arn", arn, "sqs", "Enabled")
    bad = MappingFacts(
        Key(SCOPE, "mapping", "2"), B, "arn", "arn:aws:kinesis:x:1:stream/s", "kinesis", "Enabled",
        last_result="PROBLEM: Function call failed",
    )  # fmt: skip

    def depth(world: World, at: float, visible: int) -> World:
        queue = QueueFacts(Key(SCOPE, "queue", "q"), arn, "u", at, visible, 0, 0)
        return fold_all(world, (QueuesObserved(SCOPE, at, (queue,)),))

    world = fold_all(EMPTY_WORLD, (MappingsListed(SCOPE, 1.0, (good,)),))
    steady = depth(depth(world, NOW - 300, 500), NOW, 520)
    assert hot.troubled(steady, SCOPE, NOW) == ()
    grown = depth(depth(world, NOW - 300, 100), NOW, 400)
    assert hot.troubled(grown, SCOPE, NOW) == (A,)
    both = fold_all(grown, (MappingsListed(SCOPE, 2.0, (good, bad)),))
    assert hot.troubled(both, SCOPE, NOW) == (A, B)
