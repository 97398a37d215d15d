"""One registration per thing: no second file of the package lists detectors or mitigations."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.mitigations.registry import REGISTRY as MITIGATIONS

THRESHOLDS = "lambdatop/domain/settings/thresholds.py"
OTHER_MEANING = {"throttled", "error_rate", "timeouts", "async_amplification"}
"""Names that are also a state of a source, a field of a row, a word of the emulator."""
MAY_NAME_MITIGATIONS = (
    "lambdatop/domain/mitigations/",
    "lambdatop/domain/detectors/rules/",
    "lambdatop/demo/patches/",
)
MOST_FILES = 2
"""Files of the package that name a detector: its own, and its thresholds or one that depends on it."""


@pytest.fixture(scope="module")
def named_in(root: Path) -> dict[str, set[str]]:
    """Return the detectors and mitigations named by each file: as a text, or as the name of a field."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted((root / "lambdatop").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            word = None
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                word = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                word = node.target.id
            if word is not None and (word in REGISTRY or word in MITIGATIONS):
                found[file.relative_to(root).as_posix()].add(word)
    return found


@pytest.mark.parametrize("name", sorted(REGISTRY.keys() - OTHER_MEANING))
def test_a_detector_is_registered_in_its_own_file(named_in: dict[str, set[str]], name: str) -> None:
    files = {file for file, names in named_in.items() if name in names}
    assert f"lambdatop/domain/detectors/rules/{name}.py" in files
    assert len(files) <= MOST_FILES, files


def test_only_the_thresholds_list_many_detectors(named_in: dict[str, set[str]]) -> None:
    many = {file for file, names in named_in.items() if len(names & REGISTRY.keys()) > MOST_FILES}
    assert many == {THRESHOLDS}


@pytest.mark.parametrize("name", MITIGATIONS)
def test_a_mitigation_is_registered_beside_its_planner(named_in: dict[str, set[str]], name: str) -> None:
    """Besides, detectors suggest it, planners advise it, and the emulator has operations of such names."""
    files = {file for file, names in named_in.items() if name in names}
    assert [file for file in files if not file.startswith(MAY_NAME_MITIGATIONS)] == []
