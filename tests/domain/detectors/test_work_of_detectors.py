"""The work of all detectors grows with the account, not with its square: calls are counted, not time."""

from __future__ import annotations

import sys
from typing import Any

from fakes import big_world
from fakes.worlds import NOW, PROMPT

from lambdatop.domain.detectors.registry import detect_all
from lambdatop.domain.figures.context import evaluation_context

SMALL, LARGE = 1_000, 4_000


def calls(functions: int) -> int:
    """Return how many calls the detectors make in one round of an account with so many functions."""
    context = evaluation_context(big_world.world(functions), NOW, PROMPT)
    count = 0

    def counted(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        detect_all(context, ())
    finally:
        sys.setprofile(before)
    return count


def test_the_work_of_all_detectors_grows_with_the_account() -> None:
    calls(10)  # what is made once and kept
    few, many = calls(SMALL), calls(LARGE)
    assert many / few <= 1.25 * LARGE / SMALL
