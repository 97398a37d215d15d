from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a config file that only its owner may change."""

    def _write(text: str) -> Path:
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return file

    return _write
