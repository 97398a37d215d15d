"""The kill soak in short: consoles killed at random moments of their mutation traffic."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.kill_soak import soak

pytestmark = pytest.mark.wire


async def test_every_request_has_its_intent_however_its_console_died(tmp_path: Path) -> None:
    tally = await soak(25, tmp_path, seed=4)
    assert tally.broken == []
    assert (tally.kills, tally.repaired) == (25, tally.torn)
    assert tally.torn > 0
    assert tally.requests > 25
    assert tally.settled > 0, "no console died between intent and outcome"
