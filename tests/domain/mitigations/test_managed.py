"""Versions on managed instances: when one is on its way."""

from __future__ import annotations

import pytest

from lambdatop.domain.facts.function_state import Scaling
from lambdatop.domain.mitigations.managed import control, in_transition


@pytest.mark.parametrize(
    ("most", "state", "passing"),
    [
        (0, "Deactivated", False),
        (0, "Deactivating", True),
        (0, "Active", True),  # asked for, and not begun
        (1, "Active", False),
        (1, "Deactivated", True),
        (1, "Pending", True),
        (None, "Active", False),
        (None, "Deactivated", True),
    ],
)
def test_a_version_is_on_its_way_until_its_state_is_that_of_its_numbers(
    most: int | None, state: str, passing: bool
) -> None:
    assert in_transition(control(Scaling("1", 0, most, state))) is passing
