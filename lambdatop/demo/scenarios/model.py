"""What a scenario consists of. Pure data: imports neither the emulator nor an SDK."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

TIMES = "\N{MULTIPLICATION SIGN}"

Payload = Callable[[int, random.Random], dict[str, Any]]
Shape = Callable[[float], float]


class QueueSpec(Struct, frozen=True):
    """A queue; with ``dead_letter`` messages move there after ``max_receives`` receives."""

    name: str
    visibility_s: int = 60
    dead_letter: str = ""
    max_receives: int = 5


class FunctionSpec(Struct, frozen=True):
    """A function; its code is ``functions/<name with underscores>.py``.

    ``environment`` may name ``{queue:NAME}`` for a queue's URL. ``pushed_by`` are the services that its
    resource policy lets in, each ``service arn``, with ``{region}`` and ``{account}`` left open.
    ``prepared``: Lambda starts a second environment ahead of requests, again and again. ``durable_s`` is the
    ExecutionTimeout of a durable function, whose version 1 is published.
    """

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
    environment: tuple[tuple[str, str], ...] = ()
    pushed_by: tuple[str, ...] = ()
    prepared: bool = False
    durable_s: int = 0


class MappingSpec(Struct, frozen=True):
    """An event source mapping from a queue, stream or table to a function."""

    kind: Literal["sqs", "kinesis", "dynamodb"]
    source: str
    function: str
    batch_size: int = 10
    max_concurrency: int = 0
    metrics: bool = False
    partial_responses: bool = False
    enabled: bool = True


class ScheduleSpec(Struct, frozen=True):
    """A schedule of EventBridge Scheduler, in the default group, that invokes a function with a payload."""

    name: str
    expression: str
    function: str
    payload: dict[str, Any]
    retries: int = 0


class PipeSpec(Struct, frozen=True):
    """A pipe of EventBridge Pipes from a queue to a function."""

    name: str
    queue: str
    function: str
    batch_size: int = 10


class MachineSpec(Struct, frozen=True):
    """A state machine of one Task state, which invokes a function and retries every error of it.

    `interval_s` are published seconds between two attempts; each waits `backoff` times as long as the one
    before.
    """

    name: str
    state: str
    function: str
    max_attempts: int
    interval_s: int
    backoff: float = 1.0


class Flow(Struct, frozen=True):
    """Traffic: ``per_second`` events on average, the n-th with ``payload(n, dice)``.

    Of the kind ``execution`` each starts an execution of the state machine ``target``.

    ``shape`` gives the factor on the rate for the published minutes that have passed.
    """

    kind: Literal["sync", "async", "sqs", "kinesis", "dynamodb", "execution"]
    target: str
    per_second: float
    payload: Payload
    shape: Shape | None = None


class Step(Struct, frozen=True):
    """Something that is done once in every cycle, ``minute`` published minutes after its start.

    ``deploy`` gives the function ``target`` new code; ``redrive`` moves the dead letters of the queue
    ``target`` back; ``seed`` puts ``count`` good messages of ``payload`` into the queue ``target``.
    """

    minute: float
    kind: Literal["deploy", "redrive", "seed"]
    target: str
    count: int = 0
    payload: Payload | None = None


class Scenario(Struct, frozen=True):
    """One incident (or its absence) that plays on the embedded emulator.

    ``steps`` are repeated every ``cycle_min`` published minutes. ``remarks`` say where this scenario, as
    opposed to the emulator in general, differs from AWS.
    """

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
    schedules: tuple[ScheduleSpec, ...] = ()
    pipes: tuple[PipeSpec, ...] = ()
    machines: tuple[MachineSpec, ...] = ()
    flows: tuple[Flow, ...] = ()
    steps: tuple[Step, ...] = ()
    cycle_min: float = 0.0
    account_concurrency: int = 1000
    remarks: tuple[str, ...] = ()

    def notices_at(self, compression: int) -> tuple[str, ...]:
        """Return where the demo, at a compression, differs from AWS in a way that matters on call."""
        notices = (*self.remarks, *EMULATOR_NOTICES)
        if compression == 1:
            return notices
        seconds = f"{60 / compression:g} real seconds"
        return (f"DEMO {TIMES}{compression}: {seconds} are shown as one minute.", *notices)


EMULATOR_NOTICES = (
    "The emulator stops polling a throttled queue; "
    "AWS keeps receiving, and receive counts burn towards the DLQ.",
    "Provisioned concurrency is recorded, not pre-warmed.",
    "Functions are ordinary processes on this machine: memory and open files are held to Lambda's limits, "
    "the size of /tmp is not.",
)
