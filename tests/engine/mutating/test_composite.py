"""What a plan in steps waits for between two of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import pytest
from fakes.clock import FakeClock
from fakes.many_triggers import stop_in_order

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.plan import State, Wait
from lambdatop.domain.ports.aws import Reader
from lambdatop.engine.mutating.composite import CLEAR_CHECKS, Watch

WAIT = Wait("until the bad record is skipped", 900.0, falls="age", clears="problem")


class Told:
    """A reader that tells the age (s) and the problem of each round."""

    def __init__(self, *rounds: tuple[float | None, str]) -> None:
        self.rounds = list(rounds)

    async def state(self, target: Key, fields: Collection[str]) -> State:
        age, problem = self.rounds.pop(0)
        return {"age": age, "problem": problem}


async def comes(*rounds: tuple[float | None, str]) -> int | None:
    """Return the number of the check that ends the wait, None where none does; the first round begins it."""
    reader = cast(Reader, Told(*rounds))
    watch = Watch(stop_in_order(FakeClock(), 1).steps[0], WAIT)
    await watch.begin(reader)
    for number in range(1, len(rounds)):
        if await watch.come(reader):
            return number
    return None


@pytest.mark.parametrize(
    ("first", "later", "over"),
    [
        (7_200.0, 3_500.0, 1),
        (7_200.0, 3_600.0, None),  # half, but for the minute that an age may be too much
        (69.0, 15.0, None),  # 10 s at the end of a minute, 13 s at the beginning of the next
        (69.0, 4.0, 1),
        (59.0, 0.0, None),
        (7_200.0, None, None),
        (None, 0.0, None),
    ],
)
async def test_what_is_waited_for_falls_by_more_than_an_age_may_be_wrong(
    first: float | None, later: float | None, over: int | None
) -> None:
    assert await comes((first, "failed"), (later, "failed")) == over


async def test_a_minute_without_a_problem_is_enough_and_a_problem_begins_it_anew() -> None:
    clear, failed = (7_200.0, ""), (7_200.0, "failed")
    assert await comes(clear, *[clear] * (CLEAR_CHECKS + 1)) == CLEAR_CHECKS + 1
    assert await comes(clear, *[clear] * CLEAR_CHECKS) is None
    assert await comes(clear, *[clear] * CLEAR_CHECKS, failed, *[clear] * CLEAR_CHECKS) is None
