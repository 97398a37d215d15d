"""Turn a request into a plan: read the target afresh, plan, and find what an undo would undo."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.mitigations import registry
from lambdatop.domain.mitigations.spec import Recall
from lambdatop.domain.plans.command import NOWHERE_SPECIAL, Place
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Plan, Proposal, Refusal, State
from lambdatop.domain.plans.situation import FunctionSituation, Situation
from lambdatop.domain.plans.undoable import find_also_in_archives, on_top
from lambdatop.domain.ports.aws import Reader
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.ports.storage import JournalStore
from lambdatop.domain.snapshots.finish import finished
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.engine.mutating.read_back import read_fields
from lambdatop.engine.rate_limiter import urgent


class Proposals:
    """Plans for one connection. Nothing here can change anything.

    `changes_refused` says why nothing may be changed there, `latest` gives the newest snapshot, if any.
    """

    def __init__(
        self,
        clock: Clock,
        journal: JournalStore,
        reader: Reader,
        scope: Scope,
        place: Place = NOWHERE_SPECIAL,
        changes_refused: str = "",
        latest: Callable[[], Snapshot | None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._reader = reader
        self._scope = scope
        self._place = place
        self._changes_refused = changes_refused
        self._latest = latest

    async def propose(self, name: str, target: Key, params: Mapping[str, Any]) -> Proposal:
        """Return a plan for `target` as it is now, or the reason why there is none.

        Raises LambdatopError with a sentence.
        """
        with urgent():
            return self._finished(await self._planned(name, target, params))

    async def propose_undo(self, wanted: str | None) -> Proposal:
        """Return a plan that takes one journal entry back, or the reason why there is none.

        `wanted` is an id, the beginning of one, or a name of the target; None is the newest change.
        """
        with urgent():
            return self._finished(await self._planned_undo(wanted))

    async def names_of(self, plan: Plan) -> tuple[str, ...]:
        """Return names that confirm an undo: the target's own, and those that the change was made with."""
        if plan.undoes is None:
            return ()
        _, entry = await asyncio.to_thread(self._find, plan.undoes)
        return entry.names

    def _finished(self, proposal: Proposal) -> Proposal:
        return finished(proposal, self._place, self._changes_refused, self._latest())

    async def _planned(self, name: str, target: Key, params: Mapping[str, Any]) -> Proposal:
        spec = registry.planner(name)
        if spec.kind != target.kind:
            raise UsageError(f"{name} acts on a {spec.kind}; {target.id} is a {target.kind}.")
        self._check_scope(target, target.id)
        situation = await self._reader.situation(target)
        refused = self._elsewhere(name, situation)
        if refused:
            return refused
        if spec.looks_at:
            closer = await read_fields(self._reader, target, spec.looks_at)
            gaps = (*situation.gaps, closer.error) if closer.error else situation.gaps
            situation = replace(situation, gaps=gaps, **(closer.state or {}))
        if spec.remembers and "reserved" not in params:
            params = {**params, **await self._remembered(situation)}
        if spec.refused_for_s and (reason := await self._purged_lately(target)):
            return Refusal(name, situation.ref, reason, "Look at the queue again in a minute.")
        if spec.recalls:
            situation = replace(situation, **await self._recalled(spec.recalls, target))
        settings = await self._with_queues(name, params)
        if isinstance(settings, Refusal):
            return settings
        return registry.plan(name, situation, settings, self._clock.now(), str(uuid4()))

    async def _planned_undo(self, wanted: str | None) -> Proposal:
        entries, entry = await asyncio.to_thread(self._find, wanted)
        self._check_scope(entry.target, f"entry {entry.id[:8]}")
        ref = Ref(entry.target, entry.arn, entry.label or entry.target.id)
        above = on_top(entries, entry) if entry.can_undo else None
        if above is not None:
            reason = f"{above.mitigation} ({above.id[:8]}) was done to {ref.name} after it."
            first = f"Undo that first: lambdatop undo {above.id}"
            return Refusal("undo", ref, reason, first if above.can_undo else "That cannot be undone.")
        current: State = {}
        if entry.can_undo:
            fields = {*entry.after, *registry.reads_besides(entry)}
            found = await read_fields(self._reader, entry.target, fields)
            if found.state is None:
                return Refusal("undo", ref, f"{entry.target.id} could not be read: {found.error}")
            current = found.state
        return registry.plan_undo(entry, current, self._clock.now(), str(uuid4()))

    def _find(self, wanted: str | None) -> tuple[Sequence[Entry], Entry]:
        return find_also_in_archives(self._journal.read(), self._journal.older, self._scope, wanted)

    def _elsewhere(self, name: str, situation: Situation) -> Refusal | None:
        from lambdatop.domain.mitigations.elsewhere import answered_elsewhere

        return answered_elsewhere(name, self._scope, situation)

    async def _with_queues(self, name: str, params: Mapping[str, Any]) -> Mapping[str, Any] | Refusal:
        """Return settings with queue names resolved to ARNs; raise TargetNotFound with the nearest names."""
        found = dict(params)
        for param, value in params.items():
            if registry.names_queue(name, param, value):
                key = await self._reader.find(str(value), ("queue",))
                situation = await self._reader.situation(key)
                refused = self._elsewhere(name, situation)
                if refused:
                    return refused
                found[param] = situation.ref.arn
        return found

    async def _purged_lately(self, queue: Key) -> str:
        """Return why another purge of ours would be refused now, "" when it would not."""
        from lambdatop.domain.mitigations.purge import too_soon

        entries = await asyncio.to_thread(self._journal.read)
        return too_soon(entries, queue, self._clock.now(), self._clock.uptime())

    async def _recalled(self, recall: Recall, target: Key) -> Mapping[str, Any]:
        """Return what the journal says was done to the target, as fields of its situation."""
        return recall(await asyncio.to_thread(self._journal.read), target)

    async def _remembered(self, situation: Situation) -> Mapping[str, Any]:
        """Return the value before our throttle; empty once somebody has set another value than zero since."""
        from lambdatop.domain.mitigations.restore import remembered_also_in_archives

        if not isinstance(situation, FunctionSituation) or situation.reserved != 0:
            return {}
        entries, key = await asyncio.to_thread(self._journal.read), situation.ref.key
        return await asyncio.to_thread(remembered_also_in_archives, entries, self._journal.older, key)

    def _check_scope(self, target: Key, what: str) -> None:
        if target.scope != self._scope:
            raise UsageError(
                f"{what} belongs to {target.scope}, the connection is to {self._scope}. "
                "Choose it with --profile and --region."
            )
