"""Make the executor of an open connection, for the console and for commands."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from lambdatop.domain.facts.principal import same_principal
from lambdatop.domain.plans.command import Place
from lambdatop.domain.ports.aws import Backend, EventSink
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.ports.storage import JournalStore, SpillStore
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import TargetIdentified
from lambdatop.domain.state.snapshot import Mode, Snapshot
from lambdatop.engine.collecting.work import Work
from lambdatop.engine.mutating.executor import Executor


def noticed(former: Backend | None, identified: TargetIdentified) -> TargetIdentified:
    """Return the identity of a new connection, with a remark where the former one was another principal's."""
    before = former.identified if former else identified
    if same_principal(before.identity or "unknown", identified.identity or "unknown"):
        return identified
    was = before.identity if before.scope == identified.scope else f"account {before.scope.account}"
    return replace(identified, notice=" · ".join(filter(None, (identified.notice, f"was {was} before"))))


def executor_on(
    backend: Backend,
    settings: Settings,
    clock: Clock,
    journal: JournalStore,
    mode: Mode,
    sink: EventSink,
    *,
    actor: str = "",
    spills: SpillStore | None = None,
    latest: Callable[[], Snapshot | None] = lambda: None,
    work: Work | None = None,
) -> Executor:
    """Return the executor of an open connection; `actor` is who acts where AWS does not name it.

    `latest` gives the newest snapshot, where there are any. `work` is what is under way in this process, on
    former connections too.
    """
    identified = backend.identified
    return Executor(
        clock,
        journal,
        backend.reader,
        backend.mutator,
        identified.identity or actor,
        mode,
        sink,
        scope=identified.scope,
        allow_destructive=settings.allow_destructive,
        place=Place(settings.profile, identified.endpoint),
        spills=spills,
        lease=backend.lease,
        expires_at=backend.expires_at,
        changes_refused=backend.changes_refused,
        latest=latest,
        work=work,
    )
