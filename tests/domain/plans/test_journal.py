"""What stands in the journal's records, word by word, and what they mean when they are read again."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from fakes.entries import AT, SCOPE, WORKER, entry
from msgspec.structs import replace

from lambdatop.domain.plans.journal import (
    ACCEPTED,
    FOUND,
    MOST_ATTEMPTS_S,
    Entry,
    Uptime,
    attempt_record,
    carried_record,
    intent_record,
    joined,
    outcome_record,
    replay,
)

BARE = entry()
WHOLE = entry(
    "p.2",
    before=MappingProxyType({"reserved_concurrency": 7}),
    undoes="e1",
    deadline=AT + 60,
    deadline_latest=AT + 120.5,
    label="orders",
    whole="Stop",
    steps=3,
    called=("orders", "PROD"),
    depth=2,
    uptime=Uptime("b00t", 12.5, "CLOCK_BOOTTIME"),
)
CALL = {"service": "lambda", "operation": "PutFunctionConcurrency"}
RECORD: dict[str, Any] = {
    "record": "intent",
    "id": "e1",
    "at": AT,
    "mitigation": "throttle_to_zero",
    "target": {
        "account": "111122223333",
        "region": "eu-central-1",
        "kind": "function",
        "id": "orders-worker",
        "arn": "arn:aws:lambda:eu-central-1:111122223333:function:orders-worker",
        "label": "",
    },
    "actor": "arn:aws:sts::111122223333:assumed-role/oncall/kim",
    "host": "bastion",
    "pid": 4242,
    "call": CALL | {"params": {"FunctionName": "orders-worker", "ReservedConcurrentExecutions": 0}},
    "before": {"reserved_concurrency": 7},
    "after": {"reserved_concurrency": 0},
    "undo": CALL | {"params": {"FunctionName": "orders-worker", "ReservedConcurrentExecutions": 7}},
    "undoes": None,
    "plan_digest": "d" * 64,
}
MORE: dict[str, Any] = {
    "id": "p.2",
    "target": RECORD["target"] | {"label": "orders"},
    "undoes": "e1",
    "deadline": AT + 60,
    "deadline_latest": AT + 120.5,
    "plan": {"title": "Stop", "steps": 3},
    "called": ["orders", "PROD"],
    "depth": 2,
    "uptime": {"boot": "b00t", "s": 12.5, "clock": "CLOCK_BOOTTIME"},
}


def test_an_intent_is_written_in_these_words_for_every_version_to_come() -> None:
    assert intent_record(BARE) == RECORD
    assert intent_record(WHOLE) == RECORD | MORE
    assert intent_record(replace(BARE, undo=None))["undo"] is None


def test_attempts_and_outcomes_are_written_in_these_words() -> None:
    assert attempt_record("e1", AT, 2, "busy") == (
        {"record": "attempt", "id": "e1", "at": AT, "number": 2, "detail": "busy"}
    )
    written = {"record": "outcome", "id": "e1", "at": AT, "outcome": "applied", "detail": "d"}
    assert outcome_record("e1", AT, "applied", "d", None) == written | {"seen": None}
    seen = MappingProxyType({"reserved_concurrency": 0})
    assert outcome_record("e1", AT, "applied", "d", seen) == written | {"seen": {"reserved_concurrency": 0}}
    json.dumps(outcome_record("e1", AT, "applied", "d", seen))


def test_what_is_carried_over_is_an_intent_with_its_end() -> None:
    end = {"record": "carried", "depth": 0, "again_s": 0.0, "outcome": "open", "outcome_at": None}
    assert carried_record(BARE) == RECORD | end | {"detail": "", "seen": None}
    done = replace(WHOLE, outcome="unknown", outcome_at=AT + 9, detail="lost", seen={"x": 1}, again_s=4.0)
    ended = {"record": "carried", "again_s": 4.0, "outcome": "unknown", "outcome_at": AT + 9}
    assert carried_record(done) == RECORD | MORE | ended | {"detail": "lost", "seen": {"x": 1}}


def test_words_that_recovery_writes_stay_as_they_are() -> None:
    assert FOUND == ("applied (found)", "not applied (found)", "changed by somebody", "cannot be told")
    assert ACCEPTED == "accepted by AWS"


@pytest.mark.parametrize("made", [BARE, WHOLE, replace(BARE, undo=None), replace(BARE, deadline=AT)])
def test_what_was_written_comes_back_exactly(made: Entry) -> None:
    again = [json.loads(json.dumps(intent_record(made)))]
    assert replay(again) == (made,)
    ended = replace(made, outcome="applied", outcome_at=AT + 2, detail="d", seen={"x": 0}, again_s=1.5)
    for one in (made, ended):
        assert replay([json.loads(json.dumps(carried_record(one)))]) == (one,)


def test_of_what_an_older_version_did_not_write_nothing_is_known() -> None:
    record = {**RECORD, "target": {k: v for k, v in RECORD["target"].items() if k != "label"}}
    del record["undoes"]
    (found,) = replay([record])
    assert found == BARE
    assert (found.outcome, found.detail, found.label, found.whole) == ("open", "", "", "")
    assert (found.steps, found.called, found.depth, found.again_s) == (0, (), 0, 0.0)
    assert (found.outcome_at, found.seen, found.deadline, found.deadline_latest) == (None,) * 4
    assert (found.uptime.boot, found.uptime.s, found.uptime.clock) == ("", 0.0, "")
    (empty,) = replay([RECORD | {"plan": {}, "called": None, "uptime": None, "depth": None}])
    assert empty == BARE
    (half,) = replay([RECORD | {"plan": {"title": None, "steps": None}}])
    assert half == BARE


def test_numbers_and_texts_are_what_they_should_be_whatever_json_says() -> None:
    record = RECORD | {"at": int(AT), "pid": "4242", "deadline": "60", "called": [7]}
    (found,) = replay(
        [record | {"uptime": {"boot": 1, "s": 2, "clock": 3}, "plan": {"title": 4, "steps": "5"}}]
    )
    assert (type(found.at), found.pid, found.deadline, found.called) == (float, 4242, 60.0, ("7",))
    assert (found.uptime, found.whole, found.steps) == (Uptime("1", 2.0, "3"), "4", 5)


def test_an_outcome_ends_its_entry_and_no_other() -> None:
    other = entry("e2")
    seen = {"reserved_concurrency": 0}
    end = outcome_record("e1", AT + 1, "applied", "d", seen)
    one, two = replay([intent_record(BARE), intent_record(other), end])
    assert one == replace(BARE, outcome="applied", outcome_at=AT + 1, detail="d", seen=seen)
    assert two == other
    short = {"record": "outcome", "id": "e1", "at": "3", "outcome": "refused"}
    assert replay([RECORD, short]) == (replace(BARE, outcome="refused", outcome_at=3.0),)
    for lost in (
        end,
        attempt_record("e1", AT, 2, "busy"),
        {"record": "outcome"},
        {"record": "note", "id": "e2"},
        {},
    ):
        assert replay([intent_record(other), lost]) == (other,)


def test_the_last_attempt_counts_within_bounds() -> None:
    assert MOST_ATTEMPTS_S == 600.0
    for later_s, again_s in ((0.5, 0.5), (-1, 0.0), (600, 600.0), (600.5, 600.0)):
        attempts = [attempt_record("e1", AT + 9, 2, ""), attempt_record("e1", AT + later_s, 3, "")]
        assert replay([RECORD, *attempts]) == (replace(BARE, again_s=again_s),)


def _undo(id_: str, undoes: str, **fields: Any) -> dict[str, Any]:
    return intent_record(entry(id_, undoes=undoes, **fields))


def _end(id_: str, outcome: Any = "applied") -> dict[str, Any]:
    return outcome_record(id_, AT, outcome, "", None)


def test_an_undo_that_was_applied_marks_what_it_took_back_for_good() -> None:
    records = [RECORD, _end("e1"), _undo("u", "e1", depth=1)]
    assert [e.outcome for e in replay(records)] == ["applied", "open"]
    assert [e.outcome for e in replay([*records, _end("u", "refused")])] == ["applied", "refused"]
    undone = [*records, _end("u")]
    assert [e.outcome for e in replay(undone)] == ["undone", "applied"]
    assert [e.outcome for e in replay([*undone, _end("e1")])] == ["undone", "applied"], "a late verdict"
    gone = [_undo("u", "elsewhere", depth=1), _end("u")]
    assert [e.outcome for e in replay(gone)] == ["applied"]


def test_an_older_versions_undos_are_counted() -> None:
    found = replay([RECORD, _undo("u", "e1"), _undo("r", "u"), _undo("s", "r"), _undo("t", "r", depth=7)])
    assert [e.undo_depth for e in found] == [0, 1, 2, 3, 7]
    assert [e.depth for e in found] == [0, 0, 2, 3, 7]
    assert [e.takes_back for e in found] == [False, True, False, True, True]


def test_depth_counts_for_undos_alone() -> None:
    assert entry(depth=3).undo_depth == 0
    assert not entry(depth=3).takes_back
    assert [entry(undoes="x", depth=depth).undo_depth for depth in (0, 1, 2)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("outcome", "detail", "accepted", "can_undo"),
    [
        ("applied", "", False, True),
        ("applied", f"{ACCEPTED}, or so", False, True),
        ("unknown", f"{ACCEPTED}, but it shows 7", True, True),
        ("unknown", f"not {ACCEPTED}", False, False),
        *((outcome, "", False, False) for outcome in ("open", "refused", "not-sent", "unknown", "undone")),
        ("undone", ACCEPTED, False, False),
    ],
)
def test_what_can_be_undone(outcome: Any, detail: str, accepted: bool, can_undo: bool) -> None:
    made = entry(outcome=outcome, detail=detail)
    assert (made.accepted, made.can_undo) == (accepted, can_undo)
    assert not replace(made, undo=None).can_undo


def test_ages_come_from_the_machines_own_clock_or_from_the_clock() -> None:
    ran = entry(uptime=Uptime("one", 5.0, "c"))
    assert ran.age_s(0.0, Uptime("one", 5.0, "c")) == 0.0
    assert ran.age_s(0.0, Uptime("one", 5.5, "c")) == 0.5
    assert ran.age_s(AT + 9, Uptime("one", 4.0, "c")) is None
    assert ran.age_s(AT + 9, Uptime("two", 7.0, "c")) == 9.0
    assert entry().age_s(AT) == 0.0
    assert entry().age_s(AT + 0.5, Uptime("", 99.0)) == 0.5
    assert entry().age_s(AT - 1) is None


def test_every_name_of_a_target_once() -> None:
    assert BARE.names == (WORKER.id, BARE.arn)
    assert replace(BARE, label="l", called=("c", WORKER.id, "")).names == (WORKER.id, BARE.arn, "l", "c")


def test_of_an_entry_in_two_files_the_newer_counts_in_its_place() -> None:
    older = (BARE, entry("e2", outcome="applied"), entry("e3"))
    undo = entry("u", undoes="e2", depth=1, outcome="applied")
    found = joined(older, (entry("e3", outcome="refused"), undo, entry("n", undoes="e1", outcome="refused")))
    assert [e.id for e in found] == ["e1", "e2", "e3", "u", "n"]
    assert [e.outcome for e in found] == ["open", "undone", "refused", "applied", "refused"]
    assert joined((), older) == older
    assert found[0].target.scope == SCOPE
