"""What became of a mutation: the effect in the metrics, and whether somebody changed it since."""

from __future__ import annotations

from typing import Any

from fakes.worlds import DLQ, MAPPING, NOW, PROMPT, SCOPE, WORKER, function, mapping, queue
from msgspec.structs import replace

from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.state.aftermath import Changed, aftermaths, standing
from lambdatop.domain.state.events import (
    Control,
    ControlObserved,
    Event,
    FunctionsListed,
    JournalRead,
    MappingsListed,
    MetricPoints,
    MetricsObserved,
    QueuesObserved,
    TargetIdentified,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

MINUTE = 60
AT = NOW - 10 * MINUTE


def entry(name: str = "throttle_to_zero", **changes: Any) -> Entry:
    e = Entry(
        "e1", AT, name, WORKER, "arn", "me", "h", 1, Call("lambda", "X", {}), {"reserved_concurrency": None},
        {"reserved_concurrency": 0}, None, None, "d", "applied", AT + 1,
    )  # fmt: skip
    return replace(e, **changes)


def disabled(**changes: Any) -> Entry:
    given = {"target": MAPPING, "before": {"state": "Enabled"}, "after": {"state": "Disabled"}}
    return entry("disable_trigger", **given | changes)


def world(*entries: Entry, before: float = 120.0, after: float = 0.0, seen: Any = None) -> World:
    start = int(NOW) // MINUTE * MINUTE - 30 * MINUTE
    minutes = range(start, int(NOW) // MINUTE * MINUTE, MINUTE)
    points = tuple((at, before if at < AT else after) for at in minutes if (before if at < AT else after))
    events: list[Event] = [
        TargetIdentified(SCOPE, NOW, "arn:me"),
        FunctionsListed(SCOPE, NOW, (function(),)),
        MappingsListed(SCOPE, AT - 5, (mapping(),)),
        MetricsObserved(
            SCOPE, NOW, start, NOW, (MetricPoints(SeriesKey(WORKER, "Invocations", "Sum"), points),)
        ),
        JournalRead(SCOPE, NOW, entries),
    ]
    if seen is not None:
        events.append(ControlObserved(SCOPE, NOW, seen))
    return fold_all(EMPTY_WORLD, events)


def one(w: World) -> Any:
    (found,) = aftermaths(w, NOW, PROMPT.metrics)
    return found


def test_falling_invocations_prove_a_throttle() -> None:
    found = one(world(entry()))
    assert (found.proven, found.effect) == (True, "120 → 0 invocations/min")
    still = one(world(entry(), after=118.0))
    assert still.proven is False


def test_without_traffic_nothing_is_proven() -> None:
    found = one(world(entry(), before=0.0))
    assert (found.proven, found.effect) == (None, "set; no traffic to prove it")


def test_a_mutation_of_this_minute_shows_nowhere_yet() -> None:
    found = one(world(entry(at=NOW - 5, outcome_at=NOW - 4)))
    assert (found.proven, "not visible yet" in found.effect) == (None, True)


def test_giving_back_is_proven_by_invocations() -> None:
    back = entry("undo", before={"reserved_concurrency": 0}, after={"reserved_concurrency": None})
    assert one(world(back, before=0.0, after=90.0)).proven is True
    assert one(world(back, before=0.0, after=0.0)).proven is None


def test_a_disabled_trigger_is_judged_by_its_function_and_counts_down() -> None:
    found = one(world(disabled(deadline=NOW + 600)))
    assert (found.proven, found.expires_at) == (True, NOW + 600)


def test_what_somebody_changed_since_is_named() -> None:
    changed = (Control(WORKER, "reserved_concurrency", 7),)
    assert one(world(entry(), seen=changed)).changed == (Changed("reserved_concurrency", 0, 7),)
    assert one(world(entry(), seen=(Control(WORKER, "reserved_concurrency", 0),))).changed == ()
    none = (Control(WORKER, "reserved_concurrency", None),)
    assert one(world(entry(), seen=none)).changed == (Changed("reserved_concurrency", 0, None),)


def test_a_state_on_its_way_is_nobodys_change() -> None:
    assert one(world(disabled(), seen=(Control(MAPPING, "state", "Disabling"),))).changed == ()
    assert one(world(disabled(), seen=(Control(MAPPING, "state", "Enabled"),))).changed != ()


def test_a_read_from_before_the_outcome_tells_nothing() -> None:
    w = fold_all(world(entry()), [ControlObserved(SCOPE, AT, (Control(WORKER, "reserved_concurrency", 7),))])
    assert one(w).changed == ()


def test_only_the_newest_change_of_a_field_stands() -> None:
    older, newer = entry(), entry(id="e2", at=AT + 30, after={"reserved_concurrency": 3})
    assert [e.id for e in standing((older, newer), SCOPE, NOW)] == ["e2"]
    unknown = replace(newer, outcome="unknown")
    assert standing((older, unknown), SCOPE, NOW) == ()
    undone = replace(older, outcome="undone")
    assert standing((undone,), SCOPE, NOW) == ()
    assert standing((older,), SCOPE, NOW + 13 * 3600) == ()
    assert standing((older,), SCOPE._replace(region="eu-north-1"), NOW) == ()


def test_a_redrive_tells_how_far_it_has_come() -> None:
    e = entry("redrive_dlq", target=DLQ, before={"move_task": None}, after={"move_task": {"newer_than": 0}})
    moving = replace(queue(DLQ), at=NOW, redrive="RUNNING", moved=120, to_move=900)
    w = fold_all(world(e), [QueuesObserved(SCOPE, NOW, (moving,))])
    assert (one(w).effect, one(w).proven) == ("RUNNING: 120 of about 900 moved", None)
    over = replace(moving, at=NOW + 5, redrive="COMPLETED", moved=900)
    w = fold_all(w, [QueuesObserved(SCOPE, NOW + 5, (over,))])
    assert (one(w).effect, one(w).proven) == ("COMPLETED: 900 of about 900 moved", True)
    assert one(world(e)).effect == "not seen yet"
