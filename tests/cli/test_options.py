from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

import pytest

from lambdatop.cli.options import GLOBALS, Chosen, choose, options_table, parse_age
from lambdatop.cli.parser import COMMANDS, build_parser
from lambdatop.config.load import Given
from lambdatop.config.schema import BY_PATH
from lambdatop.domain.errors import UsageError


def chosen(*argv: str, **environ: str) -> Chosen:
    return choose(build_parser(argv).parse_args(argv), environ)


def test_a_flag_beats_a_variable_and_names_itself() -> None:
    found = chosen("snapshot", "--region", "eu-west-1", LAMBDATOP_REGION="us-east-1", LAMBDATOP_THEME="paper")
    assert found.given["region"] == Given("eu-west-1", "flag --region")
    assert found.given["screen.theme"] == Given("paper", "variable LAMBDATOP_THEME")


@pytest.mark.parametrize(
    "argv",
    [
        ("-p", "a", "-r", "eu-west-1", "journal"),
        ("journal", "-p", "a", "-r", "eu-west-1"),
        ("-p", "a", "journal", "-r", "eu-west-1"),
    ],
)
def test_global_options_stand_before_or_after_the_command(argv: tuple[str, ...]) -> None:
    given = chosen(*argv).given
    assert (given["profile"].value, given["region"].value) == ("a", "eu-west-1")


def test_after_the_command_wins_when_both_stand() -> None:
    assert chosen("-r", "us-east-1", "journal", "-r", "eu-west-1").given["region"].value == "eu-west-1"


def test_every_option_has_a_variable_and_every_setting_exists() -> None:
    for option in GLOBALS:
        assert option.variable == f"LAMBDATOP_{option.dest.upper()}"
        assert not option.setting or option.setting in BY_PATH
        assert option.variable in options_table()
        assert all(f"`{flag}`" in options_table() for flag in option.flags)


@pytest.mark.parametrize("option", GLOBALS, ids=lambda o: o.dest)
def test_every_variable_works_like_its_flag(option: object) -> None:
    samples = {
        "profile": "dev",
        "region": "eu-west-1",
        "config": "/c.yaml",
        "theme": "mono",
        "refresh": "2",
        "endpoint_url": "https://x.example",
        "state_dir": "/s",
    }
    o = next(g for g in GLOBALS if g is option)
    value = samples.get(o.dest, "1")
    by_flag = chosen("journal", o.flags[-1], *([value] if o.metavar else []))
    by_variable = chosen("journal", **{o.variable: value})
    assert {k: g.value for k, g in by_flag.given.items()} == {
        k: g.value for k, g in by_variable.given.items()
    }
    assert (by_flag.texts, by_flag.debug) == (by_variable.texts, by_variable.debug)
    assert (by_flag.write is None) == (by_variable.write is None)
    assert by_flag != chosen("journal")


@pytest.mark.parametrize(
    ("argv", "environ", "words"),
    [
        (("--refresh", "fast"), {}, "flag --refresh needs a number of s"),
        ((), {"LAMBDATOP_REFRESH": "0"}, "variable LAMBDATOP_REFRESH needs"),
        ((), {"LAMBDATOP_READ_ONLY": "maybe"}, "LAMBDATOP_READ_ONLY needs true or false"),
        ((), {"AWS_REGION": "Frankfurt"}, "variable AWS_REGION needs a region"),
        (("--endpoint-url", "http://aws.example"), {}, "plain http"),
        (("--read-only", "--write"), {}, "contradict"),
        ((), {"LAMBDATOP_READ_ONLY": "1", "LAMBDATOP_WRITE": "1"}, "contradict"),
    ],
)
def test_wrong_values_say_where_they_come_from(
    argv: tuple[str, ...], environ: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        chosen("journal", *argv, **environ)


def test_a_mode_flag_beats_the_other_modes_variable() -> None:
    assert chosen("journal", "--write", LAMBDATOP_READ_ONLY="1").write == "flag --write"
    assert "read_only" not in chosen("journal", "--write", LAMBDATOP_READ_ONLY="1").given
    quiet = chosen("journal", "--read-only", LAMBDATOP_WRITE="1")
    assert quiet.write is None
    assert quiet.given["read_only"].value is True


def test_a_variable_that_says_no_lifts_nothing() -> None:
    found = chosen("journal", LAMBDATOP_READ_ONLY="0", LAMBDATOP_WRITE="false")
    assert "read_only" not in found.given
    assert found.write is None


def test_what_is_exported_for_the_sdk_wins_over_the_file_but_not_over_us() -> None:
    found = chosen(
        "journal", AWS_REGION="eu-west-1", AWS_PROFILE="prod", AWS_ENDPOINT_URL="https://x.example"
    )
    assert found.given["region"] == Given("eu-west-1", "variable AWS_REGION")
    # The SDK reads these two itself: naming the profile would switch off keys in the environment.
    assert found.given["profile"] == Given(None, "variable AWS_PROFILE")
    assert found.given["endpoint_url"] == Given(None, "variable AWS_ENDPOINT_URL")
    assert found.section == "prod"
    ours = chosen(
        "journal",
        LAMBDATOP_PROFILE="dev",
        LAMBDATOP_REGION="us-east-1",
        AWS_PROFILE="prod",
        AWS_REGION="eu-west-1",
    )
    assert (ours.given["profile"].value, ours.given["region"].value) == ("dev", "us-east-1")


def test_every_command_takes_every_global_option() -> None:
    for name in COMMANDS:
        parser = build_parser([name])
        (commands,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        known = set(commands.choices[name]._option_string_actions)
        assert {flag for option in GLOBALS for flag in option.flags} <= known, name


def test_a_time_of_the_day_is_the_last_one_in_utc() -> None:
    now = datetime.now(UTC)
    for minutes in (1, 90, 23 * 60):
        then = (now - timedelta(minutes=minutes)).replace(second=0, microsecond=0)
        age = parse_age(f"{then:%H:%M}")
        assert 0 <= age - (now - then).total_seconds() < 60
    for wrong in ("24:00", "10:60", "10:"):
        with pytest.raises(UsageError, match="neither a duration nor a time"):
            parse_age(wrong)
