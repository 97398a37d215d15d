"""The fuzzers find what they are for, and what they find is saved."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fuzz import fuzz_keys, fuzz_loglines, run

from lambdatop.tui.app.app import LambdatopApp

FUZZERS = (fuzz_keys, fuzz_loglines)


@pytest.mark.parametrize("fuzzer", FUZZERS, ids=lambda f: f.__name__)
def test_some_inputs_without_a_fault(fuzzer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.run(fuzzer, "x", 24, None, 7) == 0
    said = re.fullmatch(r"x: (\d+) inputs, 0 faults \(seed 7, .*", capsys.readouterr().out.strip())
    assert said is not None
    assert 24 <= int(said[1]) < 150


@pytest.mark.parametrize("fuzzer", FUZZERS, ids=lambda f: f.__name__)
def test_the_same_seed_makes_the_same_input(fuzzer: Any) -> None:
    assert fuzzer.make(random.Random("1 2")) == fuzzer.make(random.Random("1 2"))


def test_a_fault_is_saved_with_what_makes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "SAVED", tmp_path)
    fuzzer: Any = ModuleType("faulty")
    fuzzer.make = lambda rng: rng.randrange(10)
    fuzzer.one = lambda data: 1 + 0 // (data - fuzzer.make(random.Random("3 4")))
    assert run.run(fuzzer, "faulty", 1_000, None, 3) == 1
    assert "1 fault (seed 3)" in capsys.readouterr().out
    (file,) = tmp_path.iterdir()
    found = json.loads(file.read_text())
    assert (found["fuzzer"], found["seed"]) == ("faulty", 3)
    assert found["data"] == repr(fuzzer.make(random.Random(f"3 {found['index']}")))
    assert "ZeroDivisionError" in found["error"]


def test_a_fuzzer_that_is_not_there_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "NAMES", ("nothing",))
    assert run.main(["nothing"]) == 2
    assert "fuzz_nothing.py" in capsys.readouterr().err


def test_a_console_that_ends_by_itself_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: Any) -> None:
        raise ZeroDivisionError("by a key")

    monkeypatch.setattr(fuzz_keys, "_fed", None)
    monkeypatch.setattr(LambdatopApp, "action_help", breaks)
    with pytest.raises(fuzz_keys.Fault):
        fuzz_keys.one(fuzz_keys.Packet("?", (), -1, "", 200))
