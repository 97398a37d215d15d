"""The scenarios of the demo, by name. Importing this starts nothing and needs no emulator."""

from __future__ import annotations

from lambdatop.demo.scenarios.busy_schedule import BUSY_SCHEDULE
from lambdatop.demo.scenarios.calm import CALM
from lambdatop.demo.scenarios.durable_replay import DURABLE_REPLAY
from lambdatop.demo.scenarios.endless_retry import ENDLESS_RETRY
from lambdatop.demo.scenarios.endless_stream import ENDLESS_STREAM
from lambdatop.demo.scenarios.held_queue import HELD_QUEUE
from lambdatop.demo.scenarios.loop import LOOP
from lambdatop.demo.scenarios.model import Scenario
from lambdatop.demo.scenarios.parent_child import PARENT_CHILD
from lambdatop.demo.scenarios.poison_queue import POISON_QUEUE
from lambdatop.demo.scenarios.quota_squeeze import QUOTA_SQUEEZE
from lambdatop.demo.scenarios.reserved_one import RESERVED_ONE
from lambdatop.demo.scenarios.resource_limits import RESOURCE_LIMITS
from lambdatop.demo.scenarios.slow_query import SLOW_QUERY

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        POISON_QUEUE,
        ENDLESS_STREAM,
        PARENT_CHILD,
        SLOW_QUERY,
        QUOTA_SQUEEZE,
        RESERVED_ONE,
        LOOP,
        RESOURCE_LIMITS,
        BUSY_SCHEDULE,
        HELD_QUEUE,
        ENDLESS_RETRY,
        DURABLE_REPLAY,
        CALM,
    )
}

# Nothing deployed, nothing flowing, nothing compressed: the bare repaired emulator, for tests.
EMPTY = Scenario(name="empty", title="", story="", look_for=(), compression=1)

__all__ = ["EMPTY", "SCENARIOS", "Scenario"]
