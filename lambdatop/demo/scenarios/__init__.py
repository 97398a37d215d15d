"""The scenarios of the demo, by name. Importing this starts nothing and needs no emulator."""

from __future__ import annotations

from lambdatop.demo.scenarios.calm import CALM
from lambdatop.demo.scenarios.model import Scenario
from lambdatop.demo.scenarios.poison_queue import POISON_QUEUE

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in (POISON_QUEUE, CALM)}

# Nothing deployed, nothing flowing, nothing compressed: the bare repaired emulator, for tests.
EMPTY = Scenario(name="empty", title="", story="", look_for=(), compression=1)

__all__ = ["EMPTY", "SCENARIOS", "Scenario"]
