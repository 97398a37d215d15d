"""Declare what the console may ask the engine for."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Literal, Protocol

from msgspec import Struct

from lambdatop.domain.facts.durable import ExecutionHistory, RunningExecutions
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.insights import ErrorsFound, Scan
from lambdatop.domain.loglines.tail import Older
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Plan, Proposal, State
from lambdatop.domain.ports.aws import Related
from lambdatop.domain.state.snapshot import Snapshot

ResultKind = Literal["applied", "refused", "not-sent", "unknown", "drift", "expired", "read-only"]


class Result(Struct, frozen=True):
    """How an execution ended. On drift: the state that you saw, the present one, and the one that you want.

    Of a plan in steps, `steps` holds how each of them ended as far as they came; the rest is the last one's.
    """

    kind: ResultKind
    message: str
    entry: Entry | None = None
    saw: State | None = None
    now: State | None = None
    want: State | None = None
    steps: tuple[Result, ...] = ()


class Console(Protocol):
    """What the TUI may ask of the engine. Safe to call from the UI's thread; futures end there too."""

    def latest(self) -> Snapshot:
        """Return the newest snapshot without waiting."""

    def watch(self, keys: frozenset[Key], live: bool | None = None) -> None:
        """Set the functions whose log tails are wanted.

        `live` None: by Live Tail where an incident is open.
        """

    def set_visible(self, rows: frozenset[Key], *, full: bool = False) -> None:
        """Set the functions whose rows are on screen.

        `full`: all series of all functions once, at any price.
        """

    def refresh(self) -> None:
        """Collect everything now."""

    def reconnect(self) -> None:
        """Connect anew at once: somebody logged in."""

    def propose(self, mitigation: str, target: Key, params: Mapping[str, Any]) -> Future[Proposal]:
        """Read the target fresh and plan; raises LambdatopError through the future."""

    def propose_undo(self, entry_id: str | None) -> Future[Proposal]:
        """Plan the undo of one entry, or of the newest that can be undone."""

    def related(self, function: Key, kind: str) -> Future[Related]:
        """Return the aliases of a function, or what of a kind invokes it, read now."""

    def executions(self, function: Key) -> Future[RunningExecutions]:
        """Return the durable executions of a function that run now, read now."""

    def history(self, function: Key, path: str) -> Future[ExecutionHistory]:
        """Return what a durable execution (`version/name/id`) of a function has done, read now."""

    def who(self, key: Key) -> Future[tuple[TrailEvent, ...]]:
        """Return who changed this lately, newest first; raise LambdatopError through the future."""

    def older_logs(self, functions: frozenset[Key], before: float) -> Future[Older]:
        """Return a page of their logs up to `before` (s since the epoch, inclusive)."""

    def log_scan(self, functions: frozenset[Key], minutes: float) -> Future[Scan]:
        """Return what asking Logs Insights for their errors would scan and cost; nothing is asked yet."""

    def log_errors(self, scan: Scan) -> Future[ErrorsFound]:
        """Ask Logs Insights, for money; cancelling the future stops the query."""

    def execute(self, plan: Plan, confirmed_at: float) -> Future[Result]:
        """Carry a confirmed plan out; never cancelled once a call is on its way."""
