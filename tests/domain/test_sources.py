"""The table of sources: what it says of the World, and in which order sources begin."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import fields

from lambdatop.domain.settings.settings import Paces, Settings
from lambdatop.domain.sources import METRICS, SOURCES, TRIGGERS
from lambdatop.domain.state.world import World

NOT_READ = {"targets", "controls", "sources", "gaps", "spend", "lambda_calls", "journal"}
"""What the World holds of lambdatop itself and of what was read back after changes."""
BESIDES = {"activity", "polling"}
"""What the metrics fill besides series: who published lately, and how they are asked for."""


def test_each_fact_of_the_world_comes_from_one_source() -> None:
    told = Counter(name for spec in SOURCES.values() for name in spec.world)
    facts = {f.name for f in fields(World)} - NOT_READ - BESIDES
    assert set(told) <= facts
    assert {name for name in facts if not name.endswith("_at")} <= set(told)
    assert set(told.values()) == {1}


def test_a_source_begins_after_those_that_it_needs() -> None:
    begun = set[str]()
    for spec in SOURCES.values():
        assert {need.name for need in spec.needs} <= begun
        begun.add(spec.name)


def test_paces_are_fields_with_the_defaults_of_the_table() -> None:
    assert [f.name for f in fields(Paces())] == list(SOURCES)
    assert Settings().paces == Paces()
    assert Paces().metrics == METRICS.pace_s
    assert (Paces(metrics=5.0).metrics, Paces(metrics=5.0).logs) == (5.0, SOURCES["logs"].pace_s)
    assert all(0 < spec.demo_pace_s <= spec.pace_s for spec in SOURCES.values())


def test_the_action_that_is_missing_is_named_where_it_is_one() -> None:
    assert METRICS.action == "cloudwatch:GetMetricData"
    assert TRIGGERS.action == "", "it may be any of three"
