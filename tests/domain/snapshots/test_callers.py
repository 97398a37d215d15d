"""Schedules, pipes and state machines of a function: rows of storms, the event graph, what is not known."""

from __future__ import annotations

import pytest
from fakes.callers import CHECKOUT, HERE, NIGHTLY, machine, pipe, schedule
from fakes.worlds import DLQ, NOW, PROMPT, SCOPE, WORKER, function, queue
from msgspec.structs import replace

from lambdatop.domain.facts.callers import NAMED, Caller, RetryRule, looked_words
from lambdatop.domain.facts.not_read import Gap, NotKnown
from lambdatop.domain.facts.triggers import Reference
from lambdatop.domain.graph.topology import cycle_of, edges, stopped_by_aws
from lambdatop.domain.keys import Key
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.snapshots.caller_rows import caller_rows
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, FunctionRow, QueueRow, Snapshot, StormRow
from lambdatop.domain.state.world import EMPTY_WORLD, World

F = function().arn
TABLE = f"arn:aws:dynamodb:{HERE}:table/carts"
OTHER = Key(SCOPE, "function", "other")


def seen(source: str, *callers: Caller, at: float = NOW) -> ev.CallersObserved:
    return ev.CallersObserved(SCOPE, at, source, callers)


def world(*events: ev.Event) -> World:
    known = (ev.TargetIdentified(SCOPE, NOW, "kim"), ev.FunctionsListed(SCOPE, NOW, (function(),)))
    return fold_all(EMPTY_WORLD, (*known, *events))


ALL = (seen("schedules", schedule()), seen("pipes", pipe()), seen("state_machines", machine()))


def snap(of: World, previous: Snapshot = EMPTY_SNAPSHOT, worth: int = 200) -> Snapshot:
    return build_snapshot(
        of, previous=previous, at=NOW, version="0", mode="operator", settings=PROMPT, worth_comparing=worth
    )


def rows(snapshot: Snapshot) -> dict[str, StormRow]:
    return {row.source_name: row for row in snapshot.storms if row.caller is not None}


def test_all_three_are_rows_of_storms_with_their_own_rules() -> None:
    found = rows(snap(world(*ALL)))
    assert {name: (r.source_kind, r.state, r.invocation, r.caller) for name, r in found.items()} == {
        "schedule default/nightly": ("schedule", "ENABLED", "push async", NIGHTLY),
        "pipe handover": ("pipe", "RUNNING", "push sync", Key(SCOPE, "pipe", "handover")),
        "state machine checkout": ("state machine", "ACTIVE", "push sync", CHECKOUT),
    }
    assert found["pipe handover"].function_name == "orders-worker:live"
    assert (
        found["state machine checkout"].failure_path == "Retry States.ALL: 9 times, first after 1 s, then x 2"
    )
    nightly = found["schedule default/nightly"]
    assert nightly.settings == "ENABLED, rate(1 minute) UTC"
    assert nightly.failure_path.startswith(
        "a refused call: retried 185 times within 24 h, then queue missed; an event that"
    )
    assert len({row.key for row in found.values()}) == 3


def test_what_the_caller_repeats_weighs_more_and_what_is_off_nothing() -> None:
    row = FunctionRow(function(), error_rate=0.5)
    no_retry = machine(retry=())
    callers = (
        schedule(),
        schedule(state="DISABLED"),
        pipe(),
        pipe(invocation="push async"),
        machine(),
        no_retry,
    )
    weighed = [r.score for r in caller_rows(row, callers, world(), {})]
    assert weighed == [1.0, 0.0, 2.5, 1.0, 2.5, 1.0]


def test_a_row_has_the_dead_letter_queue_of_its_caller() -> None:
    dead = QueueRow(queue(DLQ))
    row = FunctionRow(function())
    (made,) = caller_rows(row, (schedule(dlq_arn=queue(DLQ).arn),), world(), {DLQ: dead})
    assert made.dlq is dead


def test_thousands_of_schedules_are_a_few_rows() -> None:
    many = [schedule(key=Key(SCOPE, "schedule", f"default/s{i:04}")) for i in range(3000)]
    found = rows(snap(world(seen("schedules", *many))))
    assert len(found) == NAMED + 1
    assert f"{3000 - NAMED:,} more schedules" in found


def test_rows_follow_what_is_read_later_in_a_large_account() -> None:
    before = snap(world(*ALL), worth=0)
    later = fold_all(
        before.kept.world if before.kept else EMPTY_WORLD,
        (seen("schedules", at=NOW + 1), seen("state_machines", machine(state="DELETING"), at=NOW + 1)),
    )
    found = rows(snap(later, before, worth=0))
    assert set(found) == {"pipe handover", "state machine checkout"}
    assert found["state machine checkout"].why == "DELETING"


def test_an_answer_that_changes_nothing_keeps_the_same_objects() -> None:
    first = world(*ALL)
    again = fold_all(first, [replace(event, at=NOW + 9) for event in ALL])
    assert (again.schedules, again.callers) == (first.schedules, first.callers)
    assert again.schedules is first.schedules
    assert again.callers[WORKER] is first.callers[WORKER]
    assert again.callers_at[(SCOPE, "schedules")] == NOW + 9
    late = fold_all(again, [seen("schedules", at=NOW)])
    assert late.schedules is first.schedules, "a late answer brings nothing back"


def test_a_pipe_is_a_way_of_events_and_a_stopped_one_is_not() -> None:
    reads = pipe(source_arn=queue(DLQ).arn)
    known = {(e.source, e.target) for e in edges(world(seen("pipes", reads)))}
    assert known == {(queue(DLQ).arn, reads.arn), (reads.arn, F)}
    assert edges(world(seen("pipes", pipe(state="STOPPED")))) == ()


def test_a_loop_through_a_state_machine_is_found() -> None:
    facts = function(references=(Reference("NEXT", machine().arn),))
    looping = world(ev.FunctionsListed(SCOPE, NOW, (facts,)), seen("state_machines", machine()))
    cycle = cycle_of(looping, WORKER)
    assert cycle is not None
    assert cycle.path == "orders-worker → checkout → orders-worker"
    assert stopped_by_aws(looping, cycle) == (False, "AWS does not detect loops through Step Functions")


def test_a_loop_through_a_pipe_that_hands_events_on_is_found() -> None:
    handing = pipe(function=None, function_arn="", parts=(), source_arn=TABLE, target_arn=machine().arn)
    facts = function(references=(Reference("TABLE", TABLE),))
    looping = world(
        ev.FunctionsListed(SCOPE, NOW, (facts,)), seen("pipes", handing), seen("state_machines", machine())
    )
    cycle = cycle_of(looping, WORKER)
    assert cycle is not None
    assert cycle.path == "orders-worker → carts → handover → checkout → orders-worker"
    assert WORKER not in world(seen("pipes", handing)).callers


def test_what_was_denied_is_missing_from_what_is_known() -> None:
    denied = ev.SourceReported(SCOPE, NOW, "pipes", "denied", "no", "pipes:ListPipes")
    gap = Gap("state_machines", "states:DescribeStateMachine", None, "not asked", 40)
    partly = world(
        ALL[0],
        ALL[2],
        denied,
        ev.GapsObserved(SCOPE, NOW, "state_machines", (gap,)),
    )
    words = looked_words(snap(partly).looked_for(WORKER))
    assert words == (
        "schedules, pipes and state machines were looked for at 08:00 UTC: 2 found; not known: missing "
        "pipes:ListPipes, states:DescribeStateMachine not asked yet (40); SDK callers cannot be listed"
    )
    nobody = looked_words(snap(partly).looked_for(OTHER))
    assert "0 found; not known: missing pipes:ListPipes" in nobody


def test_before_anybody_looked_nothing_is_claimed() -> None:
    assert looked_words(snap(world()).looked_for(WORKER)) == (
        "schedules, pipes and state machines were not looked for; not known: schedules not read yet, "
        "pipes not read yet, state machines not read yet; SDK callers cannot be listed"
    )
    failing = fold_all(world(*ALL), [ev.SourceReported(SCOPE, NOW, "pipes", "failed", "no")])
    assert "3 found; not known: pipes:ListPipes failed" in looked_words(snap(failing).looked_for(WORKER))


def test_a_machine_that_computes_the_name_may_be_anybodys_caller() -> None:
    known = world(seen("state_machines", machine(function=None, function_arn="")))
    assert known.callers == {}
    assert "which function is computed by state machine checkout" in looked_words(
        snap(known).looked_for(OTHER)
    )


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        (
            schedule(max_retries=0, dlq_arn=None),
            "a refused call: retried 0 times within 24 h, then dropped: no DLQ",
        ),
        (
            schedule(
                max_retries=NotKnown("denied", "scheduler:GetSchedule"), dlq_arn=NotKnown("denied", "a:b")
            ),
            "a refused call: retries not known (scheduler:GetSchedule denied), then an end that is not known "
            "(a:b denied)",
        ),
        (pipe(max_retries=2, max_age_s=-1), "a failed batch: retried 2 times, then dropped: no DLQ"),
        (pipe(max_retries=None), "a failed batch: stream clicks hands it out again by its own rules"),
        (machine(retry=NotKnown("denied", "x:y")), "Retry not known (x:y denied)"),
        (machine(retry=(RetryRule(("A", "B"), 1, 60.0),)), "Retry A, B: once, first after 60 s"),
    ],
)
def test_retry_rules_in_words(caller: Caller, words: str) -> None:
    assert caller.retries == words
