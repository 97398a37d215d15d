"""docs/detectors.md says what the registry says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambdatop.domain.detectors.documentation import markdown
from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.mitigations import registry as mitigations

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "detectors.md"


def test_the_document_is_generated() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == markdown(), "make docs"


def section(name: str) -> str:
    return markdown().partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", REGISTRY)
def test_every_detector_says_all_that_one_must_know(name: str) -> None:
    text, built = section(name), REGISTRY[name]
    assert text.strip().split("\n", 1)[0].rstrip("."), "what it says"
    for words in (built.formula, built.source, built.traps, *built.suggests):
        assert words
        assert words in text
    assert set(built.suggests) <= set(mitigations.REGISTRY)


def test_a_threshold_stands_there_with_default_unit_and_meaning() -> None:
    assert "| `warning_ratio` | 1.5 | ratio | received / deleted |" in section("sqs_redelivery")
    assert "| `clear_factor`" not in markdown()
    assert "`detectors.clear_factor`\n  (0.8)" in markdown()
