"""Settings as people type them: what counts as a number, as none, as yes and no, and what is said else."""

from __future__ import annotations

import pytest

from lambdatop.domain.errors import UsageError
from lambdatop.domain.mitigations.registry import REGISTRY, check_settings
from lambdatop.domain.plans.parse import is_number, number, number_or_none, switch


@pytest.mark.parametrize(
    ("digits", "is_one"),
    [
        ("0", True),
        ("9" * 18, True),
        ("9" * 19, False),  # and Python takes no more than 4,300
        ("", False),
        ("1.5", False),
        ("-1", False),
        ("٣", False),  # a digit to Python, and a typing error here
        ("²", False),
    ],
)
def test_a_number_is_some_plain_digits(digits: str, is_one: bool) -> None:
    assert is_number(digits) is is_one


@pytest.mark.parametrize(("typed", "taken"), [("2", 2), (" 9 ", 9), (5, 5), ("-1", -1)])
def test_a_number_within_its_range_is_taken(typed: object, taken: int) -> None:
    assert number("rate", typed, -1, 9) == taken


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-2", "rate must be from -1 to 1,000, not -2."),
        (1001, "rate must be from -1 to 1,000, not 1001."),
        (True, "rate must be a whole number from -1 to 1,000, not 'True'."),
        ("--1", "rate must be a whole number from -1 to 1,000, not '--1'."),
        ("1.5", "rate must be a whole number from -1 to 1,000, not '1.5'."),
        ("7" * 60, f"rate must be a whole number from -1 to 1,000, not '{'7' * 40}'."),
    ],
)
def test_what_is_no_such_number_is_told_with_the_range(typed: object, said: str) -> None:
    with pytest.raises(UsageError) as error:
        number("rate", typed, -1, 1000)
    assert str(error.value) == said


def test_none_is_said_in_three_words_and_is_no_number() -> None:
    for typed in (None, "none", " Null ", "ABSENT"):
        assert number_or_none("rate", typed, 0, 9) is None
    assert number_or_none("rate", "4", 0, 9) == 4
    with pytest.raises(UsageError, match="whole number"):
        number_or_none("rate", "", 0, 9)


def test_yes_and_no_are_said_in_three_words_each() -> None:
    assert [switch("x", typed) for typed in ("true", " Yes ", "ON", True)] == [True] * 4
    assert [switch("x", typed) for typed in ("false", " No ", "OFF", False)] == [False] * 4
    for typed in ("", "1"):
        with pytest.raises(UsageError) as error:
            switch("x", typed)
        assert str(error.value) == f"x must be true or false, not {typed!r}."


NAMES = {"to", "version"}
"""Settings that name something of the target's account: what there is, only a read can tell."""
CHECKED = [(name, one) for name, spec in REGISTRY.items() for one in spec.params if one not in NAMES]


@pytest.mark.parametrize(("mitigation", "setting"), CHECKED)
def test_a_value_that_no_target_could_take_is_refused_without_one(mitigation: str, setting: str) -> None:
    with pytest.raises(UsageError, match=setting):
        check_settings(mitigation, {setting: "no such value"})


@pytest.mark.parametrize(("mitigation", "given"), [("tune_trigger", "0"), ("redrive_dlq", "501")])
def test_a_number_out_of_its_range_is_refused_without_a_target(mitigation: str, given: str) -> None:
    setting = {"tune_trigger": "batch_size", "redrive_dlq": "rate"}[mitigation]
    with pytest.raises(UsageError, match="must be from 1 to"):
        check_settings(mitigation, {setting: given})
    check_settings(mitigation, {setting: "1"})
