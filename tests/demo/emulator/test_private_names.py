"""Fails loudly when ministack is upgraded: every internal that the repairs lean on has its shape pinned."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lambdatop.demo.emulator import _ministack

DEMO = Path(_ministack.__file__).parents[1]


@pytest.mark.parametrize("name", sorted([*_ministack.CALLABLES, *_ministack.VALUES]))
def test_the_name_is_there(name: str) -> None:
    assert _ministack.get(name) is not None


def test_every_name_has_the_shape_that_the_repairs_expect() -> None:
    assert _ministack.mismatches() == []


def test_an_unlisted_name_cannot_be_used() -> None:
    with pytest.raises(KeyError):
        _ministack.get("services.sqs.reset")


def test_a_changed_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_ministack.CALLABLES, "services.sqs._dlq_sweep", ("queue", "now"))
    monkeypatch.setitem(_ministack.VALUES, "services.sqs._no_such_thing", "dict")
    with pytest.raises(_ministack.EmulatorChanged, match=r"_dlq_sweep.*_no_such_thing"):
        _ministack.check()


def test_no_other_file_imports_the_emulator() -> None:
    sources = [path for path in DEMO.rglob("*.py") if path.name != "_ministack.py"]
    assert [
        p.name for p in sources if "import ministack" in (t := p.read_text()) or "from ministack" in t
    ] == []


def test_the_consoles_side_loads_neither_emulator_nor_sdk() -> None:
    program = (
        "import sys, lambdatop.demo.process.launch, lambdatop.demo.scenarios\n"
        "found = {m.split('.')[0] for m in sys.modules}\n"
        "found &= {'ministack', 'boto3', 'botocore', 'textual', 'rich'}\n"
        "sys.exit(str(found) if found else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
