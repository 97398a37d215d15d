"""Order of arrival, late answers, late lines and duplicates do not change what is found."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from fakes.nightly import NIGHTLY
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scenes.scene import Scene, rounds
from scenes.shaped import shaped

from lambdatop.domain.facts.series import final_end
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD, World

# The richest scenes: every kind of source, logs in three formats, changes, gaps, corrections, failures.
NAMES = (
    "sqs-poison",
    "dead-trigger",
    "kafka-lag",
    "stream-loss",
    "async-retries",
    "reserved-zero",
    "sampled-tail",
    "late-points",
    "metrics-fail",
    "json-logs",
    "bad-deployment",
    "eventbridge-loop",
    "reserved-one-shaped",
    "healthy-noise",
)
scenes = st.sampled_from(NAMES)
seeds = st.integers(0, 2**32)
quickly = settings(
    max_examples=40 if NIGHTLY else 4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def said(findings: tuple[Finding, ...]) -> list[tuple[Any, ...]]:
    """Return everything about the findings but `since`, which depends on the first round that saw them."""
    return sorted(
        (f.detector, f.target.key, f.severity, f.title, f.formula, str(f.evidence)) for f in findings
    )


def look(world: World, scene: Scene, now: float, previous: Snapshot = EMPTY_SNAPSHOT) -> Snapshot:
    return build_snapshot(
        world, previous=previous, at=now, version="", mode="operator", settings=scene.settings
    )


def kind(event: ev.Event) -> object:
    """Return the key within which events keep their order: a source, a function's log, or a place."""
    return getattr(event, "function", None) or (type(event), getattr(event, "place", ""))


def interleaved(events: tuple[ev.Event, ...], dice: Random) -> list[ev.Event]:
    """Return another order of arrival in which each source keeps its own."""
    waiting: dict[object, list[ev.Event]] = {}
    for event in events:
        waiting.setdefault(kind(event), []).append(event)
    ordered = []
    while waiting:
        chosen = dice.choice(sorted(waiting, key=repr))
        ordered.append(waiting[chosen].pop(0))
        if not waiting[chosen]:
            del waiting[chosen]
    return ordered


@quickly
@given(scenes, seeds)
def test_sources_may_answer_in_any_order_within_a_round(name: str, seed: int) -> None:
    scene = shaped()[name]
    dice = Random(seed)
    worlds = [EMPTY_WORLD, EMPTY_WORLD]
    shots = [EMPTY_SNAPSHOT, EMPTY_SNAPSHOT]
    stated = 0
    for now, events in rounds(scene):
        for i, order in enumerate((events, interleaved(events, dice))):
            worlds[i] = fold_all(worlds[i], order)
            shots[i] = look(worlds[i], scene, now, shots[i])
        assert said(shots[0].findings) == said(shots[1].findings)
        stated += len(shots[0].findings)
    assert stated or scene.name in ("healthy-noise", "sampled-tail", "late-points"), (
        "there was something to say"
    )


def delayed(events: tuple[ev.Event, ...], dice: Random) -> list[ev.Event]:
    """Return answers that arrive up to four minutes late and some of them twice, whatever their kind."""
    arriving = []
    for event in events:
        late_s = dice.choice((0, 0, 0, 30, 90, 240))
        arriving.append((event.at + late_s, dice.random(), event))
        if dice.random() < 0.2 and not isinstance(event, ev.FunctionsListed):
            arriving.append((event.at + 300 * dice.random(), dice.random(), event))
    return [event for _, _, event in sorted(arriving, key=lambda item: item[:2])]


@quickly
@given(scenes, seeds)
@example("reserved-zero", 3)
def test_late_and_repeated_answers_change_nothing_in_the_end(name: str, seed: int) -> None:
    scene = shaped()[name]
    straight = fold_all(EMPTY_WORLD, scene.events)
    crooked = fold_all(EMPTY_WORLD, delayed(scene.events, Random(seed)))
    now = scene.events[-1].at
    before, after = look(straight, scene, now), look(crooked, scene, now)
    assert said(before.findings) == said(after.findings)
    assert [f.facts for f in before.functions] == [f.facts for f in after.functions]
    assert {q.facts.key: q.trend_per_min for q in before.queues} == {
        q.facts.key: q.trend_per_min for q in after.queues
    }


def scattered(events: tuple[ev.Event, ...], dice: Random) -> list[ev.Event]:
    """Return the same log lines in other answers: late, doubled and out of order."""
    found: list[ev.Event] = [e for e in events if not isinstance(e, ev.LogsObserved)]
    for logged in (e for e in events if isinstance(e, ev.LogsObserved)):
        lines = [*logged.lines, *(line for line in logged.lines if dice.random() < 0.2)]
        dice.shuffle(lines)
        cut = dice.randint(0, len(lines))
        for part, late_s in ((lines[:cut], 0.0), (lines[cut:], dice.choice((0.0, 45.0, 200.0)))):
            again = ev.LogsObserved(
                logged.scope,
                logged.at,
                logged.function,
                logged.group,
                tuple(part),
                logged.complete,
                logged.gap,
            )
            found.append(_Late(again, logged.at + late_s))  # type: ignore[arg-type]
    found.sort(key=lambda event: event.at)
    return [event.event if isinstance(event, _Late) else event for event in found]


class _Late:
    """An event with the moment of its arrival."""

    def __init__(self, event: ev.Event, at: float) -> None:
        self.event, self.at = event, at


LOGGED = ("sqs-poison", "json-logs", "text-logs", "hard-limits", "cold-burst", "reserved-one-shaped")


@quickly
@given(st.sampled_from(LOGGED), seeds)
def test_log_lines_may_come_late_twice_and_out_of_order(name: str, seed: int) -> None:
    scene = shaped()[name]
    now = scene.events[-1].at
    straight = look(fold_all(EMPTY_WORLD, scene.events), scene, now)
    crooked = look(fold_all(EMPTY_WORLD, scattered(scene.events, Random(seed))), scene, now)
    assert straight.findings
    assert said(straight.findings) == said(crooked.findings)


@pytest.mark.parametrize("wild", [0.0, 9e9])
@pytest.mark.parametrize("name", NAMES)
def test_a_minute_that_is_not_final_decides_nothing(name: str, wild: float) -> None:
    """Whatever the minutes show that are younger than the publishing delay, the findings are the same."""
    scene = shaped()[name]
    now = scene.events[-1].at
    young = final_end(now, scene.settings.metrics.publish_delay_s)
    last = max(event.at for event in scene.events if isinstance(event, ev.MetricsObserved))

    def early(event: ev.Event) -> ev.Event:
        if not isinstance(event, ev.MetricsObserved) or event.at < last:
            return event
        more = tuple((t, wild) for t in range(young, int(event.end), 60))
        data = tuple(
            ev.MetricPoints(series, (*(p for p in points if p[0] < young), *more))
            for series, points in event.data
        )
        return ev.MetricsObserved(event.scope, event.at, event.start, event.end, data)

    world = fold_all(EMPTY_WORLD, scene.events)
    other = fold_all(EMPTY_WORLD, [early(event) for event in scene.events])
    assert other.series != world.series
    assert said(look(world, scene, now).findings) == said(look(other, scene, now).findings)
