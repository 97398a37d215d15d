"""Versions on managed instances: what is on its way, and what of them is not known."""

from __future__ import annotations

import pytest
from fakes.plan_situations import on_function
from fakes.worlds import NOW, function

from lambdatop.domain.facts.function_state import Scaling
from lambdatop.domain.mitigations.managed import control, control_words, in_transition
from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans.plan import Plan


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


def test_a_state_that_was_not_read_is_said() -> None:
    assert control_words("scaling:3", {"min": None, "max": 2}) == (
        "environments of 3 at least 3 (AWS's default), at most 2 (state not known)"
    )
    s = on_function(facts=function(managed_instances=True), scalings=(Scaling("3"),))
    made = plan("throttle_to_zero", s, {}, NOW, "plan-1")
    assert isinstance(made, Plan)
    assert made.blast_radius[0].endswith("at most any number now, state not known")
