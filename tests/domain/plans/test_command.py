"""Commands of `aws` are arguments until they are shown; then they are quoted and say where they go."""

from __future__ import annotations

import shlex

import pytest
from fakes.worlds import SCOPE
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.plans.command import NOWHERE_SPECIAL, Place, WayBack, command_line, option

DEMO = "http://127.0.0.1:4566"


def test_a_command_is_quoted_and_a_name_like_an_option_is_tied_to_it() -> None:
    line = command_line(("sqs", "x", "it's"), SCOPE, NOWHERE_SPECIAL)
    assert line == """aws sqs x 'it'"'"'s' --region eu-central-1"""
    assert (option("--name", "a"), option("--name", "-a")) == (("--name", "a"), ("--name=-a",))


@pytest.mark.parametrize(
    ("place", "options"),
    [
        (NOWHERE_SPECIAL, ()),
        (Place("", ""), ()),
        (Place("dev", ""), ("--profile", "dev")),
        (Place("-on call", ""), ("--profile=-on call",)),
        (Place(None, DEMO), ("--endpoint-url", DEMO)),
        (Place(None, f"{DEMO},{DEMO}"), ()),  # the environment tells `aws`, too
        (Place("dev", f"{DEMO},{DEMO}"), ("--profile", "dev")),
        (Place("dev", DEMO), ("--profile", "dev", "--endpoint-url", DEMO)),
    ],
)
def test_only_what_is_known_of_the_place_is_added(place: Place, options: tuple[str, ...]) -> None:
    assert place.options == options
    line = command_line(("sqs", "x"), SCOPE, place)
    assert shlex.split(line) == ["aws", "sqs", "x", "--region", "eu-central-1", *options]


def test_no_words_are_no_command() -> None:
    assert command_line((), SCOPE, Place("dev", DEMO)) == ""


@given(st.lists(st.text(), min_size=1))
def test_any_words_come_back_from_a_shell_as_they_were(words: list[str]) -> None:
    line = command_line(tuple(words), SCOPE, NOWHERE_SPECIAL)
    assert shlex.split(line) == ["aws", *words, "--region", "eu-central-1"]


def test_a_way_back_without_a_command_is_its_words_and_cannot_be_changed() -> None:
    back = WayBack("nothing takes it back")
    assert (back.command, back.then) == ((), "")
    with pytest.raises(AttributeError, match="immutable"):
        back.words = "something does"  # type: ignore[misc]
