"""The table of planners as a whole: what each acts on, takes, asks, sends, and may need to be allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.approved import compare
from fakes.plan_situations import on_function
from fakes.worlds import NOW
from msgspec.structs import fields, replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.mitigations import redrive, schedules
from lambdatop.domain.mitigations.registry import (
    FINAL,
    REGISTRY,
    UNDO_CALLS,
    Ask,
    MitigationSpec,
    calls,
    iam_actions,
    kind_of,
    looks_at,
    names_queue,
    plan,
    planner,
)
from lambdatop.domain.mitigations.spec import UndoCalls

TABLE = Path(__file__).parent / "planner_table.txt"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _words(value: Any) -> str:
    if callable(value):
        return str(value.__name__)
    if isinstance(value, tuple):
        texts = (" ".join(filter(_is_text, one)) if isinstance(one, tuple) else _words(one) for one in value)
        return ", ".join(texts)
    if isinstance(value, UndoCalls):
        return f"{_words(value.calls)} by {_words(value.command)}"
    if isinstance(value, Ask):
        return f"{value.question} [{value.placeholder}] sets {value.param or 'what is typed'}"
    return str(value)


def _row(p: MitigationSpec) -> str:
    told = ((field.name, getattr(p, field.name)) for field in fields(p))
    lines = [f"{name}: {_words(value)}" for name, value in told if value not in ((), None, False, 0)]
    return "\n".join((*lines, f"policy: {p.policy}", ""))


def test_the_table_is_as_it_was_approved() -> None:
    assert list(REGISTRY) == [p.name for p in REGISTRY.values()]
    compare(TABLE, "\n".join(_row(p) for p in REGISTRY.values()))


def test_each_call_says_how_it_is_taken_back_or_why_not() -> None:
    # A move is stopped by its handle, which the undo reads afresh; the mutator writes a schedule whole.
    known = {*UNDO_CALLS, *FINAL, redrive.start("q").operation, schedules.CALLS[0][1]}
    for name, spec in REGISTRY.items():
        silent = {operation for _, operation in spec.calls} - known
        assert silent == set(), f"{name}: its spec needs `undo`, or `final` with the reason, for {silent}"
    owned = [call for spec in REGISTRY.values() for undo in spec.undo for call in undo.calls]
    assert len(owned) == len(set(owned)), "an undo call stands in one mitigation only"
    # A change of a window that was AWS's default has no undo, other changes of a mapping have one.
    assert UNDO_CALLS.keys() & FINAL.keys() == {"UpdateEventSourceMapping"}


def test_a_planner_is_found_by_its_name_and_says_what_it_acts_on() -> None:
    for name, there in REGISTRY.items():
        assert planner(name) is there
        assert (kind_of(name), looks_at(name)) == (there.kind, there.looks_at)


def test_a_name_that_is_none_is_told_with_the_nearest_and_with_all() -> None:
    with pytest.raises(UsageError) as near:
        planner("throttle_to_zer")
    known = ", ".join(REGISTRY)
    said = "There is no mitigation called 'throttle_to_zer'. Did you mean throttle_to_zero?"
    assert str(near.value) == f"{said} Known: {known}."
    with pytest.raises(UsageError) as far:
        kind_of("7")
    assert str(far.value) == f"There is no mitigation called '7'. Known: {known}."


def test_a_setting_that_is_none_is_told_with_those_there_are() -> None:
    for name, known in (("restore_async", "it takes retries, max_age"), ("stop_recursion", "it takes none")):
        with pytest.raises(UsageError) as error:
            plan(name, on_function(), {"rate": 1}, NOW, "p")
        assert str(error.value) == f"{name} has no setting 'rate'; {known}."


def test_what_is_needed_and_sent_is_that_of_all_planners_once() -> None:
    rows = REGISTRY.values()
    needed = [a for p in rows for a in (*p.iam, *p.iam_elevated, *p.iam_encrypted, *p.iam_of_settings)]
    assert list(iam_actions()) == list(dict.fromkeys(needed))
    assert {"sqs:PurgeQueue", "kms:Decrypt", "lambda:UpdateAlias"} <= set(iam_actions())
    assert calls() == {call for p in rows for call in p.calls}


@pytest.mark.parametrize(
    ("name", "param", "value", "names"),
    [
        ("quarantine_queue", "to", "aside", True),
        ("quarantine_queue", "to", "arn:aws:sqs:eu-central-1:1:aside", True),
        ("quarantine_queue", "to", " File ", False),
        ("quarantine_queue", "to", "NOWHERE", False),
        ("quarantine_queue", "rate", "aside", False),
        ("redrive_dlq", "to", "aside", False),
    ],
)
def test_only_a_setting_that_names_a_queue_is_looked_up(
    name: str, param: str, value: str, names: bool
) -> None:
    assert names_queue(name, param, value) is names


def test_a_planner_that_needs_nothing_but_deleting_is_for_the_elevated_policy() -> None:
    purge = planner("purge_queue")
    assert (purge.policy, replace(purge, iam=("sqs:GetQueueAttributes",)).policy) == (
        "operator-elevated",
        "operator",
    )


def test_descriptions_cannot_be_changed() -> None:
    spec = REGISTRY["cap_concurrency"]
    assert spec.ask is not None
    for value in (spec, spec.ask):
        with pytest.raises(AttributeError):
            setattr(value, fields(value)[0].name, "")
