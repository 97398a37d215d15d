"""From the World to the Snapshot: the one place where figures for showing are computed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from lambdatop.domain import rates
from lambdatop.domain.aftermath import aftermaths
from lambdatop.domain.burning import Burning, account_burn
from lambdatop.domain.detectors import detect_all
from lambdatop.domain.finding import SEVERITIES, Finding
from lambdatop.domain.flow import flow, growth
from lambdatop.domain.function import FunctionFacts
from lambdatop.domain.heat import heat
from lambdatop.domain.incidents import group
from lambdatop.domain.mapping import MappingFacts, risks
from lambdatop.domain.queue import QueueHistory
from lambdatop.domain.quota import quota_rows
from lambdatop.domain.rates import Window
from lambdatop.domain.scope import Key
from lambdatop.domain.settings import Settings
from lambdatop.domain.sight import sight
from lambdatop.domain.snapshot import FunctionRow, MappingRow, Mode, QueueRow, Snapshot, SourceRow, Target
from lambdatop.domain.storms import Rows, in_loops, storm_rows
from lambdatop.domain.world import World

QUIET_S = 3 * 3600.0
"""ListMetrics leaves out what has published nothing for so long."""


def build_snapshot(
    world: World, *, previous: Snapshot, at: float, version: str, mode: Mode, settings: Settings
) -> Snapshot:
    """The newest Snapshot; `previous` gives findings their `since` and the sequence its number."""
    seen = sight(world, at, settings, previous.findings)
    incidents = group(world, detect_all(seen, previous.findings))
    findings = tuple(f for incident in incidents for f in incident.findings)
    feeders = _dead_letter_feeders(world)
    queues = {k: queue_row(world, h, at, settings, feeders.get(k, ())) for k, h in world.queues.items()}
    by_function = _by_function(findings, world)
    burning = Burning(seen)
    functions = {
        k: function_row(world, f, at, settings, by_function.get(k, ()), burning)
        for k, f in world.functions.items()
    }
    mappings = tuple(sorted(world.mappings.values(), key=lambda m: (m.function.id, m.key.id)))
    listed = max(world.mappings_at.values(), default=None)
    mapping_age = None if listed is None else max(0.0, at - listed)
    return Snapshot(
        seq=previous.seq + 1,
        at=at,
        version=version,
        mode=mode,
        targets=_targets(world),
        functions=tuple(sorted(functions.values(), key=lambda r: (-r.heat, r.facts.name))),
        mappings=tuple(_mapping_row(m, functions, queues, mapping_age) for m in mappings),
        queues=tuple(sorted(queues.values(), key=lambda q: q.facts.name)),
        storms=storm_rows(mappings, Rows(seen, functions, queues, mapping_age, in_loops(findings))),
        findings=findings,
        incidents=incidents,
        quotas=quota_rows(world, at, settings),
        sources=_sources(world, at),
        alarms=tuple(sorted(world.alarms.values(), key=lambda a: a.key.id)),
        spend=world.spend,
        looking=world.looking,
        journal=world.journal,
        aftermath=aftermaths(world, at, settings.metrics),
        logs=world.logs,
        permissions=next((p for p in map(world.permissions.get, world.targets) if p is not None), None),
        burn=account_burn(seen, burning, (r.burn for r in functions.values())),
    )


def function_row(
    world: World,
    facts: FunctionFacts,
    now: float,
    settings: Settings,
    findings: tuple[Finding, ...] = (),
    burning: Burning | None = None,
) -> FunctionRow:
    """All figures of one function over the last final minutes."""
    key = facts.key
    fetched = _fetched(world, key)
    full = rates.window(min(now, fetched or now), settings.metrics.rate_min, settings.metrics)
    over = rates.known_window(world, key, "Invocations", "Sum", full)
    over = over or rates.known_window(world, key, "Throttles", "Sum", full)
    reserved = world.reserved.get(key)
    figures = _figures(world, facts, over) if over and fetched else _idle(fetched)
    account = world.accounts.get(key.scope)
    burning = burning or Burning(sight(world, now, settings))
    burn = None if fetched is None else burning.of(facts, over)
    invocations = world.metric(key, "Invocations")
    errors = world.metric(key, "Errors")
    return FunctionRow(
        facts=facts,
        reserved=reserved,
        reserved_known=key in world.reserved,
        **figures,
        burn=burn,
        burn_usd_per_hour=None if burn is None else burn.total,
        cold_start_rate=cold_start_rate(world, key),
        heat=heat(
            invocations_per_min=figures["invocations_per_min"],
            error_rate=figures["error_rate"],
            throttles_per_min=figures["throttles_per_min"],
            duration_max_ms=figures["duration_max_ms"],
            timeout_s=facts.timeout_s,
            concurrency_max=figures["concurrency_max"],
            reserved=reserved,
            account_limit=account.concurrency_limit if account else None,
        ),
        age_s=None if fetched is None else max(0.0, now - fetched),
        spark=rates.spark(invocations, full.end),
        errors_spark=rates.spark(errors, full.end),
        invocations_trend=rates.trend(invocations, full.end),
        errors_trend=rates.trend(errors, full.end),
        duration_trend=rates.gauge_trend(world.metric(key, "Duration", "Maximum"), full.end),
        findings=len(findings),
        worst=SEVERITIES[max(f.rank for f in findings)] if findings else "",
    )


def _fetched(world: World, key: Key) -> float | None:
    """As of when its figures are known: its last detail, or a later word that it has not run for hours."""
    fetched, told = world.metrics_at.get(key), world.activity.get(key.scope)
    if told is None or key in told.functions or told.at <= (fetched or 0.0):
        return fetched
    runs = world.metric(key, "Invocations").times
    return fetched if runs and runs[-1] > told.at - QUIET_S else told.at


def _idle(fetched: float | None) -> dict[str, float | None]:
    """No point in the window: a function that is idle has zero rates, one never asked about has none."""
    zero = 0.0 if fetched is not None else None
    return {
        "invocations_per_min": zero,
        "errors_per_min": zero,
        "throttles_per_min": zero,
        "error_rate": None,
        "duration_max_ms": None,
        "duration_p99_ms": None,
        "concurrency_max": None,
        "iterator_age_ms": None,
        "async_amplification": None,
    }


def _figures(world: World, facts: FunctionFacts, over: Window) -> dict[str, float | None]:
    key = facts.key
    start, end = over.start, over.end
    invocations = world.metric(key, "Invocations").sum(start, end)
    errors = world.metric(key, "Errors").sum(start, end)
    received = world.metric(key, "AsyncEventsReceived").sum(start, end)
    attempts = world.metric(key, "AsyncEventAge", "SampleCount").sum(start, end)
    minutes = max(1, over.minutes)
    return {
        "invocations_per_min": invocations / minutes,
        "errors_per_min": errors / minutes,
        "throttles_per_min": world.metric(key, "Throttles").sum(start, end) / minutes,
        "error_rate": errors / invocations if invocations else None,
        "duration_max_ms": world.metric(key, "Duration", "Maximum").max(start, end),
        "duration_p99_ms": world.metric(key, "Duration", "p99").max(start, end),
        "concurrency_max": world.metric(key, "ConcurrentExecutions", "Maximum").max(start, end),
        "iterator_age_ms": world.metric(key, "IteratorAge", "Maximum").max(start, end),
        "async_amplification": attempts / received if received else None,
    }


def cold_start_rate(world: World, key: Key) -> float | None:
    """Share of REPORT lines with an init duration in the tail; None without at least one report."""
    tail = world.logs.get(key)
    reports = [line.report for line in tail.lines if line.report and line.kind == "report"] if tail else []
    return sum(r.init_ms is not None for r in reports) / len(reports) if reports else None


def _dead_letter_feeders(world: World) -> dict[Key, tuple[str, ...]]:
    found: dict[Key, list[str]] = defaultdict(list)
    for history in world.queues.values():
        if history.facts.dlq is not None:
            found[history.facts.dlq].append(history.facts.name)
    return {k: tuple(sorted(v)) for k, v in found.items()}


def queue_row(
    world: World, history: QueueHistory, now: float, settings: Settings, dlq_of: tuple[str, ...] = ()
) -> QueueRow:
    """Flow and growth of one queue, with the queues whose dead letters it takes."""
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
        age_s=max(0.0, now - facts.at),
    )


def _by_function(findings: tuple[Finding, ...], world: World) -> dict[Key, tuple[Finding, ...]]:
    """Findings of each function, its queues' and mappings' included."""
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
    age_s: float | None,
) -> MappingRow:
    function = functions.get(mapping.function)
    queue = queues.get(mapping.source_queue) if mapping.source_queue else None
    found = risks(
        mapping,
        function.facts if function else None,
        queue.facts if queue else None,
        function.reserved if function else None,
    )
    return MappingRow(mapping, found, age_s)


def _targets(world: World) -> tuple[Target, ...]:
    return tuple(
        Target(t.scope, t.alias, t.identity, t.endpoint, t.notice, t.credentials_expire_at)
        for t in world.targets.values()
    )


def _sources(world: World, now: float) -> tuple[SourceRow, ...]:
    rows = []
    for name, health in sorted(world.sources.items()):
        report = health.report
        age = None if health.ok_at is None else max(0.0, now - health.ok_at)
        state = report.state
        if state == "ok" and age is not None and report.pace_s and age > 3 * report.pace_s + 10:
            state = "stale"
        next_at = None if report.next_in_s is None else report.at + report.next_in_s
        rows.append(
            SourceRow(name, state, age, report.error, report.action, next_at, report.pace_s, report.pace_why)
        )
    return tuple(rows)
