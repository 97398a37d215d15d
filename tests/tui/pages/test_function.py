from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fakes.worlds import function

from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, FunctionRow
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import _facts
from lambdatop.tui.style.spans import plain

NOW = datetime(2026, 11, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("runtime", "said"), [("nodejs18.x", True), ("nodejs24.x", False), ("", False)])
def test_a_deprecated_runtime_is_said(runtime: str, said: bool) -> None:
    frame = Frame(EMPTY_SNAPSHOT, NOW)
    text = plain(_facts(FunctionRow(function(runtime=runtime)), frame, 100))
    assert ("runtime deprecated on 2025-09-01: AWS may refuse updates of its code" in text) is said


@pytest.mark.parametrize(
    ("durable", "limit_s", "words"),
    [(False, None, None), (True, None, "yes"), (True, 604_800, "yes, an execution takes 7 d at most")],
)
def test_a_durable_function_says_how_long_an_execution_may_take(
    durable: bool, limit_s: int | None, words: str | None
) -> None:
    made = FunctionRow(function(durable=durable, durable_timeout_s=limit_s))
    lines = plain(_facts(made, Frame(EMPTY_SNAPSHOT, NOW), 100)).splitlines()
    said = [line.split(None, 1)[1] for line in lines if line.split()[:1] == ["durable"]]
    assert said == ([] if words is None else [words])
