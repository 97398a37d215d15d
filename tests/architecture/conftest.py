from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def sources(root: Path) -> tuple[Path, ...]:
    """Return every Python file of the package."""
    return tuple(sorted((root / "lambdatop").rglob("*.py")))
