"""Plans in steps that ended halfway, as the journal tells."""

from __future__ import annotations

from typing import Any

from fakes.entries import WORKER, entry
from msgspec.structs import replace

from lambdatop.domain.plans.journal import Entry, intent_record, outcome_record, replay
from lambdatop.domain.plans.unfinished import ALREADY, NOT_BEGUN, Halfway, halfway

TITLE = "Skip the bad record of clicks → orders-worker, then put the settings back"


def step(number: int, outcome: str, of: int = 3, **changes: Any) -> Entry:
    target = WORKER._replace(kind="mapping", id="m")
    fields: dict[str, Any] = {"target": target, "before": {"retries": -1}, "after": {"retries": number}}
    return entry(f"p.{number}", whole=TITLE, steps=of, outcome=outcome, **fields | changes)


def found(*entries: Entry, at_work: bool = False) -> tuple[Halfway, ...]:
    return halfway(entries, lambda _: at_work)


def test_a_process_that_died_while_it_waited_leaves_its_temporary_settings_and_that_is_said() -> None:
    (plan,) = found(step(1, "applied"))
    assert plan.done == (step(1, "applied"),)
    assert plan.sentence == (
        f"{TITLE!r} ended halfway: 1 of 3 steps stand, 2 were not carried out "
        "(its process ended before the next step); to take back what stands: lambdatop undo p.1"
    )


def test_one_that_is_carried_out_now_has_not_ended() -> None:
    assert found(step(1, "applied"), at_work=True) == ()


def test_what_ended_it_is_said_even_while_its_process_lives() -> None:
    not_begun = step(2, "not-sent", detail=f"{NOT_BEGUN}: Nothing further was sent: lambdatop was closing.")
    (plan,) = found(step(1, "applied"), not_begun, at_work=True)
    assert plan.why == "Nothing further was sent: lambdatop was closing."
    refused = step(2, "refused", detail="ResourceConflictException: busy")
    (plan,) = found(step(1, "applied"), refused, step(3, "not-sent", detail=f"{NOT_BEGUN}: x"), at_work=True)
    assert plan.why == "ResourceConflictException: busy"


def test_a_call_whose_end_nobody_saw_may_have_gone_through() -> None:
    (plan,) = found(step(1, "applied"), step(2, "open"))
    assert "1 may have gone through, 1 were not carried out" in plan.sentence


def test_nothing_stands_so_nothing_is_said() -> None:
    assert found(step(1, "refused")) == ()
    assert found(step(1, "not-sent"), step(2, "not-sent")) == ()
    assert found(step(1, "undone")) == ()


def test_what_came_to_its_end_or_was_set_anew_is_not_said() -> None:
    assert found(step(1, "applied"), step(2, "applied"), step(3, "applied")) == ()
    later = entry("later", outcome="applied", target=step(1, "applied").target, after={"retries": 9})
    assert found(step(1, "applied"), later) == ()


def test_a_thing_that_ended_by_itself_leaves_nothing_to_do() -> None:
    for outcome in ("refused", "not-sent"):
        ended = step(3, outcome, detail=f"{ALREADY}: execution e1 SUCCEEDED")
        assert found(step(1, "applied"), step(2, "applied"), ended) == ()
        (plan,) = found(step(1, "applied"), step(2, "refused", detail="no"), ended)
        assert (plan.over, plan.why) == (1, "no")


def test_a_step_that_was_done_by_hand_afterwards_is_done() -> None:
    throttle = step(2, "not-sent", of=2, target=WORKER, after={"reserved_concurrency": 0})
    by_hand = entry("hand", outcome="applied", after={"reserved_concurrency": 0})
    assert found(step(1, "applied", of=2), throttle) != ()
    assert found(step(1, "applied", of=2), throttle, by_hand) == ()


def test_the_file_keeps_what_a_step_belongs_to() -> None:
    one = step(1, "open")
    records = [intent_record(one), outcome_record(one.id, one.at, "applied", "", {"retries": 1})]
    (back,) = replay(records)
    assert (back.whole, back.steps) == (TITLE, 3)
    assert "plan" not in intent_record(replace(one, whole="", steps=0))
