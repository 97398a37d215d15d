from __future__ import annotations

from fakes.callers import machine, schedule
from fakes.queuescene import found, moved, scene
from fakes.worlds import NOW, ORDERS, SCOPE, WORKER, function, mapping, points
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import traffic_burst as it
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.triggers import Reference
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.events import MetricPoints
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import World

END = NOW - 60
JUMP = [2.0] * 40 + [3000.0] * 5
GROWS = [20.0] * 40 + [36.0, 65.0, 117.0]


def runs(counts: list[float], key: Key = WORKER, name: str = "Invocations") -> MetricPoints:
    return points(key, name, counts, end=END)


def alone(*data: MetricPoints, fed: tuple[MappingFacts, ...] = ()) -> World:
    return scene(data, fed=fed)


def burst(world: World, before: tuple[Finding, ...] = ()) -> list[Finding]:
    return found(it.detect, world, before)


def test_asynchronous_events_that_jump_for_no_known_reason() -> None:
    (finding,) = burst(alone(runs(JUMP), runs(JUMP, name="AsyncEventsReceived")))
    assert (finding.severity, finding.target.key, finding.about) == ("warning", WORKER, ())
    assert finding.title == (
        "orders-worker: 2 -> 3000 a minute, and nothing known sends so much; "
        "if nobody sends so much, it may invoke itself"
    )
    assert finding.formula == "2 -> 3000 a minute >= 60, each 10 times the hour before or more"
    assert finding.suggests == ("cap_concurrency", "throttle_to_zero")
    assert finding.since == END - 300


def test_callers_whose_calls_nobody_counts_are_named() -> None:
    quiet = alone(runs(JUMP), runs(JUMP, name="AsyncEventsReceived"))
    told = (
        ev.CallersObserved(SCOPE, NOW, "schedules", (schedule(), schedule(state="DISABLED"))),
        ev.CallersObserved(SCOPE, NOW, "state_machines", (machine(invocation="push async"),)),
    )
    (finding,) = burst(fold_all(quiet, told))
    assert finding.title.startswith(
        "orders-worker: 2 -> 3000 a minute, and nothing counted sends so much; schedule default/nightly and "
        "1 more may; if nobody"
    )
    assert dict(finding.evidence)["sources"] == "schedule default/nightly, state machine checkout"


def test_a_queue_that_gets_what_it_deletes() -> None:
    minutes = [float(c) for c in GROWS[-10:]]
    queue = moved(minutes, minutes, minutes)
    (finding,) = burst(alone(runs(GROWS), *queue, fed=(mapping(),)))
    assert finding.title.endswith("orders got 141 and 141 are done: it may feed its own queue")
    assert finding.title.startswith("orders-worker: 20 -> 36 -> 65 -> 117 a minute, and nothing known")
    assert finding.suggests == it.SUGGESTS
    assert finding.formula.endswith("each 1.5 times the minute before or more")


def test_callers_that_wait_for_an_answer_are_users() -> None:
    assert burst(alone(runs(JUMP))) == []
    assert burst(alone(runs(JUMP), runs([2.0] * 45, name="AsyncEventsReceived"))) == []


def test_a_backlog_and_a_replay_explain_it() -> None:
    fed = (mapping(),)
    done = [3000.0] * 10
    backlog = [
        *moved(done, done, [20.0] * 10),
        points(ORDERS, "ApproximateNumberOfMessagesVisible", done, "Maximum"),
    ]
    assert burst(alone(runs(JUMP), *backlog, fed=fed)) == []
    waits = points(ORDERS, "ApproximateNumberOfMessagesVisible", [90_000.0] * 10, "Maximum")
    assert burst(alone(runs(JUMP), *moved(done, done, done), waits, fed=fed)) == []
    younger = points(WORKER, "IteratorAge", [9e6 - 1e6 * n for n in range(6)], "Maximum", end=END)
    stream = replace(mapping(), source_arn=f"arn:aws:kinesis:{SCOPE.region}:{SCOPE.account}:stream/clicks")
    assert burst(alone(runs(JUMP), younger, fed=(replace(stream, source_kind="kinesis"),))) == []


def test_a_function_that_is_known_to_send_and_was_as_busy_explains_it() -> None:
    sender = function("splitter", references=(Reference("QUEUE", mapping().source_arn),))
    listed = ev.FunctionsListed(SCOPE, NOW + 1, (function(), sender))
    minutes = JUMP[-10:]
    world = alone(runs(JUMP), *moved(minutes, minutes, minutes), runs(JUMP, sender.key), fed=(mapping(),))
    assert burst(world) != []
    assert burst(fold_all(world, [listed])) == []
    idle = alone(
        runs(JUMP), *moved(minutes, minutes, minutes), runs([2.0] * 45, sender.key), fed=(mapping(),)
    )
    assert burst(fold_all(idle, [listed])) != []


def test_its_own_way_back_is_no_other_sender() -> None:
    own = function(references=(Reference("QUEUE", mapping().source_arn),))
    minutes = JUMP[-10:]
    world = alone(runs(JUMP), *moved(minutes, minutes, minutes), fed=(mapping(),))
    assert burst(fold_all(world, [ev.FunctionsListed(SCOPE, NOW + 1, (own,))])) != []


def test_it_stands_while_it_lasts_and_ends_with_it() -> None:
    events = runs([2.0] * 10 + [3000.0] * 50, name="AsyncEventsReceived")
    long = alone(runs([2.0] * 10 + [3000.0] * 50), events)
    assert burst(long) == []
    (stood,) = burst(alone(runs(JUMP), runs(JUMP, name="AsyncEventsReceived")))
    assert [f.severity for f in burst(long, (stood,))] == ["warning"]
    over = [2.0] * 10 + [3000.0] * 40 + [2.0] * 10
    assert burst(alone(runs(over), runs(over, name="AsyncEventsReceived")), (stood,)) == []


def rested(counts: list[float], modified: float) -> list[Finding]:
    listed = ev.FunctionsListed(SCOPE, NOW + 1, (function(last_modified=modified),))
    return burst(fold_all(alone(runs(counts), runs(counts, name="AsyncEventsReceived")), [listed]))


def test_a_minute_that_was_asked_for_and_has_no_point_is_a_zero() -> None:
    (finding,) = rested([900.0] * 3, NOW - 90_000)
    assert finding.title.startswith("orders-worker: 0 -> 900 a minute, and nothing known sends so much")
    assert rested([900.0] * 3, NOW - 600) == [], "it may not have existed before"
    assert rested([300.0] * 3, NOW - 90_000) == [], "whoever rests may begin with sixty a minute"


def grows(counts: list[float]) -> list[Finding]:
    return burst(alone(runs(counts), runs(counts, name="AsyncEventsReceived")))


def test_slow_growth_whose_parts_all_grow_is_a_loops() -> None:
    for factor in (1.22, 1.25, 1.3):
        (finding,) = grows([*[10.0] * 30, *(10.0 * factor**n for n in range(1, 16))])
        assert finding.formula.endswith(
            "a minute >= 60, 10 times or more within 15 min, and no slower at the end"
        )
    assert grows([*[10.0] * 30, *(10.0 + 30.0 * n for n in range(1, 16))]) == [], "a straight line"
    assert grows([*[10.0] * 30, *(10.0 * 1.1**n for n in range(1, 16))]) == [], "four times"


def test_while_it_lasts_it_tells_what_it_was_before() -> None:
    events = [900.0] * 20
    (stood,) = rested([900.0] * 3, NOW - 90_000)
    listed = ev.FunctionsListed(SCOPE, NOW + 1, (function(last_modified=NOW - 90_000),))
    world = fold_all(alone(runs(events), runs(events, name="AsyncEventsReceived")), [listed])
    (finding,) = burst(world, (stood,))
    assert (
        finding.formula == "0 -> 900 a minute >= 60, as it was stated, and at 80% of its most or more since"
    )
