"""Every kind of answer: the newer one counts, the late one changes nothing, one of the same age replaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes.callers import HANDOVER, pipe
from fakes.entries import entry
from fakes.worlds import DLQ, MAPPING, NOW, ORDERS, SCOPE, WORKER, function, mapping, points, queue
from msgspec.structs import replace

from lambdatop.domain.facts.event_source_mapping import StreamFacts
from lambdatop.domain.facts.function import AccountFacts, AlarmFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.permissions import Permissions
from lambdatop.domain.facts.triggers import FunctionTriggers
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.tail import LogTail, append_lines
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

ELSEWHERE = SCOPE._replace(region="us-east-1")
ALARM = Key(SCOPE, "alarm", "dlq")
STREAM = Key(SCOPE, "stream", "clicks")
DENIED = Gap("queues", "sqs:GetQueueAttributes", "orders", "denied")

Told = Callable[[float, int], ev.Event]
Known = Callable[[World], Any]

ANSWERS: dict[str, tuple[Told, Known]] = {
    "functions": (
        lambda at, n: ev.FunctionsListed(SCOPE, at, (function(memory_mb=n),)),
        lambda w: w.functions[WORKER].memory_mb,
    ),
    "account": (
        lambda at, n: ev.AccountObserved(SCOPE, at, AccountFacts(n, n, 1, 1, 1)),
        lambda w: w.accounts[SCOPE].concurrency_limit,
    ),
    "mappings": (
        lambda at, n: ev.MappingsListed(SCOPE, at, (mapping(batch_size=n),)),
        lambda w: w.mappings[MAPPING].batch_size,
    ),
    "reserved": (
        lambda at, n: ev.ConcurrencyObserved(SCOPE, at, ((WORKER, n),)),
        lambda w: w.reserved[WORKER],
    ),
    "streams": (
        lambda at, n: ev.StreamsObserved(SCOPE, at, (StreamFacts(STREAM, "arn", "kinesis", n),)),
        lambda w: w.streams[STREAM].retention_s,
    ),
    "triggers": (
        lambda at, n: ev.TriggersObserved(SCOPE, at, (FunctionTriggers(WORKER, policy_bytes=n),)),
        lambda w: w.triggers[WORKER][1].policy_bytes,
    ),
    "wiring": (
        lambda at, n: ev.WiringObserved(SCOPE, at, "topic", ("edge",) * n),  # type: ignore[arg-type]
        lambda w: len(w.wiring[(SCOPE, "topic")][1]),
    ),
    "callers": (
        lambda at, n: ev.CallersObserved(SCOPE, at, "pipes", (pipe(max_retries=n),)),
        lambda w: w.pipes[HANDOVER][0].max_retries,
    ),
    "alarms": (
        lambda at, n: ev.AlarmsObserved(SCOPE, at, (AlarmFacts(ALARM, str(n), "m", "n", None, None),)),
        lambda w: int(w.alarms[ALARM].reason),
    ),
    "permissions": (
        lambda at, n: ev.PermissionsObserved(SCOPE, at, Permissions(at, {}, str(n))),
        lambda w: int(w.permissions[SCOPE].why),
    ),
    "logs": (
        lambda at, n: ev.LogsObserved(SCOPE, at, WORKER, "/g", (), coverage=n),
        lambda w: w.logs[WORKER].coverage,
    ),
    "gaps": (
        lambda at, n: ev.GapsObserved(SCOPE, at, "queues", (DENIED,) * n),
        lambda w: len(w.gaps[(SCOPE, "queues")].gaps),
    ),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_the_newest_answer_counts_and_a_late_one_brings_nothing_back(kind: str) -> None:
    told, known = ANSWERS[kind]
    world = fold(EMPTY_WORLD, told(NOW, 1))
    assert known(world) == 1
    assert known(fold(world, told(NOW - 1, 2))) == 1, "an older answer that arrives late"
    assert known(fold(world, told(NOW, 2))) == 2, "one of the same age that arrives after it"
    assert known(fold(world, told(NOW + 1, 2))) == 2
    late = fold_all(EMPTY_WORLD, [told(NOW + 1, 2), told(NOW, 1), told(NOW + 0.5, 3)])
    assert known(late) == 2, "lateness is told by the newest answer, not by the last one"


@pytest.mark.parametrize("kind", ANSWERS)
def test_one_scope_says_nothing_about_another(kind: str) -> None:
    """The region beside it may be asked later and answer earlier."""
    told, known = ANSWERS[kind]
    world = fold(EMPTY_WORLD, ev.FunctionsListed(ELSEWHERE, NOW + 9, ()))
    for event in (
        ev.AccountObserved(ELSEWHERE, NOW + 9, AccountFacts(9, 9, 1, 1, 1)),
        ev.MappingsListed(ELSEWHERE, NOW + 9, ()),
        ev.AlarmsObserved(ELSEWHERE, NOW + 9, ()),
        ev.PermissionsObserved(ELSEWHERE, NOW + 9, Permissions(NOW + 9, {}, "9")),
        ev.WiringObserved(ELSEWHERE, NOW + 9, "topic", ()),
    ):
        world = fold(world, event)
    assert known(fold(world, told(NOW, 1))) == 1


def test_lists_replace_what_they_list_and_only_in_their_scope() -> None:
    def alarm(scope: Any, name: str) -> AlarmFacts:
        return AlarmFacts(Key(scope, "alarm", name), "r", "m", "n", None, None)

    def fed(name: str) -> Any:
        return mapping(key=Key(SCOPE, "mapping", name))

    world = fold_all(
        EMPTY_WORLD,
        [
            ev.AlarmsObserved(SCOPE, NOW, (alarm(SCOPE, "a"),)),
            ev.AlarmsObserved(ELSEWHERE, NOW, (alarm(ELSEWHERE, "x"),)),
            ev.AlarmsObserved(SCOPE, NOW + 1, (alarm(SCOPE, "b"),)),
            ev.MappingsListed(SCOPE, NOW, (fed("a"), fed("b"))),
            ev.MappingsListed(SCOPE, NOW + 1, (fed("b"),)),
        ],
    )
    assert sorted(key.id for key in world.alarms) == ["b", "x"]
    assert [key.id for key in world.mappings] == ["b"]


def test_a_list_that_says_the_same_again_leaves_the_objects_as_they_are() -> None:
    events = [
        ev.FunctionsListed(SCOPE, NOW, (function(),)),
        ev.MappingsListed(SCOPE, NOW, (mapping(),)),
    ]
    first = fold_all(EMPTY_WORLD, events)
    again = fold_all(
        first,
        [
            ev.FunctionsListed(SCOPE, NOW + 1, (function(),)),
            ev.MappingsListed(SCOPE, NOW + 1, (mapping(),)),
        ],
    )
    assert again.functions[WORKER] is first.functions[WORKER]
    assert again.mappings[MAPPING] is first.mappings[MAPPING]
    assert again.functions_at[SCOPE] == again.mappings_at[SCOPE] == NOW + 1
    for name in ("changes", "reserved", "reserved_at", "triggers", "series", "metrics_at", "logs"):
        assert getattr(again, name) is getattr(first, name), name
    changed = fold(again, ev.FunctionsListed(SCOPE, NOW + 2, (function(memory_mb=1),)))
    assert changed.functions[WORKER].memory_mb == 1


def test_gaps_that_are_told_again_leave_the_world_as_it_is() -> None:
    world = fold(EMPTY_WORLD, ev.GapsObserved(SCOPE, NOW, "queues", (DENIED,)))
    assert fold(world, ev.GapsObserved(SCOPE, NOW + 1, "queues", (DENIED,))) is world
    assert fold(world, ev.GapsObserved(SCOPE, NOW - 1, "queues", ())) is world


def test_a_function_that_is_gone_here_takes_nothing_from_one_of_the_same_name_elsewhere() -> None:
    there = Key(ELSEWHERE, "function", WORKER.id)
    world = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(ELSEWHERE, NOW, (replace(function(), key=there),)),
            ev.ConcurrencyObserved(ELSEWHERE, NOW, ((there, 7),)),
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 5),)),
            ev.FunctionsListed(SCOPE, NOW + 1, (function("another"),)),
        ],
    )
    assert dict(world.reserved) == {there: 7}
    assert set(world.functions) == {there, function("another").key}


def test_what_nobody_folds_is_an_error_that_names_it_and_each_event_has_its_turn() -> None:
    class Unheard(ev.Event, frozen=True):
        """Of a kind that no fold knows."""

    with pytest.raises(TypeError, match="no fold for Unheard"):
        fold(EMPTY_WORLD, Unheard(SCOPE, NOW))
    turns: list[int] = []
    listed = [ev.FunctionsListed(SCOPE, NOW + n, ()) for n in range(3)]
    fold_all(EMPTY_WORLD, listed, lambda: turns.append(1))
    assert len(turns) == 3


def test_a_mapping_that_a_poll_shows_as_it_was_read_back_is_the_same_object() -> None:
    told = (ev.Control(MAPPING, "state", "Disabled"),)
    polled = ev.MappingsListed(SCOPE, NOW, (mapping(),))
    world = fold_all(EMPTY_WORLD, [polled, ev.ControlObserved(SCOPE, NOW + 5, told)])
    same = fold(world, ev.MappingsListed(SCOPE, NOW + 1, (mapping(state="Disabled"),)))
    assert same.mappings[MAPPING] is world.mappings[MAPPING]


def test_pages_of_a_first_list_are_shown_and_tell_of_nothing_that_is_gone() -> None:
    def page(name: str, at: float = NOW) -> ev.FunctionsListed:
        return ev.FunctionsListed(SCOPE, at, (function(name),), complete=False)

    world = fold_all(EMPTY_WORLD, [page("a"), page("b")])
    assert sorted(f.name for f in world.functions.values()) == ["a", "b"]
    assert SCOPE not in world.functions_at, "the list is not known yet"
    whole = fold(world, ev.FunctionsListed(SCOPE, NOW, (function("b"), function("c"))))
    assert sorted(f.name for f in whole.functions.values()) == ["b", "c"]
    assert fold(whole, page("z", NOW + 1)) is whole, "pages of a later list wait for the whole"


def test_everything_about_a_function_that_is_gone_goes_with_it_and_nothing_else() -> None:
    other = function("thumbnailer")
    keys = (WORKER, other.key)
    line = parse(NOW, "e", "s", "line")
    about: list[ev.Event] = [
        ev.FunctionsListed(
            SCOPE, NOW, (function(last_modified=NOW), function("thumbnailer", last_modified=NOW))
        ),
        ev.FunctionsListed(
            SCOPE,
            NOW + 1,
            tuple(function(k.id, last_modified=NOW + 1, memory_mb=512) for k in keys),
        ),
        ev.ConcurrencyObserved(SCOPE, NOW, tuple((k, 5) for k in keys)),
        ev.TriggersObserved(SCOPE, NOW, tuple(FunctionTriggers(k) for k in keys)),
        ev.MetricsObserved(SCOPE, NOW, NOW - 600, NOW, tuple(points(k, "Errors", [1.0]) for k in keys)),
        *(ev.LogsObserved(SCOPE, NOW, k, "/g", (line,)) for k in keys),
    ]
    full = fold_all(EMPTY_WORLD, about)
    maps = ("reserved", "reserved_at", "triggers", "changes", "series", "metrics_at", "logs", "functions")
    for name in maps:
        assert set(getattr(full, name)) == set(keys), name
    left = fold(full, ev.FunctionsListed(SCOPE, NOW + 2, (full.functions[other.key],)))
    for name in maps:
        assert set(getattr(left, name)) == {other.key}, name
        assert getattr(left, name)[other.key] is getattr(full, name)[other.key], name


def test_changes_between_two_lists_are_kept_up_to_a_number() -> None:
    world = fold(EMPTY_WORLD, ev.FunctionsListed(SCOPE, NOW, (function(memory_mb=1, last_modified=NOW),)))
    assert WORKER not in world.changes, "the first list is no change"
    for n in range(2, 40):
        facts = function(memory_mb=n, last_modified=NOW + n)
        world = fold(world, ev.FunctionsListed(SCOPE, NOW + n, (facts,)))
    kept = world.changes[WORKER]
    assert len(kept) == type(kept[0]).KEEP
    assert [c.at for c in kept] == [NOW + n for n in range(40 - len(kept), 40)]
    same = fold(world, ev.FunctionsListed(SCOPE, NOW + 99, (facts,)))
    assert same.changes[WORKER] == kept
    unknown = fold(world, ev.FunctionsListed(SCOPE, NOW + 99, (function(memory_mb=99),)))
    assert unknown.changes[WORKER] == kept, "a change without a time has no place among them"


def test_what_was_read_back_after_a_change_beats_a_poll_that_began_before_it() -> None:
    polled = [
        ev.MappingsListed(SCOPE, NOW, (mapping(),)),
        ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 50),)),
    ]
    said = (
        ev.Control(WORKER, "reserved_concurrency", 0),
        ev.Control(MAPPING, "state", "Disabled"),
        ev.Control(Key(SCOPE, "mapping", "unknown"), "state", "Disabled"),
        ev.Control(WORKER, "memory", 9),
        ev.Control(MAPPING, "retries", 9),
    )
    world = fold_all(EMPTY_WORLD, [*polled, ev.ControlObserved(SCOPE, NOW + 5, said)])
    assert (world.reserved[WORKER], world.mappings[MAPPING].state) == (0, "Disabled")
    assert set(world.mappings) == {MAPPING}
    for at, reserved, state in ((NOW + 4, 0, "Disabled"), (NOW + 5, 0, "Disabled"), (NOW + 6, 50, "Enabled")):
        later = fold_all(
            world,
            [
                ev.MappingsListed(SCOPE, at, (mapping(),)),
                ev.ConcurrencyObserved(SCOPE, at, ((WORKER, 50),)),
            ],
        )
        assert (later.reserved[WORKER], later.mappings[MAPPING].state) == (reserved, state), at - NOW


def test_a_change_is_seen_at_the_very_moment_of_the_poll() -> None:
    polled = [
        ev.MappingsListed(SCOPE, NOW, (mapping(),)),
        ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 50),)),
    ]
    said = (ev.Control(WORKER, "reserved_concurrency", 0), ev.Control(MAPPING, "state", "Disabled"))
    for at, expected in ((NOW - 1, (50, "Enabled")), (NOW, (0, "Disabled"))):
        world = fold_all(EMPTY_WORLD, [*polled, ev.ControlObserved(SCOPE, at, said)])
        assert (world.reserved[WORKER], world.mappings[MAPPING].state) == expected
        assert world.controls[(WORKER, "reserved_concurrency")] == (at, 0)


def test_queues_add_to_their_history_and_go_when_they_are_gone() -> None:
    world = fold_all(
        EMPTY_WORLD,
        [
            ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, visible=1), queue(DLQ, visible=7))),
            ev.QueuesObserved(SCOPE, NOW + 60, (queue(ORDERS, visible=2, at=NOW + 60),)),
        ],
    )
    assert world.queues[ORDERS].depths == ((NOW, 1), (NOW + 60, 2))
    assert world.queues[DLQ].facts.visible == 7, "not asked is not gone"
    gone = fold(world, ev.QueuesObserved(SCOPE, NOW + 61, (), (DLQ, Key(SCOPE, "queue", "never-seen"))))
    assert set(gone.queues) == {ORDERS}


def test_a_source_keeps_its_last_success_and_its_newest_report_in_any_order() -> None:
    def said(at: float, state: Any) -> ev.SourceReported:
        return ev.SourceReported(SCOPE, at, "queues", state)

    def after(*events: ev.Event) -> tuple[str, float | None]:
        health = fold_all(EMPTY_WORLD, events).sources["queues"]
        return health.report.state, health.ok_at

    assert after(said(NOW, "failed")) == ("failed", None)
    assert after(said(NOW, "failed"), said(NOW + 1, "ok")) == ("ok", NOW + 1)
    assert after(said(NOW, "failed"), said(NOW + 1, "failed")) == ("failed", None)
    assert after(said(NOW + 2, "failed"), said(NOW + 1, "ok")) == ("failed", NOW + 1)
    assert after(said(NOW + 2, "ok"), said(NOW + 1, "ok")) == ("ok", NOW + 2)
    assert after(said(NOW, "ok"), said(NOW, "failed")) == ("failed", NOW)


def test_what_is_told_as_a_whole_is_kept_as_it_is() -> None:
    target = ev.TargetIdentified(SCOPE, NOW, "arn:me")
    spent = ev.SpendObserved(SCOPE, NOW, (("lambda.ListFunctions", 3),), 1.0, 2.0, 3.0, (("x.Y", 1.0),))
    world = fold_all(EMPTY_WORLD, [target, spent, ev.JournalRead(SCOPE, NOW, (entry(),))])
    assert world.targets == {SCOPE: target}
    assert (world.spend.calls, world.spend.usd, world.spend.usd_per_hour) == (spent.calls, 1.0, 2.0)
    assert world.lambda_calls == ((NOW, 3),)
    assert (world.spend.budget_usd_per_hour, world.spend.usd_by_call) == (3.0, (("x.Y", 1.0),))
    assert world.journal == (entry(),)


def test_a_log_says_how_it_came_and_a_late_answer_only_adds_lines() -> None:
    def logged(at: float, group: str, **more: Any) -> ev.LogsObserved:
        return ev.LogsObserved(SCOPE, at, WORKER, group, (parse(at, group, "s", group),), **more)

    told: dict[str, Any] = {
        "complete": False,
        "gap": "some",
        "via": "live tail",
        "via_why": "asked",
        "lag_s": 1.5,
        "coverage": 0.5,
        "usd_per_hour": 0.6,
    }
    world = fold(EMPTY_WORLD, logged(NOW, "/new", **told))
    tail = world.logs[WORKER]
    assert {name: getattr(tail, name) for name in told} == told
    assert (tail.group, tail.at) == ("/new", NOW)
    late = fold(world, logged(NOW - 1, "/old")).logs[WORKER]
    assert {name: getattr(late, name) for name in told} == told
    assert (late.group, late.at, [line.text for line in late.lines]) == ("/new", NOW, ["/new", "/old"])
    quiet = fold(world, ev.LogsObserved(SCOPE, NOW + 1, WORKER, "/new", ())).logs[WORKER]
    assert quiet.lag_s == 1.5, "no line came, so nobody knows a newer age"
    assert (quiet.complete, quiet.gap, quiet.coverage, quiet.usd_per_hour) == (True, "", None, 0.0)


def test_lines_are_numbered_on_and_what_is_in_order_is_not_made_anew() -> None:
    lines = tuple(parse(NOW, str(n), "s", f"line {n}").numbered(n) for n in range(1, 4))
    tail = append_lines(LogTail(), lines)
    assert append_lines(tail, ()) is tail
    assert all(kept is line for kept, line in zip(tail.lines, lines, strict=True))
    assert (tail.next_seq, tail.arrived, tail.burst) == (4, 3, ())
    more = append_lines(tail, lines[:2])
    assert [line.seq for line in more.lines] == [1, 2, 3, 4, 5]
    assert (more.next_seq, more.arrived) == (6, 2)


def test_a_burst_is_kept_until_the_next_lines_and_has_a_bound() -> None:
    def some(count: int) -> Any:
        return tuple(parse(NOW, str(n), "s", str(n)) for n in range(count))

    over = append_lines(LogTail(), some(LogTail.KEEP + 10))
    assert (len(over.burst), len(over.lines)) == (10, LogTail.KEEP)
    assert [line.seq for line in (*over.burst, *over.lines)] == list(range(1, LogTail.KEEP + 11))
    then = append_lines(over, some(1))
    assert (len(then.burst), len(then.lines)) == (11, LogTail.KEEP), "until the whole burst has been seen"
    last = append_lines(then, some(1))
    assert (len(last.burst), len(last.lines)) == (0, LogTail.KEEP)
    most = append_lines(LogTail(), some(LogTail.KEEP_BURST + 5))
    assert len(most.burst) + len(most.lines) == LogTail.KEEP_BURST
    assert most.lines[-1].seq == LogTail.KEEP_BURST + 5
