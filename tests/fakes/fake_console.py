"""An engine that answers at once: real planners over the scene's facts, calls written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from fakes import console_scene as scene

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.facts.durable import ExecutionHistory, RunningExecutions
from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.not_read import NOT_ASKED
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.insights import ErrorsFound, Scan
from lambdatop.domain.loglines.tail import Older
from lambdatop.domain.mitigations import registry
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Plan, Proposal
from lambdatop.domain.plans.situation import (
    FunctionSituation,
    MappingSituation,
    QueueSituation,
    Situation,
)
from lambdatop.domain.ports.aws import Related
from lambdatop.domain.ports.console import Result
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot


class Clock:
    """A clock that stands still until a test moves it (s since the epoch)."""

    def __init__(self) -> None:
        self.at = scene.NOW

    def __call__(self) -> float:
        return self.at


def done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


class FakeConsole:
    """Implements `domain.ports.console.Console`. `held` keeps answers back until the test releases them.

    `older`, `scan` and `errors` make the answers about logs; by default there is nothing older.
    """

    def __init__(self, snapshot: Snapshot = EMPTY_SNAPSHOT, clock: Callable[[], float] = lambda: scene.NOW):
        self.snapshot = snapshot
        self.clock = clock
        self.calls: list[tuple[str, Any]] = []
        self.executed: list[tuple[Plan, float]] = []
        self.relations: tuple[Key, ...] = ()
        self.hidden = ""
        self.trail: tuple[TrailEvent, ...] = ()
        self.running = RunningExecutions(())
        self.histories: dict[str, ExecutionHistory] = {}
        self.watched: frozenset[Key] = frozenset()
        self.live: bool | None = None
        self.looks: list[tuple[frozenset[Key], bool]] = []
        self.refreshed = 0
        self.reconnected = 0
        self.result: Callable[[Plan], Result] = lambda plan: Result("applied", "confirmed by reading it back")
        self.failure: LambdatopError | None = None
        self.answer: Proposal | None = None
        self.held: list[tuple[Future[Any], Any]] | None = None
        self.older: Callable[[frozenset[Key], float], Older] = lambda keys, before: Older((), before, True)
        self.scan: Callable[[frozenset[Key], float], Scan] = lambda keys, minutes: Scan(
            tuple(sorted(f"/aws/lambda/{key.id}" for key in keys)), scene.NOW - minutes * 60, scene.NOW
        )
        self.errors: Callable[[Scan], ErrorsFound] = lambda scan: ErrorsFound((), 0, 0, 0, 0.0)

    def latest(self) -> Snapshot:
        return self.snapshot

    def watch(self, keys: frozenset[Key], live: bool | None = None) -> None:
        self.watched, self.live = keys, live

    def set_visible(self, rows: frozenset[Key], *, full: bool = False) -> None:
        self.looks.append((rows, full))

    def refresh(self) -> None:
        self.refreshed += 1

    def reconnect(self) -> None:
        self.reconnected += 1

    def propose(self, mitigation: str, target: Key, params: Mapping[str, Any]) -> Future[Proposal]:
        self.calls.append((mitigation, (target, dict(params))))
        return self._give(lambda: self.plan(mitigation, target, params))

    def propose_undo(self, entry_id: str | None) -> Future[Proposal]:
        self.calls.append(("undo", entry_id))
        return self._give(lambda: self._undo(entry_id))

    def related(self, function: Key, kind: str) -> Future[Related]:
        self.calls.append((f"related {kind}", function))
        return self._give(lambda: Related(tuple(k for k in self.relations if k.kind == kind), self.hidden))

    def executions(self, function: Key) -> Future[RunningExecutions]:
        self.calls.append(("executions", function))
        return self._give(lambda: self.running)

    def history(self, function: Key, path: str) -> Future[ExecutionHistory]:
        self.calls.append(("history", (function, path)))
        return self._give(lambda: self.histories[path])

    def who(self, key: Key) -> Future[tuple[TrailEvent, ...]]:
        self.calls.append(("who", key))
        return self._give(lambda: self.trail)

    def older_logs(self, functions: frozenset[Key], before: float) -> Future[Older]:
        self.calls.append(("older_logs", (functions, before)))
        return self._give(lambda: self.older(functions, before))

    def log_scan(self, functions: frozenset[Key], minutes: float) -> Future[Scan]:
        self.calls.append(("log_scan", (functions, minutes)))
        return self._give(lambda: self.scan(functions, minutes))

    def log_errors(self, scan: Scan) -> Future[ErrorsFound]:
        self.calls.append(("log_errors", scan))
        return self._give(lambda: self.errors(scan))

    def execute(self, plan: Plan, confirmed_at: float) -> Future[Result]:
        self.executed.append((plan, confirmed_at))
        return self._give(lambda: self.result(plan))

    def release(self) -> None:
        held, self.held = self.held or [], None
        for future, value in held:
            if future.set_running_or_notify_cancel():  # nobody may wait for it any more
                future.set_result(value)

    # -- answers ---------------------------------------------------------------------------------

    def _give(self, make: Callable[[], Any]) -> Future[Any]:
        if self.failure is not None:
            future: Future[Any] = Future()
            future.set_exception(self.failure)
            return future
        if self.held is not None:
            future = Future()
            self.held.append((future, make()))
            return future
        return done(make())

    def plan(self, mitigation: str, target: Key, params: Mapping[str, Any]) -> Proposal:
        if self.answer is not None:
            return self.answer
        return registry.plan(mitigation, self.situation(target), params, self.clock(), "p-1")

    def _undo(self, entry_id: str | None) -> Proposal:
        entries = [e for e in self.snapshot.journal if e.can_undo and entry_id in (None, e.id)]
        if not entries:
            raise LambdatopError("The journal holds nothing that can be undone.")
        return registry.plan_undo(entries[-1], entries[-1].after, self.clock(), "p-2")

    def situation(self, target: Key) -> Situation:
        snap = self.snapshot
        at = self.clock() - 0.4
        mappings = tuple(m.facts for m in snap.mappings)
        if target.kind == "function":
            row = next(f for f in snap.functions if f.key == target)
            mine = tuple(m for m in mappings if m.function == target)
            sources = {m.source_arn for m in mine}
            queues = tuple(q.facts for q in snap.queues if q.facts.arn in sources)
            account = AccountFacts(1000, 540, 80_530_636_800, 71_200_000_000, 14)
            return FunctionSituation(
                Ref(target, row.facts.arn, target.id), at, row.facts, row.reserved,
                mappings=mine, queues=queues, account=account,
                gaps=("lambda:GetPolicy is denied, so callers by resource policy are unknown",),
            )  # fmt: skip
        if target.kind == "mapping":
            facts = next(m for m in mappings if m.key == target)
            arn = (
                f"arn:aws:lambda:{scene.SCOPE.region}:{scene.SCOPE.account}:event-source-mapping:{target.id}"
            )
            queue = next((q.facts for q in snap.queues if q.facts.arn == facts.source_arn), None)
            return MappingSituation(Ref(target, arn, target.id), at, facts, queue, 345_600, 1_920.0)
        found = next(q for q in snap.queues if q.facts.key == target)
        users = tuple(m for m in mappings if m.source_queue == target)
        ref = Ref(target, found.facts.arn, target.id)
        age = NOT_ASKED if found.oldest_age_s is None else found.oldest_age_s
        return QueueSituation(ref, at, found.facts, users, found.dlq_of, oldest_age_s=age)
