"""What the plan knows in the middle of a round is what `fold` will make of the round's events."""

from __future__ import annotations

from random import Random

import pytest

from lambdatop.domain.facts.series import MINUTE, SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.polling.answers import Answers
from lambdatop.domain.state.events import ActivityObserved, Event, MetricPoints, MetricsObserved
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

SCOPE = Scope("123456789012", "eu-central-1")
END = 1_800_000_000 // MINUTE * MINUTE
FUNCTIONS = [Key(SCOPE, "function", name) for name in "abc"]
STATS = [("Invocations", "Sum"), ("Duration", "Maximum")]


def made(dice: Random, number: int) -> MetricsObserved:
    """Return an answer about some series, of a longer or a shorter window, with points or without."""
    end = END + number * MINUTE
    start = end - dice.choice((5, 60, 180)) * MINUTE
    data = tuple(
        MetricPoints(
            SeriesKey(key, *stat),
            tuple((at, dice.random()) for at in range(start, end, MINUTE) if dice.random() < 0.5),
        )
        for key in FUNCTIONS
        for stat in STATS
        if dice.random() < 0.6
    )
    return MetricsObserved(SCOPE, end + 1.0, start, end, data, partial=dice.random() < 0.5)


@pytest.mark.parametrize("seed", range(40))
def test_series_are_what_fold_makes_of_them(seed: int) -> None:
    dice = Random(seed)
    world = fold_all(EMPTY_WORLD, (made(dice, n) for n in range(dice.randrange(3))))
    seen = Answers(world)
    for number in range(3, 7):
        event = made(dice, number)
        seen.take(event)
        world = fold(world, event)
        for key in FUNCTIONS:
            for stat in STATS:
                assert seen.metric(key, *stat) == world.metric(key, *stat)
                series = SeriesKey(key, *stat)
                assert seen.answered(series) == (world.asked_at(series) is not None)


def test_who_ran_lately_is_what_was_said_last() -> None:
    seen = Answers(EMPTY_WORLD)
    assert seen.active(SCOPE) is None
    said: list[Event] = [ActivityObserved(SCOPE, END + n, tuple(FUNCTIONS[: n + 1])) for n in range(2)]
    for event in said:
        seen.take(event)
    assert seen.active(SCOPE) == fold_all(EMPTY_WORLD, said).activity[SCOPE].functions
    assert Answers(fold_all(EMPTY_WORLD, said)).active(SCOPE) == frozenset(FUNCTIONS[:2])
