"""One registration per thing: no second file of the package lists detectors."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from lambdatop.domain.detectors.registry import REGISTRY

THRESHOLDS = "lambdatop/domain/settings/thresholds.py"
OTHER_MEANING = {"throttled", "error_rate", "timeouts", "async_amplification"}
"""Names that are also a state of a source, a field of a row, a word of the emulator."""
MOST_FILES = 2
"""Files of the package that name a detector: its own, and its thresholds or one that depends on it."""


@pytest.fixture(scope="module")
def named_in(root: Path) -> dict[str, set[str]]:
    """Detectors named by each file: as a text, or as the name of a field."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted((root / "lambdatop").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            word = None
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                word = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                word = node.target.id
            if word is not None and word in REGISTRY:
                found[file.relative_to(root).as_posix()].add(word)
    return found


@pytest.mark.parametrize("name", sorted(REGISTRY.keys() - OTHER_MEANING))
def test_a_detector_is_registered_in_its_own_file(named_in: dict[str, set[str]], name: str) -> None:
    files = {file for file, names in named_in.items() if name in names}
    assert f"lambdatop/domain/detectors/rules/{name}.py" in files
    assert len(files) <= MOST_FILES, files


def test_only_the_thresholds_list_many_detectors(named_in: dict[str, set[str]]) -> None:
    assert {file for file, names in named_in.items() if len(names) > MOST_FILES} == {THRESHOLDS}
