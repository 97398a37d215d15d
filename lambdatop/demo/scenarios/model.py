"""What a scenario consists of. Pure data: imports neither the emulator nor an SDK."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

TIMES = "\N{MULTIPLICATION SIGN}"

Payload = Callable[[int, random.Random], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A queue; with ``dead_letter`` messages move there after ``max_receives`` receives."""

    name: str
    visibility_s: int = 60
    dead_letter: str = ""
    max_receives: int = 5


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A function; its code is ``functions/<name with underscores>.py``."""

    name: str
    description: str
    runtime: str = "python3.12"
    memory_mb: int = 128
    timeout_s: int = 3
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    reserved: int | None = None
    provisioned: int = 0
    log_group: str = ""
    on_failure: str = ""


@dataclass(frozen=True, slots=True)
class MappingSpec:
    """An event source mapping from a queue, stream or table to a function."""

    kind: Literal["sqs", "kinesis", "dynamodb"]
    source: str
    function: str
    batch_size: int = 10
    max_concurrency: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """Traffic: ``per_second`` events on average, the n-th with ``payload(n, dice)``."""

    kind: Literal["sync", "async", "sqs", "kinesis", "dynamodb"]
    target: str
    per_second: float
    payload: Payload


@dataclass(frozen=True, slots=True)
class Scenario:
    """One incident (or its absence) that plays on the embedded emulator."""

    name: str
    title: str
    story: str
    look_for: tuple[str, ...]
    compression: int = 12
    queues: tuple[QueueSpec, ...] = ()
    streams: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    functions: tuple[FunctionSpec, ...] = ()
    mappings: tuple[MappingSpec, ...] = ()
    flows: tuple[Flow, ...] = ()

    def notices_at(self, compression: int) -> tuple[str, ...]:
        """Say where the demo, at a compression, differs from AWS in a way that matters on call."""
        if compression == 1:
            return EMULATOR_NOTICES
        seconds = f"{60 / compression:g} real seconds"
        return (f"DEMO {TIMES}{compression}: {seconds} are shown as one minute.", *EMULATOR_NOTICES)


EMULATOR_NOTICES = (
    "The emulator stops polling a throttled queue; "
    "AWS keeps receiving, and receive counts burn towards the DLQ.",
    "Provisioned concurrency is recorded, not pre-warmed.",
    "Memory sizes are declared, not enforced: functions are ordinary processes on this machine.",
)
