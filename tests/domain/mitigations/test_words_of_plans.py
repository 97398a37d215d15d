"""Words that plans share: counts, settings, states."""

from __future__ import annotations

from fakes.plan_situations import denied

from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.mitigations.redrive import move_words, newer
from lambdatop.domain.mitigations.undo import state_words
from lambdatop.domain.plans.wording import (
    count,
    owner_warning,
    reserved_words,
    setting_words,
    start_words,
)


def test_one_is_one_and_others_are_several() -> None:
    assert [count(n, "message") for n in (0, 1, 2)] == ["0 messages", "1 message", "2 messages"]
    assert start_words(1) == "about 1 message waits and is delivered from then on"
    assert start_words(2, " in orders") == "about 2 messages wait in orders and are delivered from then on"


def test_settings_are_written_as_they_are_typed() -> None:
    assert (
        setting_words({"a": None, "b": True, "c": False, "d": 1, "e": "x"}) == "a none, b yes, c no, d 1, e x"
    )
    assert setting_words({"a": 0}) == "a 0"
    assert [reserved_words(n) for n in (None, 0, 7)] == ["none (unreserved)", "0 (throttled to zero)", "7"]


def test_a_move_of_messages_is_told_by_what_became_of_it() -> None:
    task = MoveTask(5, "RUNNING", "handle-5")
    values = (None, newer(None)["move_task"], newer(task)["move_task"], task.control)
    said = ["no redrive", "a new redrive", "a new redrive", "redrive RUNNING"]
    assert [move_words(value) for value in values] == said


def test_what_is_compared_is_told_in_words_in_any_order() -> None:
    assert state_words({"move_task": None}) == "no redrive"
    assert state_words({"revision_id": "r", "weights": {"2": 0.1}, "version": "3"}) == "version 3, 10% to 2"
    assert state_words({"rule_state": "ENABLED", "batch_size": 5}) == "rule ENABLED, batch_size 5"
    assert state_words({}) == "nothing to compare"


def test_whoever_owns_it_is_told_where_it_is_known() -> None:
    said = "CloudFormation stack shop owns it: its next deployment may put the old value back"
    assert owner_warning("shop") == (said,)
    assert owner_warning(None) == owner_warning("") == owner_warning(denied("x:Y")) == ()
