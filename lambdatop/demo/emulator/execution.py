"""What the repair layer knows about one execution, and who caused it."""

from __future__ import annotations

import contextvars
import time
from dataclasses import dataclass, field

from msgspec import Struct

from lambdatop.demo.emulator.metric_store import Scope


class Cause(Struct, frozen=True):
    """Why a function is about to run.

    ``source`` is sync, async, sqs, kinesis or dynamodb; ``request_id`` is set when attempts must share one.
    """

    source: str = "sync"
    request_id: str | None = None
    attempt: int = 1


@dataclass(slots=True)
class Execution:
    """One run of a function. Times are Unix seconds, durations milliseconds, memory MB."""

    scope: Scope
    function: str
    request_id: str
    cause: Cause
    reserved: bool = False
    started: float = field(default_factory=time.time)
    environment: str = ""
    cold: bool = False
    duration_ms: float = 0.0
    error_type: str = ""
    error_message: str = ""
    trace: tuple[str, ...] = ()
    log: list[str] = field(default_factory=list)
    # The number of resets before it began; what began before the last one no longer counts.
    epoch: int = 0

    @property
    def failed(self) -> bool:
        """Whether AWS would count it under Errors."""
        return bool(self.error_type)

    @property
    def timed_out(self) -> bool:
        """Whether the function ran into its timeout."""
        return self.error_type == "Sandbox.Timedout"


CAUSE: contextvars.ContextVar[Cause | None] = contextvars.ContextVar("lambdatop_cause", default=None)
CURRENT: contextvars.ContextVar[Execution | None] = contextvars.ContextVar(
    "lambdatop_execution", default=None
)


def cause() -> Cause:
    """Return why the present thread of control runs a function: by default somebody's synchronous call."""
    return CAUSE.get() or Cause()
