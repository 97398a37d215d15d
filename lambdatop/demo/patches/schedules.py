"""EventBridge Scheduler and scheduled rules by the demo's minutes: `rate(1 minute)` is one published minute.

ministack looks every ten seconds whether a schedule is due, which in a compressed demo is minutes late. A
function target is handed to Lambda's asynchronous queue (`rules.py`), as AWS does. What has `cron()` or
`at()` follows the clock, which no compression changes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from lambdatop.demo.emulator import _ministack

LOOK_S = 0.2
"""Real seconds between two looks: a schedule fires so much late at most."""


def install(compression: int) -> None:
    """Let rates pass `compression` times faster, and look often enough for that."""
    _ministack.replace("services.scheduler._SCHEDULE_TICK_INTERVAL", lambda _: LOOK_S)
    _ministack.replace("services.eventbridge._SCHEDULER_TICK_INTERVAL", lambda _: LOOK_S)
    _ministack.replace(
        "services.eventbridge._parse_rate_seconds", functools.partial(_compressed, compression)
    )


def _compressed(
    compression: int, original: Callable[[str], int | None]
) -> Callable[[str], int | float | None]:
    @functools.wraps(original)
    def seconds(expression: str) -> int | float | None:
        found = original(expression)
        return None if found is None else found / compression

    return seconds
