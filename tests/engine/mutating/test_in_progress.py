"""Whether a plan in steps may still be carried out by the process that began it."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.entries import entry

from lambdatop.domain.plans.journal import NO_UPTIME, Entry, Uptime
from lambdatop.engine.mutating.in_progress import LONGEST_S, ended_halfway

HERE = socket.gethostname()
ALIVE = os.getppid()
"""A process of this machine that is not this one."""


def step(clock: FakeClock, age_s: float, uptime: Uptime = NO_UPTIME, **fields: Any) -> Entry:
    """Return the first of two steps, applied; the second was never sent."""
    made = {"host": HERE, "pid": ALIVE, "outcome": "applied", "whole": "Stop", "steps": 2} | fields
    return entry("p.1", at=clock.now() - age_s, uptime=uptime, **made)


@pytest.mark.parametrize(
    ("age_s", "fields", "ended"),
    [
        (10.0, {}, False),
        (LONGEST_S, {}, True),  # somebody else has got the process id
        (10.0, {"pid": 2**22 + 1}, True),
        (10.0, {"pid": 10**15}, True),
        (10.0, {"host": "elsewhere"}, False),
        (LONGEST_S, {"host": "elsewhere"}, True),
        (-10.0, {"host": "elsewhere"}, False),
    ],
)
def test_who_lives_and_is_not_too_old_may_be_at_work(
    age_s: float, fields: dict[str, Any], ended: bool
) -> None:
    clock = FakeClock()
    assert bool(ended_halfway([step(clock, age_s, **fields)], clock, own_works=False)) is ended


def test_a_clock_that_was_set_ends_nobodys_plan() -> None:
    clock = FakeClock()
    began = step(clock, 10.0, Uptime(clock.boot, clock.uptime().s - 10.0, "CLOCK_BOOTTIME"))
    clock.step(10 * LONGEST_S)
    assert ended_halfway([began], clock, own_works=False) == ()


@pytest.mark.parametrize("own_works", [True, False])
def test_of_its_own_plans_a_process_knows(own_works: bool) -> None:
    clock = FakeClock()
    own = step(clock, 10.0, pid=os.getpid())
    assert bool(ended_halfway([own], clock, own_works=own_works)) is not own_works
