"""Durable executions of a function: which run now, and what one of them has done so far.

An execution stays on the version that it began with (Lambda developer guide, "Invoking durable Lambda
functions", "Qualified ARNs requirement"), so those of every version together are all of a function's. Its ARN
is that of the version, `/durable-execution/`, a name and an id (model of ListDurableExecutionsByFunction).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from msgspec import Struct

from lambdatop.domain.facts.not_read import NotKnown

RUNNING, STOPPED = "RUNNING", "STOPPED"
PART = "/durable-execution/"
"""Stands between version and name in the ARN of an execution."""


class DurableExecution(Struct, frozen=True):
    """A durable execution; `path` is `version/name/id`, `started` in s since the epoch, None if not told."""

    path: str
    name: str
    started: float | None


class VersionExecutions(Struct, frozen=True):
    """The running executions of one version, oldest first; `more`: there are others, which were not listed.

    `aliases` point at the version, with all or some of their traffic.
    """

    version: str
    running: tuple[DurableExecution, ...] | NotKnown
    more: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`version 7 (live)`."""
        named = f" ({', '.join(self.aliases)})" if self.aliases else ""
        return f"{self.version if self.version.startswith('$') else f'version {self.version}'}{named}"

    @property
    def words(self) -> str:
        """How many run: `12`, `1,000 or more`, `not known (… denied)`."""
        if isinstance(self.running, NotKnown):
            return self.running.words
        return f"{len(self.running):,}{' or more' if self.more else ''}"


class RunningExecutions(Struct, frozen=True):
    """The running executions of a function by version, and how many versions were not asked about.

    `aliases` is why it is not known which aliases point where, None where that was read.
    """

    versions: tuple[VersionExecutions, ...]
    unasked: int = 0
    aliases: NotKnown | None = None

    @property
    def listed(self) -> tuple[tuple[VersionExecutions, DurableExecution], ...]:
        """Every execution that was listed with its version, the oldest first."""
        found = [
            (of, one) for of in self.versions if not isinstance(of.running, NotKnown) for one in of.running
        ]
        return tuple(sorted(found, key=lambda pair: (pair[1].started or inf, pair[1].path)))

    @property
    def gaps(self) -> tuple[str, ...]:
        """What is not known of them, a sentence each."""
        words = [
            f"how many executions of {of.label} run is {of.running.words}"
            for of in self.versions
            if isinstance(of.running, NotKnown)
        ]
        words += [
            f"{of.label} has more running executions than are listed" for of in self.versions if of.more
        ]
        if self.unasked:
            words.append(f"executions of {self.unasked} older versions were not asked for")
        if self.aliases is not None:
            words.append(f"which aliases point at these versions is {self.aliases.words}")
        return tuple(words)


COUNTED = ("Started", "Failed", "TimedOut", "Stopped", "Operations", "StorageWrittenBytes")
"""Metrics in AWS/Lambda of a function's executions: DurableExecutionStarted … (Lambda developer guide,
"Monitoring durable functions"). AWS calls the last two cumulative; public measurements found their Sum over a
time to be the operations and bytes of that time."""
METRIC = "DurableExecution"
"""Begins the names of these metrics."""
RUNNING_METRIC = "ApproximateRunningDurableExecutions"
"""Of the account, without dimensions: executions of all functions in the state RUNNING."""


class DurableFigures(Struct, frozen=True):
    """Counts of a function's executions a minute, over the last final minutes; None where not asked."""

    started: float | None = None
    failed: float | None = None
    timed_out: float | None = None
    stopped: float | None = None
    operations: float | None = None
    written_bytes: float | None = None


class HistoryEvent(Struct, frozen=True):
    """An event of a history. `operation` is the id of its step, wait …, `kind` its AWS name (StepFailed …).

    `attempt` counts from 1; `again_s` is when it is tried again, s after the failure. `error` is AWS's type
    and message in one line, not yet redacted.
    """

    at: float | None
    kind: str
    operation: str = ""
    name: str = ""
    attempt: int | None = None
    again_s: int | None = None
    error: str = ""


class Operation(Struct, frozen=True):
    """A step, wait, callback … of an execution, by its events: `state` is what came last of it."""

    name: str
    kind: str
    state: str
    at: float | None
    attempts: int
    again_s: int | None
    error: str


class ExecutionHistory(Struct, frozen=True):
    """The history of an execution: operations newest first, and the invocations that ran or replayed it.

    `more`: the history is longer than what was read, its newest part. `timeout_s` is when it ends at the
    latest, s after its start. What of it was not answered is None or NotKnown.
    """

    path: str
    status: str
    started: float | None
    ended: float | None
    timeout_s: int | None
    error: str
    operations: tuple[Operation, ...] | NotKnown
    invocations: int = 0
    failed: int = 0
    last_failure: str = ""
    events: int = 0
    more: bool = False


_ENDINGS = ("Started", "Succeeded", "Failed", "TimedOut", "Cancelled", "Stopped")
INVOCATION = "InvocationCompleted"


def operations_of(events: Iterable[HistoryEvent]) -> tuple[Operation, ...]:
    """Return the operations that the events tell of, the one with the newest event first.

    The execution's own beginning and end, and its invocations, are no operations.
    """
    found: dict[str, list[HistoryEvent]] = {}
    for event in events:
        if event.kind != INVOCATION and not event.kind.startswith("Execution"):
            found.setdefault(event.operation or event.name or event.kind, []).append(event)
    made = [_operation(sorted(of, key=lambda e: e.at or 0.0)) for of in found.values()]
    return tuple(sorted(made, key=lambda o: -(o.at or 0.0)))


def _operation(events: list[HistoryEvent]) -> Operation:
    last = events[-1]
    ending = next((e for e in _ENDINGS if last.kind.endswith(e)), "")
    begun = sum(e.kind.endswith("Started") for e in events)
    failed = next((e for e in reversed(events) if e.error), None)
    return Operation(
        name=next((e.name for e in reversed(events) if e.name), last.operation),
        kind=last.kind.removesuffix(ending) or last.kind,
        state=ending or last.kind,
        at=last.at,
        attempts=max(begun, *(e.attempt or 0 for e in events)),
        again_s=last.again_s,
        error=failed.error if failed else "",
    )
