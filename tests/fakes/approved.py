"""Texts that a person has read and approved: tests compare, and write them anew only when told to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

WRITE = "LAMBDATOP_WRITE_APPROVED"


def compare(file: Path, text: str) -> None:
    """Fail when `text` is not what `file` holds; with the variable set write it, and fail all the same."""
    if os.environ.get(WRITE):
        file.write_text(text, encoding="utf-8")
        pytest.fail(f"{file.name} was written anew: read what `git diff` shows, and run without {WRITE}.")
    assert text.split("\n") == file.read_text(encoding="utf-8").split("\n"), f"{WRITE}=1 writes it anew"
