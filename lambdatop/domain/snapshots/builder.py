"""Build the Snapshot from the World: the one place where figures for showing are computed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter, is_

from msgspec.structs import replace

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.detectors.grouping import group
from lambdatop.domain.detectors.registry import detect_all
from lambdatop.domain.facts.event_source_mapping import MappingFacts, risks
from lambdatop.domain.facts.function import writers_by_group
from lambdatop.domain.facts.queue import QueueHistory
from lambdatop.domain.figures import rates
from lambdatop.domain.figures.context import EvaluationContext, evaluation_context
from lambdatop.domain.figures.function_cost import Burning, account_burn
from lambdatop.domain.figures.queue_flow import flow, growth
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.digest import digest
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.quotas.rows import quota_rows
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.snapshots.function_rows import function_row
from lambdatop.domain.snapshots.not_known import gaps
from lambdatop.domain.snapshots.storm_rows import Rows, in_loops, storm_rows
from lambdatop.domain.sources import QUOTAS, SOURCES
from lambdatop.domain.state.aftermath import aftermaths
from lambdatop.domain.state.invalidation import changed
from lambdatop.domain.state.snapshot import (
    DETECTORS,
    FunctionRow,
    Kept,
    MappingRow,
    Mode,
    QueueRow,
    QuotaRow,
    Snapshot,
    SourceRow,
    Target,
)
from lambdatop.domain.state.world import World

HOLD_QUOTAS_S = (10.0, 60.0)
"""How long the quotas of a large account stand, s: while there is news, and while only time passes."""

_QUOTAS_READ = tuple(name for spec in SOURCES.values() if spec.anew or spec is QUOTAS for name in spec.world)

GIVE_WAY_EVERY = 20
"""Rows that are made in one piece: one or two ms."""

WORTH_COMPARING = 200
"""Functions from which on a round looks for what changed: below, making all rows anew is as quick."""


def build_snapshot(
    world: World,
    *,
    previous: Snapshot,
    at: float,
    version: str,
    mode: Mode,
    settings: Settings,
    worth_comparing: int = WORTH_COMPARING,
    hold_quotas_s: tuple[float, float] = HOLD_QUOTAS_S,
    give_way: GiveWay = no_pause,
) -> Snapshot:
    """Build the newest Snapshot; `previous` gives findings their `since` and the sequence its number.

    It must have been made under the same settings. From `worth_comparing` functions on, its rows are kept
    where nothing that they are made of has changed, and its quotas for `hold_quotas_s`. `give_way` is called
    every few ms: a round of a large account takes a quarter of a second, in which a key may be pressed.
    """
    kept = previous.kept if len(world.functions) >= worth_comparing else None
    _make_ready(world, give_way)
    anew = changed(kept.world, world, previous.at, at, settings, give_way) if kept else None
    give_way()
    quotas_at, quotas = _quotas(world, kept, previous, at, settings, hold_quotas_s, give_way)
    give_way()
    seen = _context(world, at, settings, previous, anew, quotas, give_way)
    detected, failed = detect_all(seen, previous.findings)
    give_way()
    incidents = group(world, detected)
    findings = tuple(f for incident in incidents for f in incident.findings)
    queues = _queue_rows(seen, previous)
    burning = Burning(seen)
    give_way()
    functions = _function_rows(seen, burning, _by_function(findings, world), previous)
    mappings = tuple(sorted(world.mappings.values(), key=lambda m: (m.function.id, m.reading_order)))
    listed = max(world.mappings_at.values(), default=None)
    give_way()
    before = kept.storms if kept is not None and anew is not None else {}
    storms, made = storm_rows(mappings, Rows(seen, functions, queues, listed, in_loops(findings), before))
    give_way()
    ordered = _ordered(functions, previous)
    give_way()
    burn = account_burn(seen, burning, (r.burn for r in functions.values()))
    give_way()
    return replace(
        _as_read(world, at, settings),
        seq=previous.seq + 1,
        version=version,
        mode="read-only" if any(t.forced for t in world.targets.values()) else mode,
        functions=ordered,
        mappings=tuple(_mapping_row(m, functions, queues, listed) for m in mappings),
        queues=tuple(sorted(queues.values(), key=lambda q: q.facts.name)),
        storms=storms,
        findings=findings,
        incidents=incidents,
        quotas=quotas,
        sources=_sources(world, at, failed),
        burn=burn,
        kept=Kept(world, quotas_at, made, functions),
    )


def _make_ready(world: World, give_way: GiveWay) -> None:
    """Make what later readers find made, and then need no pause for."""
    writers_by_group(world.functions, give_way)
    for tail in world.logs.values():
        digest(tail, give_way)


def _as_read(world: World, at: float, settings: Settings) -> Snapshot:
    """Return a Snapshot of what is shown as it was read."""
    permissions = map(world.permissions.get, world.targets)
    return Snapshot(
        at=at,
        targets=_targets(world),
        gaps=gaps(world),
        capacity_providers=world.capacity_providers,
        alarms=tuple(sorted(world.alarms.values(), key=lambda a: a.key.id)),
        spend=world.spend,
        polling=world.polling,
        journal=world.journal,
        aftermath=aftermaths(world, at, settings.metrics),
        logs=world.logs,
        callers=world.callers,
        looks={scope: world.looks(scope) for scope in world.targets},
        permissions=next((p for p in permissions if p is not None), None),
    )


def _context(
    world: World,
    at: float,
    settings: Settings,
    previous: Snapshot,
    anew: frozenset[Key] | None,
    quotas: tuple[QuotaRow, ...],
    give_way: GiveWay,
) -> EvaluationContext:
    """Return what detectors evaluate; they judge `anew` alone, and everything when one failed before."""
    failed = any(row.name == DETECTORS for row in previous.sources)
    judged = None if failed else anew
    return evaluation_context(world, at, settings, previous.findings, judged, quotas, give_way)


def _quotas(
    world: World,
    kept: Kept | None,
    previous: Snapshot,
    at: float,
    settings: Settings,
    hold_s: tuple[float, float],
    give_way: GiveWay,
) -> tuple[float, tuple[QuotaRow, ...]]:
    """Return when the quotas were counted, and their rows.

    They change by minutes, and counting reads everything.
    """
    if kept is not None:
        newer = any(getattr(kept.world, name) is not getattr(world, name) for name in _QUOTAS_READ)
        if at - kept.quotas_at < (hold_s[0] if newer else hold_s[1]):
            return kept.quotas_at, previous.quotas
    return at, quota_rows(world, at, settings, give_way)


def _queue_rows(seen: EvaluationContext, previous: Snapshot) -> Mapping[Key, QueueRow]:
    """Return a row for each queue, the one of the round before where it still holds."""
    world = seen.world
    feeders = _dead_letter_feeders(world)
    before = {row.facts.key: row for row in previous.queues} if seen.only is not None else {}
    rows = {}
    for key, history in world.queues.items():
        known, fed_by = before.get(key), feeders.get(key, ())
        if known is None or key in (seen.only or ()) or known.dlq_of != fed_by:
            known = queue_row(world, history, seen.now, seen.settings, fed_by)
        rows[key] = known
    return rows


def _function_rows(
    seen: EvaluationContext, burning: Burning, found: Mapping[Key, tuple[Finding, ...]], previous: Snapshot
) -> Mapping[Key, FunctionRow]:
    """Return a row for each function, the one of the round before where it still holds."""
    world, kept = seen.world, previous.kept
    rows: dict[Key, FunctionRow] = {}
    anew: Iterable[Key] = world.functions
    if seen.only is not None and kept is not None:
        if kept.world.functions is world.functions:
            rows = dict(kept.functions)
        else:
            rows = {key: row for key, row in kept.functions.items() if key in world.functions}
        # What was found about its queue or mapping is told in a function's row, too.
        told = {key for key, row in rows.items() if row.findings}
        anew = (key for key in {*seen.only, *told, *found} if key in world.functions)
    for key in paced(anew, seen.give_way, GIVE_WAY_EVERY):
        facts = world.functions[key]
        row = function_row(world, facts, seen.now, seen.settings, found.get(key, ()), burning)
        if row != rows.get(key):
            rows[key] = row
    return rows


def _ordered(rows: Mapping[Key, FunctionRow], previous: Snapshot) -> tuple[FunctionRow, ...]:
    """Return the hottest first; the order of the round before where all rows are the same objects."""
    kept = previous.kept.functions if previous.kept is not None else {}
    if len(kept) == len(rows) and all(map(is_, rows.values(), kept.values())):
        return previous.functions
    # Two sorts by one value each are four times as quick as one by pairs, and most often the first is a look.
    by_name = sorted(rows.values(), key=attrgetter("facts.key.id"))
    return tuple(sorted(by_name, key=attrgetter("heat"), reverse=True))


def _dead_letter_feeders(world: World) -> dict[Key, tuple[str, ...]]:
    found: dict[Key, list[str]] = defaultdict(list)
    for history in world.queues.values():
        if history.facts.dlq is not None:
            found[history.facts.dlq].append(history.facts.name)
    return {k: tuple(sorted(v)) for k, v in found.items()}


def queue_row(
    world: World, history: QueueHistory, now: float, settings: Settings, dlq_of: tuple[str, ...] = ()
) -> QueueRow:
    """Return flow and growth of one queue, with the queues whose dead letters it takes."""
    facts = history.facts
    known = min(now, world.metrics_at.get(facts.key, now))
    redelivery = rates.window(known, settings.detectors.sqs_redelivery.window_min, settings.metrics)
    lately = rates.window(known, settings.detectors.dlq_growth.window_min, settings.metrics)
    grown = growth(world, facts.key, lately)
    seen = flow(world, facts.key, redelivery)
    oldest = world.metric(facts.key, "ApproximateAgeOfOldestMessage", "Maximum")
    visible = world.metric(facts.key, "ApproximateNumberOfMessagesVisible", "Maximum")
    return QueueRow(
        facts=facts,
        dlq_of=dlq_of,
        received=seen.received if seen else None,
        deleted=seen.deleted if seen else None,
        redelivery_ratio=seen.ratio if seen and not dlq_of else None,
        trend_per_min=grown.per_min if grown else None,
        grown=grown.grown if grown else None,
        oldest_age_s=oldest.values[-1] if oldest.values else None,
        spark=rates.spark(visible, redelivery.end),
    )


def _by_function(findings: tuple[Finding, ...], world: World) -> dict[Key, tuple[Finding, ...]]:
    """Return the findings of each function, its queues' and mappings' included."""
    owners: dict[Key, set[Key]] = defaultdict(set)
    for mapping in world.mappings.values():
        owners[mapping.key].add(mapping.function)
        if mapping.source_queue:
            owners[mapping.source_queue].add(mapping.function)
    found: dict[Key, list[Finding]] = defaultdict(list)
    for finding in findings:
        for key in owners.get(finding.target.key, {finding.target.key}):
            found[key].append(finding)
    return {k: tuple(v) for k, v in found.items()}


def _mapping_row(
    mapping: MappingFacts,
    functions: Mapping[Key, FunctionRow],
    queues: Mapping[Key, QueueRow],
    listed_at: float | None,
) -> MappingRow:
    function = functions.get(mapping.function)
    queue = queues.get(mapping.source_queue) if mapping.source_queue else None
    found = risks(
        mapping,
        function.facts if function else None,
        queue.facts if queue else None,
        function.reserved if function else None,
    )
    return MappingRow(mapping, found, listed_at)


def _targets(world: World) -> tuple[Target, ...]:
    return tuple(
        Target(
            t.scope, t.alias, t.identity, t.endpoint, t.notice, t.credentials_expire_at, t.forced, t.lifted
        )
        for t in world.targets.values()
    )


def _sources(world: World, now: float, failed: tuple[str, ...]) -> tuple[SourceRow, ...]:
    """Return a row for each collector, and one for the detectors when some have failed."""
    rows = [SourceRow(DETECTORS, "failed", None, " ".join(failed))] if failed else []
    for name, health in sorted(world.sources.items()):
        report = health.report
        age = None if health.ok_at is None else max(0.0, now - health.ok_at)
        state = report.state
        if state == "ok" and age is not None and report.pace_s and age > 3 * report.pace_s + 10:
            state = "stale"
        rows.append(SourceRow(name, state, age, report.error, report.action, report.pace_s, report.pace_why))
    return tuple(rows)
