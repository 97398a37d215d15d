"""Sentences of plans are true in each case: what is not known is not promised, a loss is not denied."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.entries import entry
from fakes.worlds import DLQ, MAPPING, NOW, ORDERS, WORKER, function, mapping, queue
from msgspec.structs import replace

from lambdatop.domain.facts.not_read import NotKnown, Reason
from lambdatop.domain.facts.triggers import AsyncConfig
from lambdatop.domain.mitigations.registry import plan, plan_undo, reads_besides
from lambdatop.domain.mitigations.restore import remembered
from lambdatop.domain.plans.command import NOWHERE_SPECIAL, Place
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import Entry, intent_record, outcome_record, replay
from lambdatop.domain.plans.plan import Call, Plan, Refusal
from lambdatop.domain.plans.situation import FunctionSituation, MappingSituation
from lambdatop.domain.snapshots.finish import finished

FIELD = "reserved_concurrency"


def situation(**changes: Any) -> FunctionSituation:
    base = FunctionSituation(Ref(WORKER, function().arn, "orders-worker"), NOW, function(), None)
    return replace(base, **changes)


def trigger(**changes: Any) -> MappingSituation:
    base = MappingSituation(Ref(MAPPING, MAPPING.id, "orders → orders-worker"), NOW, mapping())
    return replace(base, **changes)


def planned(name: str, s: Any, **params: Any) -> Plan:
    proposal = plan(name, s, params, NOW, "p1")
    assert isinstance(proposal, Plan), proposal
    return proposal


def done(p: Plan, **changes: Any) -> Entry:
    base = Entry(
        p.id, NOW, p.mitigation, p.target.key, p.target.arn, "me", "h", 1, p.call, p.before, p.after, p.undo,
        p.undoes, p.digest(), "applied", NOW,
    )  # fmt: skip
    return replace(base, **changes)


def undo_of(entry: Entry) -> Plan:
    proposal = plan_undo(entry, entry.after, NOW, "u1")
    assert isinstance(proposal, Plan), proposal
    return proposal


def throttle(before: int | None = 7, **changes: Any) -> Entry:
    return done(planned("throttle_to_zero", situation(reserved=before)), **changes)


def test_a_queue_that_could_not_be_read_is_not_said_to_have_no_dead_letter_queue() -> None:
    (warning,) = planned("throttle_to_zero", situation(mappings=(mapping(),))).warnings
    assert "not known" in warning
    assert "expire" not in warning
    without = situation(mappings=(mapping(),), queues=(queue(ORDERS),))
    assert "until they expire" in planned("throttle_to_zero", without).warnings[0]
    with_dlq = queue(ORDERS, dlq_arn=queue(DLQ).arn, max_receive_count=3)
    dead_letters = situation(mappings=(mapping(),), queues=(with_dlq,))
    assert "after 3 receives" in planned("throttle_to_zero", dead_letters).warnings[0]


def test_the_steps_say_why_their_queue_was_not_read() -> None:
    denied = NotKnown("denied", "sqs:GetQueueAttributes")
    s = situation(mappings=(mapping(),), unread_queues=((queue(ORDERS).arn, denied),))
    assert denied.words in planned("throttle_to_zero", s, triggers="first").steps[0].lost


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("denied", "Allow lambda:ListEventSourceMappings, or"),
        ("throttled", "Try again in a moment, or"),
        ("not there", "Ask an endpoint that has it, or"),
    ],
)
def test_a_permission_is_asked_for_only_where_it_is_missing(reason: Reason, remedy: str) -> None:
    s = situation(mappings=NotKnown(reason, "lambda:ListEventSourceMappings"))
    refused = plan("throttle_to_zero", s, {"triggers": "first"}, NOW, "p1")
    assert isinstance(refused, Refusal)
    assert refused.hint.startswith(remedy)


def test_a_destination_of_the_function_is_not_promised_to_its_aliases() -> None:
    destination = AsyncConfig(on_failure_arn="arn:aws:sns:x:1:topic")
    alone = planned("throttle_to_zero", situation(async_config=destination))
    assert "alias" not in alone.lost
    aliased = planned("throttle_to_zero", situation(async_config=destination, aliases=("live",)))
    assert "an alias are LOST unless" in aliased.lost
    facts = function(dlq_arn="arn:aws:sqs:x:1:dead")
    kept = situation(facts=facts, async_config=destination, aliases=("live",))
    assert "LOST" not in planned("throttle_to_zero", kept).lost


def test_restoring_to_zero_is_a_throttle_and_says_what_is_lost() -> None:
    s = situation(reserved=7, mappings=(mapping(),))
    p, same = planned("restore_concurrency", s, reserved="0"), planned("throttle_to_zero", s)
    assert p.mitigation == "restore_concurrency"
    assert (p.tier, p.confirm, p.lost, p.warnings) == (same.tier, same.confirm, same.lost, same.warnings)
    assert "LOST" in p.lost
    provisioned = plan(
        "restore_concurrency", replace(s, provisioned=(("live", 2),)), {"reserved": 0}, NOW, ""
    )
    assert isinstance(provisioned, Refusal)
    assert provisioned.mitigation == "restore_concurrency"


@pytest.mark.parametrize(("now", "wanted", "limits"), [(None, "5", True), (9, "5", True), (0, "5", False)])
def test_a_lower_reservation_throttles_callers_beyond_it(now: int | None, wanted: str, limits: bool) -> None:
    assert ("429" in planned("restore_concurrency", situation(reserved=now), reserved=wanted).lost) is limits


def test_a_deadline_is_only_shown_for_an_age_that_is_known() -> None:
    waiting = trigger(queue=queue(ORDERS, visible=9, retention_s=600))
    assert "not known" in planned("disable_trigger", waiting).lost
    assert "expires in" not in planned("disable_trigger", waiting).lost
    known = planned("disable_trigger", replace(waiting, oldest_age_s=60.0))
    assert "the oldest expires in 9 min at the latest" in known.lost
    assert "received three times or more are not in that age and may expire sooner" in known.lost
    assert (known.deadline, known.deadline_latest) == (None, NOW + 540)
    assert "none waits now" in planned("disable_trigger", replace(waiting, queue=queue(ORDERS))).lost


def test_the_undo_of_an_undo_throttles_and_starts_nothing() -> None:
    back = undo_of(throttle())
    assert (back.lost, back.warnings) == ("nothing", ("what waited meanwhile starts at once",))
    again = undo_of(done(back))
    assert "lost again" in again.lost
    assert (again.tier, again.warnings, again.confirm) == ("T2", (), "orders-worker")


def test_the_undo_of_enabling_a_trigger_waits_and_starts_nothing() -> None:
    on = done(planned("enable_trigger", trigger(facts=mapping(state="Disabled"))))
    off = undo_of(on)
    assert (off.after, off.warnings, off.transient) == ({"state": "Disabled"}, (), ({"state": "Disabling"},))
    assert "until their retention ends" in off.lost


def test_the_undo_of_disabling_a_trigger_says_what_it_discards() -> None:
    off = done(
        planned("disable_trigger", trigger(facts=mapping(max_record_age_s=3600))), label="clicks → worker"
    )
    assert reads_besides(off) == ("max_record_age_s",)
    back = plan_undo(off, {"state": "Disabled", "max_record_age_s": 3600}, NOW, "u")
    assert isinstance(back, Plan)
    assert (back.tier, back.confirm) == ("T2", "worker")
    assert back.lost.startswith("records older than 60 min are DISCARDED")
    for age in (None, -1):
        plain = plan_undo(off, {"state": "Disabled", "max_record_age_s": age}, NOW, "u")
        assert isinstance(plain, Plan)
        assert (plain.tier, plain.confirm, plain.lost[:7]) == ("T1", "key", "nothing")
    on = done(planned("enable_trigger", trigger(facts=mapping(state="Disabled"))))
    assert reads_besides(on) == ()


def test_only_the_right_way_counts_as_under_way() -> None:
    off = done(planned("disable_trigger", trigger()))
    assert undo_of(off).transient == ({"state": "Enabling"},)
    assert undo_of(throttle()).transient == ()


def test_what_was_taken_back_is_not_remembered() -> None:
    assert remembered([throttle(outcome="undone"), done(undo_of(throttle()))], WORKER) == {}
    restored = done(planned("restore_concurrency", situation(reserved=0), reserved=7), id="r")
    assert remembered([throttle(), restored], WORKER) == {}, "a zero after it is somebody else's"
    second = throttle(20, id="t2")
    assert remembered([throttle(), restored, second], WORKER) == {"reserved": 20}
    redo = done(undo_of(done(undo_of(throttle()))), id="redo")
    assert remembered([throttle(outcome="undone"), redo], WORKER) == {"reserved": 7}


@pytest.mark.parametrize(
    ("outcome", "seen", "counts"),
    [
        ("unknown", None, True),
        ("unknown", {FIELD: 7}, True),
        ("unknown", {FIELD: 50}, False),
        ("open", None, True),
        ("refused", None, False),
        ("not-sent", None, False),
    ],
)
def test_only_a_throttle_that_may_hold_is_remembered(outcome: Any, seen: Any, counts: bool) -> None:
    found = remembered([throttle(outcome=outcome, seen=seen)], WORKER)
    assert found == ({"reserved": 7} if counts else {})


def test_without_a_value_and_not_at_zero_there_is_nothing_to_take_back() -> None:
    proposal = plan("restore_concurrency", situation(reserved=4), {}, NOW, "p")
    assert isinstance(proposal, Refusal)
    assert "is 4, not 0" in proposal.reason
    assert "journal" not in proposal.reason


def test_a_late_verdict_does_not_bring_back_what_was_undone() -> None:
    first = throttle(outcome="open", outcome_at=None)
    back = done(undo_of(throttle()), id="e2", outcome="open", outcome_at=None)
    records = [
        intent_record(first),
        outcome_record(first.id, NOW, "applied", "", None),
        intent_record(back),
        outcome_record("e2", NOW, "applied", "", None),
        outcome_record(first.id, NOW, "applied", "applied (found)", None),
    ]
    assert [e.outcome for e in replay(records)] == ["undone", "applied"]


def test_the_line_by_hand_goes_where_lambdatop_is_connected_to() -> None:
    p = planned("throttle_to_zero", situation(reserved=7))
    assert finished(p, NOWHERE_SPECIAL, "") == p
    demo = finished(p, Place("on call", "http://127.0.0.1:4566"), "")
    assert isinstance(demo, Plan)
    for line in (demo.cli, demo.undo_note):
        assert "--region eu-central-1 --profile 'on call' --endpoint-url http://127.0.0.1:4566" in line
    assert replace(demo, place=p.place) == p
    several = finished(p, Place(None, "http://127.0.0.1:1, http://127.0.0.1:2"), "")
    assert isinstance(several, Plan)
    assert (several.cli, several.undo_note) == (p.cli, p.undo_note)


def test_a_way_back_of_another_version_is_refused_with_a_sentence() -> None:
    later = entry(undo=Call("lambda", "PutSomethingNew", {}), outcome="applied")
    found = plan_undo(later, later.after, NOW, "u")
    assert isinstance(found, Refusal)
    assert found.reason == "throttle_to_zero cannot be undone: no undo of it is known."
