"""docs/detectors.md says what the registry says."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from lambdatop.domain.detectors.documentation import markdown
from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.mitigations import registry as mitigations
from lambdatop.domain.settings.fields import Section
from lambdatop.domain.settings.thresholds import DetectorSettings

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "detectors.md"


def test_the_document_is_generated() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == markdown(), "make docs"


def section(name: str) -> str:
    return markdown().partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", REGISTRY)
def test_every_detector_says_all_that_one_must_know(name: str) -> None:
    text, built = section(name), REGISTRY[name]
    assert text.strip().split("\n", 1)[0].rstrip("."), "what it says"
    for words in (built.rule(DetectorSettings()), built.source, built.traps, *built.suggests):
        assert words
        assert words in text
    assert set(built.suggests) <= set(mitigations.REGISTRY)


WITHOUT_WINDOW = {"suspected_loop", "traffic_burst"}
"""Detectors whose rule says for how many minutes something lasts, and not over which window it is sought."""


@pytest.mark.parametrize("name", [n for n in REGISTRY if hasattr(DetectorSettings(), n)])
def test_a_rule_has_the_thresholds_in_force(name: str) -> None:
    limits, built = DetectorSettings(), REGISTRY[name]
    section = getattr(limits, name)
    moved = replace(limits, **{name: replace(section, **_moved(section))})
    named = {field for field in section.__struct_fields__ if f"{{{field}" in built.formula}
    assert "{" not in built.rule(limits)
    assert bool(named & {"window_min", "lookback_min"}) != (name in WITHOUT_WINDOW)
    for field in named:
        shown = f"{_moved(section)[field]:g}"
        assert shown in built.rule(moved), field
        assert shown not in built.rule(limits), field


def _moved(section: Section) -> dict[str, float]:
    """Return other thresholds, all different."""
    fields = enumerate(section.__struct_fields__)
    return {name: 7001 + n for n, name in fields if not isinstance(getattr(section, name), bool)}


def test_a_threshold_stands_there_with_default_unit_and_meaning() -> None:
    assert "| `warning_ratio` | 1.5 | ratio | received / deleted |" in section("sqs_redelivery")
    assert "| `clear_factor`" not in markdown()
    assert "`detectors.clear_factor`\n  (0.8)" in markdown()
