"""Words that plans share: counts, settings, commands of `aws`, and where these go."""

from __future__ import annotations

import pytest
from fakes.plan_situations import denied, fed, on_function, orders
from fakes.worlds import NOW, SCOPE
from msgspec.structs import replace

from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.mitigations.redrive import move_words, newer
from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.mitigations.undo import state_words
from lambdatop.domain.plans.plan import Plan, Refusal
from lambdatop.domain.plans.wording import (
    cli,
    command_in,
    count,
    option,
    owner_warning,
    reserved_words,
    same_place,
    setting_words,
    start_words,
)

DEMO = "http://127.0.0.1:4566"


def stop_in_order() -> Plan:
    s = on_function(reserved=7, mappings=(fed(),), queues=(orders(),))
    made = plan("throttle_to_zero", s, {"triggers": "first"}, NOW, "p")
    assert isinstance(made, Plan)
    return made


def test_one_is_one_and_others_are_several() -> None:
    assert [count(n, "message") for n in (0, 1, 2)] == ["0 messages", "1 message", "2 messages"]
    assert start_words(1) == "about 1 message waits and starts at once"
    assert start_words(2, " in orders") == "about 2 messages wait in orders and start at once"


def test_settings_are_written_as_they_are_typed() -> None:
    assert (
        setting_words({"a": None, "b": True, "c": False, "d": 1, "e": "x"}) == "a none, b yes, c no, d 1, e x"
    )
    assert setting_words({"a": 0}) == "a 0"
    assert [reserved_words(n) for n in (None, 0, 7)] == ["none (unreserved)", "0 (throttled to zero)", "7"]


def test_a_command_is_quoted_and_a_name_like_an_option_is_tied_to_it() -> None:
    assert cli(SCOPE, "sqs", "x", "it's") == """aws sqs x 'it'"'"'s' --region eu-central-1"""
    assert (option("--name", "a"), option("--name", "-a")) == (("--name", "a"), ("--name=-a",))


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


@pytest.mark.parametrize(
    ("note", "parts"),
    [
        ("back (aws a b); then c", ("back", "aws a b", "; then c")),
        ("back (aws a 'b)c')", ("back", "aws a 'b)c'", "")),
        ('back (aws a "b)c") d', ("back", 'aws a "b)c"', " d")),
        ("back (aws '(' x)", ("back", "aws '(' x", "")),
        ("back (aws '' x) y", ("back", "aws '' x", " y")),
        ("none of (these)", ("none of (these)", "", "")),
        ("back (aws 'never ends) d", ("back (aws 'never ends) d", "", "")),
        ("back (aws never ends", ("back", "aws never ends", "")),
    ],
)
def test_the_command_in_a_note_is_found(note: str, parts: tuple[str, str, str]) -> None:
    assert command_in(note) == parts


def test_commands_go_where_lambdatop_is_connected_to() -> None:
    whole = stop_in_order()
    there = same_place(whole, "-on call", DEMO)
    assert isinstance(there, Plan)
    where = f" '--profile=-on call' --endpoint-url {DEMO}"
    assert there.cli == "\n".join(f"{line}{where}" for line in whole.cli.split("\n"))
    assert [step.cli for step in there.steps] == there.cli.split("\n")
    assert there.undo_note == whole.undo_note, "it holds no command"
    back = " (aws lambda put-function-concurrency --function-name "
    last, as_was = there.steps[-1], whole.steps[-1]
    before, _, after = as_was.undo_note.partition(")")
    assert back in before
    assert last.undo_note == f"{before}{where}){after}"
    assert replace(last, cli=as_was.cli, undo_note=as_was.undo_note) == as_was


def test_only_what_is_known_of_the_place_is_added() -> None:
    p = plan("throttle_to_zero", on_function(), {}, NOW, "p")
    assert isinstance(p, Plan)
    for profile, endpoint, more in (
        (None, "", ""),
        ("dev", "", " --profile dev"),
        (None, DEMO, f" --endpoint-url {DEMO}"),
        (None, f"{DEMO},{DEMO}", ""),  # the environment tells `aws`, too
        ("dev", f"{DEMO},{DEMO}", " --profile dev"),
    ):
        there = same_place(p, profile, endpoint)
        assert isinstance(there, Plan)
        assert there.cli == p.cli + more
    refused = plan("throttle_to_zero", on_function(reserved=0), {}, NOW, "p")
    assert isinstance(refused, Refusal)
    assert same_place(refused, "dev", DEMO) == refused


def test_a_plan_without_a_command_gets_none() -> None:
    p = plan("throttle_to_zero", on_function(), {}, NOW, "p")
    assert isinstance(p, Plan)
    there = same_place(replace(p, cli=""), "dev", "")
    assert isinstance(there, Plan)
    assert there.cli == ""
