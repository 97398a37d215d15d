"""The polling plan in JSON and in recordings."""

from __future__ import annotations

import json

from fakes.entries import AT, SCOPE, WORKER
from msgspec.structs import replace

from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.report.json.snapshot import snapshot_json
from lambdatop.storage.recordings.event_codec import EventReader, EventWriter

PLAN = PollingStatus(
    "wrong",
    60,
    900,
    60,
    None,
    85,
    66,
    66,
    990,
    7.1,
    0.37,
    2_120,
    "errors",
    "others every 15 min",
    full_usd=0.0212,
)
ERRORS = SeriesKey(WORKER, "Errors", "Sum")


def test_the_plan_stands_under_spend() -> None:
    spend = snapshot_json(replace(EMPTY_SNAPSHOT, polling=PLAN))["spend"]
    assert spend["looking"] == {
        "mood": "wrong",
        "why": "errors",
        "discovery_s": 900,
        "paces": {"trip_wire_s": 60, "detail_s": 60, "others_s": None, "queues_s": 85},
        "staleness": {"hot_s": 66, "mover_s": 66, "cold_s": 990},
        "calls_per_min": 7.1,
        "usd_per_hour_planned": 0.37,
        "full_detail_usd": 0.0212,
        "slowed": "others every 15 min",
        "note": None,
    }
    assert json.loads(json.dumps(spend)) == spend
    assert snapshot_json(EMPTY_SNAPSHOT)["spend"]["looking"] is None


def test_a_recording_keeps_what_was_partial_who_was_active_and_the_plan() -> None:
    points = (ev.MetricPoints(ERRORS, ((int(AT // 60) * 60, 3.0),)),)
    events: list[ev.Event] = [
        ev.MetricsObserved(SCOPE, AT, AT - 3_600, AT, points),
        ev.MetricsObserved(SCOPE, AT + 60, AT - 900, AT + 60, points, partial=True),
        ev.ActivityObserved(SCOPE, AT, (WORKER,)),
        ev.PollsPlanned(SCOPE, AT, PLAN, full=True),
    ]
    writer, reader = EventWriter(), EventReader()
    again = [reader.event(writer.line(event)) for event in events]
    assert again == events
    world = fold_all(EMPTY_WORLD, again)
    assert world.metrics_at == {WORKER: AT}, "a partial answer is no age of the function"
    assert world.asked_at(ERRORS) == AT + 60
    assert world.activity[SCOPE].functions == {WORKER}
    assert world.polling == PLAN


def test_a_partial_answer_that_is_shorter_leaves_the_older_minutes() -> None:
    end = int(AT // 60) * 60
    old = tuple((end - 60 * i, float(i)) for i in range(50, 0, -1))
    whole = ev.MetricsObserved(SCOPE, AT, end - 3_600, end, (ev.MetricPoints(ERRORS, old),))
    new = (ev.MetricPoints(ERRORS, ((end, 9.0),)),)
    part = ev.MetricsObserved(SCOPE, AT + 60, end - 300, end + 60, new, partial=True)
    series = fold_all(EMPTY_WORLD, (whole, part)).metric(*ERRORS)
    assert series.times[0] == old[0][0]
    assert series.values[-1] == 9.0
    assert not series.window(end - 300, end), "within its own minutes it replaces what was known"
