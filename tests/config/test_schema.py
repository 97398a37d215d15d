from __future__ import annotations

import math
from typing import Any

import pytest

from lambdatop.config import schema
from lambdatop.domain.endpoint import endpoint_problem
from lambdatop.domain.settings.settings import Settings


def test_every_setting_says_what_it_is_and_what_its_value_must_be() -> None:
    for option in schema.OPTIONS:
        assert option.help, option.path
        assert option.type in ("bool", "str", "int", "float"), option.path
        assert (option.check is not None) == (option.type == "str"), option.path
        assert bool(option.unit) == (option.type in ("int", "float")), option.path
        assert option.optional == (dict(schema.flatten(Settings()))[option.path] is None), option.path


def test_what_the_program_sets_is_no_option() -> None:
    assert not {"mode.origin", "metrics.times"} & schema.BY_PATH.keys()


def test_a_setting_names_the_one_that_it_must_not_exceed() -> None:
    assert schema.Order("metrics.rate_min", "metrics.history_min") in schema.ORDERS
    assert all(order.smaller in schema.BY_PATH and order.larger in schema.BY_PATH for order in schema.ORDERS)


def test_every_default_is_valid_and_of_its_type() -> None:
    for path, value in schema.flatten(Settings()):
        assert schema.check(schema.BY_PATH[path], value) == (value, ""), path


def test_build_sets_leaves_at_every_depth() -> None:
    settings = schema.build({"region": "eu-central-1", "detectors.throttled.window_min": 9})
    assert settings.region == "eu-central-1"
    assert settings.detectors.throttled.window_min == 9
    assert settings.detectors.error_rate == Settings().detectors.error_rate
    assert schema.build({}) == Settings()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("paces.metrics", 0),
        ("paces.metrics", True),
        ("paces.metrics", "60"),
        ("paces.metrics", None),
        ("paces.metrics", math.nan),
        ("paces.metrics", math.inf),
        ("limits.control_plane_per_s", 6),
        ("metrics.rate_min", 1.5),
        ("read_only", "yes"),
        ("read_only", 1),
        ("region", "Frankfurt"),
        ("region", 7),
        ("profile", ""),
        ("profile", "a\x1b[2J"),
        ("screen.theme", "../evil"),
        ("screen.theme", None),
        ("detectors.error_rate.warning", 1.01),
    ],
)
def test_wrong_values_are_refused_with_words(path: str, value: Any) -> None:
    found, problem = schema.check(schema.BY_PATH[path], value)
    assert found is None
    assert problem


def test_whole_numbers_become_floats_where_the_setting_is_one() -> None:
    value, problem = schema.check(schema.BY_PATH["paces.metrics"], 30)
    assert (value, problem, type(value)) == (30.0, "", float)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("screen.refresh", "1", 1.0),
        ("metrics.rate_min", "5", 5),
        ("read_only", "On", True),
        ("region", "eu-west-1", "eu-west-1"),
    ],
)
def test_text_from_flags_is_parsed_by_type(path: str, text: str, value: Any) -> None:
    assert schema.parse_text(schema.BY_PATH[path], text) == (value, "")


@pytest.mark.parametrize("text", ["fast", "1e400", "nan", "", "0.1"])
def test_wrong_text_from_flags_is_refused(text: str) -> None:
    assert schema.parse_text(schema.BY_PATH["screen.refresh"], text)[1]


@pytest.mark.parametrize(
    "url",
    [
        "https://lambda.internal",
        "https://host:8443/path",
        "http://127.0.0.1:4566",
        "http://[::1]:1",
        "http://localhost",
    ],
)
def test_good_endpoints(url: str) -> None:
    assert endpoint_problem(url) == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://lambda.internal", "plain http"),
        ("http://127.evil.example", "plain http"),
        ("ftp://host", "needs a URL"),
        ("host:80", "needs a URL"),
        ("https://host:99999", "needs a URL"),
        ("https://[::1", "needs a URL"),
        ("https://user:secret@host", "password"),
        ("https://host/?x=1", "query"),
    ],
)
def test_bad_endpoints(url: str, words: str) -> None:
    assert words in endpoint_problem(url)
