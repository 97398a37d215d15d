"""A round that keeps what has not changed says the same as one that makes everything anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fakes.nightly import sample
from msgspec.structs import replace
from scenes.scene import Scene, rounds
from scenes.shaped import BUILDERS, shaped

from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.events import Event
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD, World

NEVER, ALWAYS = 10**9, 0


def build(world: World, previous: Snapshot, at: float, scene: Scene, worth_comparing: int) -> Snapshot:
    return build_snapshot(
        world,
        previous=previous,
        at=at,
        version="",
        mode="operator",
        settings=scene.settings,
        worth_comparing=worth_comparing,
        hold_quotas_s=(0.0, 0.0),
    )


def steps(scene: Scene) -> Iterator[tuple[float, tuple[Event, ...]]]:
    """Yield each round, some in two halves, and after some the same World again at a later time."""
    for number, (now, events) in enumerate(rounds(scene)):
        if number % 4 == 0:
            half = len(events) // 2
            yield now, events[:half]
            events = events[half:]
        yield now + 0.25, events
        if number % 2:
            yield now + scene.step_s * 0.9, ()


def told(snapshot: Snapshot) -> dict[str, object]:
    """Return everything that is made of the World (the World itself and the sequence aside)."""
    return {
        "functions": snapshot.functions,
        "findings": snapshot.findings,
        "incidents": snapshot.incidents,
        "storms": snapshot.storms,
        "mappings": snapshot.mappings,
        "queues": snapshot.queues,
        "quotas": snapshot.quotas,
        "burn": snapshot.burn,
    }


def name(make: Callable[[], Scene]) -> str:
    return f"{make.__module__}.{make.__name__}"


FIRST = {make.__module__: make for make in reversed(BUILDERS)}
TAKEN = tuple(dict.fromkeys((*sample(BUILDERS, one_in=8, name=name), *FIRST.values())))
"""A sample, and of each kind of scene at least one."""


@pytest.mark.parametrize("make", TAKEN, ids=name)
def test_the_short_way_and_the_long_way_say_the_same(make: Callable[[], Scene]) -> None:
    scene = make()
    world, short, long = EMPTY_WORLD, EMPTY_SNAPSHOT, EMPTY_SNAPSHOT
    for now, events in steps(scene):
        world = fold_all(world, events)
        short, long = build(world, short, now, scene, ALWAYS), build(world, long, now, scene, NEVER)
        for what, value in told(long).items():
            assert told(short)[what] == value, f"{what} at {now - scene.began_at:.0f} s"


def test_what_has_not_changed_is_not_made_again() -> None:
    scene = shaped()["healthy-noise"]
    world = fold_all(EMPTY_WORLD, scene.events)
    now = max(event.at for event in scene.events)
    first = build(world, EMPTY_SNAPSHOT, now, scene, ALWAYS)
    second = build(world, first, now + 1, scene, ALWAYS)
    quiet = [row for row in first.functions if not row.findings]
    assert quiet
    assert {id(row) for row in quiet} <= {id(row) for row in second.functions}


def test_lists_that_say_the_same_again_change_nothing() -> None:
    scene = shaped()["healthy-noise"]
    world = fold_all(EMPTY_WORLD, scene.events)
    for event in scene.events:
        if type(event).__name__ in ("FunctionsListed", "MappingsListed"):
            again = fold(world, replace(event, at=event.at + 60))
            assert all(again.functions[key] is facts for key, facts in world.functions.items())
            assert all(again.mappings[key] is facts for key, facts in world.mappings.items())
