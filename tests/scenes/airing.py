"""From what was staged to the events that a console would have seen, round by round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from scenes.curves import FIRST, LOGGED_FROM, MINUTES, SCOPE, T0, arn, when

from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev

if TYPE_CHECKING:
    from scenes.stage import Stage

COLLECT_AT_S = 20.0


def air(stage: Stage) -> tuple[ev.Event, ...]:
    """Return everything in the order of its arrival: in each round lists, then logs, then metrics."""
    events: list[ev.Event] = [ev.TargetIdentified(SCOPE, when(FIRST), arn("sts", "assumed-role/On/call"))]
    before = when(LOGGED_FROM)
    extra = sorted(stage.extra, key=lambda pair: pair[0])
    for minute in range(FIRST, MINUTES):
        now = when(minute) + COLLECT_AT_S
        events += [event for at, event in extra if before < at <= now]
        events += _lists(stage, now, minute)
        events += _logs(stage, now, before)
        events += _metrics(stage, now, minute)
        before = now
    return tuple(events)


def _lists(stage: Stage, now: float, minute: int) -> list[ev.Event]:
    functions = tuple(_then(facts, now) for facts in stage.functions.values())
    reserved = tuple((key, _then(values, now)) for key, values in stage.reserved.items())
    mappings = tuple(_then(facts, now) for facts in stage.mappings.values())
    queues = tuple(_polled(stage, key, now, minute) for key in stage.queues)
    return [
        ev.FunctionsListed(SCOPE, now, functions),
        ev.ConcurrencyObserved(SCOPE, now, reserved),
        ev.AccountObserved(SCOPE, now, stage.account),
        ev.MappingsListed(SCOPE, now, mappings),
        ev.QueuesObserved(SCOPE, now, queues),
    ]


def _polled(stage: Stage, key: Key, now: float, minute: int) -> QueueFacts:
    names = ("ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible")
    visible, flying = (_truth(stage, key, name, minute) for name in names)
    redrive = _then(stage.redrives[key], now) if key in stage.redrives else ""
    return replace(stage.queues[key], at=now, visible=visible, in_flight=flying, redrive=redrive)


def _truth(stage: Stage, key: Key, metric: str, minute: int) -> int:
    """Return what the queue itself knows at once, and CloudWatch publishes later."""
    known = stage.points.get(SeriesKey(key, metric, "Maximum"), {}).get(T0 + 60 * minute)
    return round(known[-1][1]) if known else 0


def _logs(stage: Stage, now: float, before: float) -> list[ev.Event]:
    found: list[ev.Event] = []
    for key, lines in stage.lines.items():
        new = [line for at, line in lines if before < at + 5 <= now]
        complete, gap = stage.tails.get(key, (True, ""))
        group = stage.functions[key][0][1].log_group
        ordered = tuple(sorted(new, key=lambda line: line.at))
        found.append(ev.LogsObserved(SCOPE, now, key, group, ordered, complete, gap))
    return found


def _metrics(stage: Stage, now: float, minute: int) -> list[ev.Event]:
    fails_from, fails_until = stage.failing
    if fails_from <= minute < fails_until:
        why = "CloudWatch cannot be reached."
        return [ev.SourceReported(SCOPE, now, "metrics", "failed", why, None, 60.0, 60.0)]
    end = math.ceil(now / 60) * 60
    start = end - 3600
    data = []
    for series, points in stage.points.items():
        seen = ((t, _then(known, now, None)) for t, known in sorted(points.items()) if start <= t < end)
        data.append(ev.MetricPoints(series, tuple((t, v) for t, v in seen if v is not None)))
    return [
        ev.MetricsObserved(SCOPE, now, start, end, tuple(data)),
        ev.SourceReported(SCOPE, now, "metrics", "ok", "", None, 60.0, 60.0),
    ]


def _then(known: Sequence[tuple[float, Any]], now: float, none: Any = None) -> Any:
    """Return the newest of the values that count by now."""
    found = none
    for at, value in known:
        if at <= now:
            found = value
    return found
