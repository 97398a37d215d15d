"""Every planner's plans, undos and refusals word for word, as a person has read and approved them.

`plans/` beside this file holds them, a file for each mitigation. After a change of words, write them anew
with `LAMBDATOP_WRITE_APPROVED=1 pytest` and this file, and read what `git diff` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from fakes.approved import compare
from fakes.situations import CASES, untried
from fakes.situations_of_undos import UNDOS
from fakes.worlds import NOW
from fakes.written_plans import HEAD, section

from lambdatop.domain.mitigations.registry import REGISTRY, plan, plan_undo
from lambdatop.domain.plans.plan import Proposal

PLANS = Path(__file__).parent / "plans"


def written(made: Mapping[str, Callable[[], Proposal]]) -> str:
    first: dict[str, Mapping[str, tuple[str, ...]]] = {}
    return "\n".join((HEAD, *(section(label, make, first) for label, make in made.items())))


def test_every_mitigation_has_situations() -> None:
    assert untried(set(CASES), "a module `tests/fakes/situations_of_*.py`") == ""
    assert {file.stem for file in PLANS.iterdir()} == {*REGISTRY, "undo"}


@pytest.mark.parametrize("name", CASES)
def test_plans_say_what_was_approved(name: str) -> None:
    made = {}
    for label, asked in CASES[name].items():
        words = "".join(f" --set {key}={value}" for key, value in asked.params.items())
        made[label + words] = partial(plan, name, asked.situation, asked.params, NOW, "plan-1")
    compare(PLANS / f"{name}.txt", written(made))


def test_undos_say_what_was_approved() -> None:
    made = {label: partial(plan_undo, *asked, NOW + 60, "undo-2") for label, asked in UNDOS.items()}
    compare(PLANS / "undo.txt", written(made))
