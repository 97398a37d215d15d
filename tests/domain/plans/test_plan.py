"""What a plan says of itself: its digests, what counts as done, and what nobody asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from fakes.worlds import NOW, WORKER, function
from msgspec.structs import fields, replace

from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans import plan as plans
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import (
    CLOCK_SLACK_S,
    CONFIRMATION_LIFE_S,
    NEWER_THAN,
    TIER_MEANING,
    Alternative,
    Call,
    Plan,
    Refusal,
    Saving,
    Wait,
    shows,
    wait_begins,
)
from lambdatop.domain.plans.situation import FunctionSituation

TARGET = Ref(WORKER, function().arn, "orders-worker")
CALL = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 0})


def a_plan() -> Plan:
    made = plan("throttle_to_zero", FunctionSituation(TARGET, NOW, function(), 7), {}, NOW, "p1")
    assert isinstance(made, Plan)
    return made


@pytest.mark.parametrize(
    "other",
    [
        replace(CALL, service="sqs"),
        replace(CALL, operation="DeleteFunctionConcurrency"),
        replace(CALL, params=dict(CALL.params) | {"ReservedConcurrentExecutions": 1}),
        replace(CALL, params={"FunctionName": "f"}),
        replace(CALL, params=dict(CALL.params) | {"ReservedConcurrentExecutions": "0"}),
    ],
)
def test_another_call_has_another_digest(other: Call) -> None:
    assert other.digest() != CALL.digest()


def test_the_order_of_parameters_is_no_part_of_a_call_and_any_value_has_a_digest() -> None:
    turned = replace(CALL, params=dict(reversed(list(CALL.params.items()))))
    assert turned.digest() == CALL.digest()
    at = [replace(CALL, params={"StartTime": datetime(2026, 1, day, tzinfo=UTC)}) for day in (1, 2)]
    assert at[0].digest() != at[1].digest()
    assert replace(CALL, params=MappingProxyType(dict(CALL.params))).digest() == CALL.digest()
    odd = [replace(CALL, params={"At": PurePosixPath(name)}) for name in ("a", "b")]
    assert odd[0].digest() != odd[1].digest()


@pytest.mark.parametrize(
    "made",
    [kind for kind in vars(plans).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)],
)
def test_nothing_of_a_plan_can_be_changed_after_it_was_made(made: type[msgspec.Struct]) -> None:
    assert made is msgspec.Struct or made.__struct_config__.frozen


def test_the_note_on_the_way_back_names_the_command_where_there_is_one() -> None:
    told = replace(a_plan(), way_back=WayBack("set it back", ("lambda", "x"), "; soon"))
    assert told.undo_note == "set it back (aws lambda x --region eu-central-1); soon"
    assert replace(told, way_back=WayBack("undo each step", (), "; soon")).undo_note == "undo each step; soon"


def test_a_plan_with_anything_else_in_it_has_another_digest() -> None:
    made = a_plan()
    assert made.digest() == a_plan().digest()
    turned = replace(made, after={"b": 1, "a": 2}), replace(made, after={"a": 2, "b": 1})
    assert turned[0].digest() == turned[1].digest(), "the order of fields says nothing"
    for field in fields(Plan):
        changes: dict[str, Any] = {field.name: "something else"}
        other = replace(made, **changes)
        assert other.digest() != made.digest(), field.name
    assert replace(made, before={"at": datetime(2026, 1, 1, tzinfo=UTC)}).digest() != made.digest()


@pytest.mark.parametrize(
    ("seen", "wanted", "shown"),
    [
        ({"n": 0}, {"n": 0}, True),
        ({"n": 0, "other": 1}, {"n": 0}, True),
        ({}, {}, True),
        ({}, {"n": None}, False),  # not told is not "absent"
        ({"n": None}, {"n": None}, True),
        ({"n": 1}, {"n": 0}, False),
        # JSON's kinds are kept apart: what Python calls equal is another setting.
        ({"n": False}, {"n": 0}, False),
        ({"n": 0}, {"n": False}, False),
        ({"n": True}, {"n": 1}, False),
        ({"n": 1.0}, {"n": 1}, False),
        ({"n": "0"}, {"n": 0}, False),
        ({"n": None}, {"n": False}, False),
        ({"n": 1}, {"n": 1, "m": 2}, False),
        ({"c": {"a": 1}}, {"c": {"a": 1}}, True),
        ({"c": {"a": 1, "b": 2}}, {"c": {"a": 1}}, False),  # a nested value is one value
        ({"c": {"a": 1}}, {"c": {"a": 1, "b": 2}}, False),
        ({"c": {"a": 2}}, {"c": {"a": 1}}, False),
        ({"c": {"a": True}}, {"c": {"a": 1}}, False),
        ({"c": {}}, {"c": {}}, True),
        ({"c": None}, {"c": {"a": 1}}, False),
        ({"c": "text"}, {"c": {"a": 1}}, False),
        ({"c": {"a": 1}}, {"c": None}, False),
        ({"c": {"a": 1}}, {"c": 1}, False),
    ],
)
def test_a_resource_shows_exactly_what_is_wanted(
    seen: dict[str, Any], wanted: dict[str, Any], shown: bool
) -> None:
    assert shows(seen, wanted) is shown


@pytest.mark.parametrize(
    ("task", "since_ms", "shown"),
    [
        ({"started_ms": 6}, 5, True),
        ({"started_ms": 5}, 5, False),  # the task that was there before
        ({"started_ms": 4}, 5, False),
        ({"started_ms": 1}, 0, True),
        ({"started_ms": None}, 0, False),
        ({}, 0, False),
        (None, 0, False),
        (6, 5, False),
    ],
)
def test_a_move_task_counts_when_it_began_later_than_the_one_known(
    task: Any, since_ms: int, shown: bool
) -> None:
    assert shows({"move_task": task}, {"move_task": {NEWER_THAN: since_ms}}) is shown


def test_a_resource_with_a_field_named_like_nothing_is_no_move_task() -> None:
    assert not shows({"c": {"started_ms": 9}}, {"c": {"": 5}})


def test_a_confirmation_lives_for_a_minute_and_every_tier_says_what_it_risks() -> None:
    assert (CONFIRMATION_LIFE_S, CLOCK_SLACK_S) == (60, 5)
    assert {tier: " ".join(words.split()[:1]).strip(",") for tier, words in TIER_MEANING.items()} == {
        "T1": "reversible",
        "T2": "reversible",
        "T3": "irreversible",
    }
    assert "nothing is lost" in TIER_MEANING["T1"]
    assert "may be lost" in TIER_MEANING["T2"]


def test_what_nobody_said_is_empty() -> None:
    assert (Alternative("m", TARGET, "why").label, Refusal("m", TARGET, "why").hint) == ("", "")
    wait = Wait("until it is over", 5.0)
    assert (wait.falls, wait.clears, wait.with_next) == ("", "", False)
    assert Saving(1.0, None, "why").at_most is False
    assert a_plan().depth == 0


def test_a_plan_goes_to_the_account_and_region_of_its_target() -> None:
    assert a_plan().scope == WORKER.scope


def test_a_wait_says_whether_the_next_step_waits_for_it() -> None:
    wait = Wait("until it is over", 5.0)
    said = [wait_begins(one) for one in (wait, replace(wait, with_next=True))]
    assert said == ["then waits", "beside the next step, waits"]
