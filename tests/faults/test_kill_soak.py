"""The kill soak in short: consoles killed at random moments of their mutation traffic."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.kill_soak import soak
from fakes.nightly import NIGHTLY

pytestmark = pytest.mark.wire
KILLS = 25 if NIGHTLY else 12


async def test_every_request_has_its_intent_however_its_console_died(tmp_path: Path) -> None:
    tally = await soak(KILLS, tmp_path, seed=7)
    assert tally.broken == []
    assert (tally.kills, tally.repaired) == (KILLS, tally.torn)
    assert tally.torn > 0
    assert tally.requests > KILLS
    assert tally.settled > 0, "no console died between intent and outcome"
