"""Render snapshots as the JSON that other programs read. Pure.

Times are ISO-8601 in UTC, units stand in the key names, what is not known is null, and the order of
keys is the order written here. `lambdatop.snapshot/1` only ever grows keys; a changed meaning needs a
new number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lambdatop.domain.facts.durable import DurableFigures
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Gap, lost_reads, or_none
from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.summary import LogSummary, log_summary
from lambdatop.domain.sections import section
from lambdatop.domain.state.snapshot import (
    FunctionRow,
    MappingRow,
    QueueRow,
    QuotaRow,
    Snapshot,
    SourceRow,
    Target,
)
from lambdatop.domain.state.world import Spend
from lambdatop.domain.units import minutes
from lambdatop.report.json.callers import caller_json, look_json
from lambdatop.report.json.cost import account_burn_json, burn_json
from lambdatop.report.json.incidents import alarm_json, findings_json, incidents_json, storm_json
from lambdatop.report.json.logs import log_json
from lambdatop.report.json.mutations import entry_json, halfway_json, plan_json, result_json
from lambdatop.report.json.primitives import Json, finite, iso, plain

SNAPSHOT_SCHEMA = "lambdatop.snapshot/1"

Part = Callable[[str, Callable[[], Any]], Any]
"""Makes a section by its name and a function; null where that fails."""

__all__ = ["SNAPSHOT_SCHEMA", "entry_json", "halfway_json", "plan_json", "result_json", "snapshot_json"]


def snapshot_json(snapshot: Snapshot) -> Json:
    """Return one snapshot as schema `lambdatop.snapshot/1`.

    `failed_sections` names what could not be made and is null for that reason, with a sentence each.
    """
    failed: list[Json] = []

    def part(what: str, make: Callable[[], Any]) -> Any:
        return section(what, make, lambda sentence: failed.append({"section": what, "why": sentence}))

    arns = {row.key: row.facts.arn for row in snapshot.functions}
    return {
        "schema": SNAPSHOT_SCHEMA,
        "at": iso(snapshot.at),
        "version": snapshot.version,
        "mode": snapshot.mode,
        "targets": part("targets", lambda: [_target(t) for t in snapshot.targets]),
        "functions": part("functions", lambda: [_function(r, snapshot, part) for r in snapshot.functions]),
        "mappings": part(
            "mappings", lambda: [_mapping(r, snapshot.age_s(r.as_of)) for r in snapshot.mappings]
        ),
        "queues": part("queues", lambda: [_queue(r, snapshot.age_s(r.as_of)) for r in snapshot.queues]),
        "findings": part("findings", lambda: findings_json(snapshot)),
        "quotas": part("quotas", lambda: [_quota(q, snapshot.age_s(q.as_of)) for q in snapshot.quotas]),
        "sources": part(
            "sources", lambda: [_source(s, lost_reads(s.name, snapshot.gaps)) for s in snapshot.sources]
        ),
        "spend": part("spend", lambda: _spend(snapshot.spend) | {"looking": _polling(snapshot.polling)}),
        "burn": part("burn", lambda: account_burn_json(snapshot.burn)),
        "incidents": part("incidents", lambda: incidents_json(snapshot.incidents)),
        "storms": part("storms", lambda: [storm_json(r, snapshot.age_s(r.as_of)) for r in snapshot.storms]),
        "alarms": part("alarms", lambda: [alarm_json(a, arns) for a in snapshot.alarms]),
        "gaps": part("gaps", lambda: [_gap(g) for g in snapshot.gaps]),
        "callers_looked_for": part(
            "callers_looked_for",
            lambda: [look_json(scope, look) for scope, looks in snapshot.looks.items() for look in looks],
        ),
        "failed_sections": failed,
    }


def _target(target: Target) -> Json:
    return {
        "account": target.scope.account,
        "region": target.scope.region,
        "alias": target.alias or None,
        "identity": target.identity,
        "endpoint": target.endpoint or None,
        "notice": target.notice or None,
        "credentials_expire_at": iso(target.credentials_expire_at),
    }


def _function(row: FunctionRow, snapshot: Snapshot, part: Part) -> Json:
    facts, tail = row.facts, snapshot.logs.get(row.key)
    of_log = f"log of {facts.name}"
    summary: LogSummary | None = part(of_log, lambda: log_summary(tail, facts, snapshot.burn))
    numbers: Json = {
        "invocations_per_min": row.invocations_per_min,
        "errors_per_min": row.errors_per_min,
        "error_rate": row.error_rate,
        "throttles_per_min": row.throttles_per_min,
        "duration_max_ms": row.duration_max_ms,
        "duration_p99_ms": row.duration_p99_ms,
        "concurrency_max": row.concurrency_max,
        "iterator_age_ms": row.iterator_age_ms,
        "async_amplification": row.async_amplification,
        "cold_start_rate": row.cold_start_rate,
        "burn_usd_per_hour": row.burn_usd_per_hour,
        "heat": row.heat,
        "age_s": snapshot.age_s(row.as_of),
    }
    return {
        "arn": facts.arn,
        "name": facts.name,
        "runtime": facts.runtime,
        "memory_mb": or_none(facts.memory_mb),
        "timeout_s": or_none(facts.timeout_s),
        "reserved_concurrency": row.reserved,
        "reserved_concurrency_known": row.reserved_known,
        "log_group": facts.log_group or None,
        "last_modified": iso(facts.last_modified),
        **finite(numbers),
        "capacity_provider": _provider(facts, snapshot),
        "tenant_isolation": facts.per_tenant,
        "replica_of": facts.replica_of or None,
        "durable": None if row.durable is None else finite(durable_json(row.durable)),
        "burn": part(f"burn of {facts.name}", lambda: burn_json(row, summary)),
        "log": part(of_log, lambda: log_json(tail, summary)),
        "dlq_arn": facts.dlq_arn,
        "callers": part(
            f"callers of {facts.name}", lambda: [caller_json(c) for c in snapshot.callers.get(row.key, ())]
        ),
    }


def _provider(facts: FunctionFacts, snapshot: Snapshot) -> Json | None:
    """Return what runs a function on managed instances; null in it for what was not read."""
    if not facts.managed_instances:
        return None
    key = Key(facts.key.scope, "capacity provider", facts.capacity_provider)
    found = snapshot.capacity_providers.get(key)
    return {
        "name": facts.capacity_provider or None,
        "state": found[1].state if found else None,
        "max_vcpus": found[1].most_vcpus if found else None,
        "age_s": snapshot.age_s(found[0] if found else None),
    }


def durable_json(figures: DurableFigures) -> Json:
    """Return what durable executions did a minute; null for what was not asked."""
    return {
        "started_per_min": figures.started,
        "failed_per_min": figures.failed,
        "timed_out_per_min": figures.timed_out,
        "stopped_per_min": figures.stopped,
        "operations_per_min": figures.operations,
        "written_bytes_per_min": figures.written_bytes,
    }


def _mapping(row: MappingRow, age_s: float | None) -> Json:
    facts = row.facts
    return {
        "uuid": facts.uuid,
        "function": facts.function.id,
        "function_arn": facts.function_arn,
        "source_arn": facts.source_arn,
        "source_kind": facts.source_kind,
        "state": facts.state,
        "state_reason": facts.state_reason or None,
        "last_processing_result": facts.last_result or None,
        **_mapping_settings(facts),
        "last_modified": iso(facts.last_modified),
        "risks": list(row.risks),
        "age_s": plain(age_s),
    }


def _mapping_settings(facts: MappingFacts) -> Json:
    return {
        "batch_size": facts.batch_size,
        "batching_window_s": facts.batching_window_s,
        "parallelization_factor": facts.parallelization_factor,
        "max_concurrency": facts.max_concurrency,
        "max_retry_attempts": facts.max_retry_attempts,
        "max_record_age_s": facts.max_record_age_s,
        "bisect_on_error": facts.bisect_on_error,
        "partial_responses": facts.partial_responses,
        "on_failure_arn": facts.on_failure_arn,
        "filters": facts.filters,
        "starting_position": facts.starting_position,
    }


def _queue(row: QueueRow, age_s: float | None) -> Json:
    facts = row.facts
    return {
        "arn": facts.arn,
        "name": facts.name,
        "visible": facts.visible,
        "in_flight": facts.in_flight,
        "delayed": facts.delayed,
        "oldest_age_s": plain(row.oldest_age_s),
        "received": plain(row.received),
        "deleted": plain(row.deleted),
        "redelivery_ratio": plain(row.redelivery_ratio),
        "dlq_of": list(row.dlq_of),
        "dlq_arn": facts.dlq_arn,
        "max_receive_count": facts.max_receive_count,
        "visibility_timeout_s": facts.visibility_timeout_s,
        "retention_s": facts.retention_s,
        "trend_per_min": plain(row.trend_per_min),
        "age_s": plain(age_s),
    }


def _quota(quota: QuotaRow, age_s: float | None) -> Json:
    return {
        "name": quota.name,
        "code": quota.code,
        "scope": quota.scope,
        "used": plain(quota.used),
        "limit": plain(quota.limit),
        "headroom": plain(quota.headroom),
        "unit": quota.unit,
        "trend_per_min": plain(quota.trend_per_min),
        "exhausted_in_s": _forecast(quota.exhausted_in_s),
        "source": quota.source,
        "age_s": plain(age_s),
        "assumed": quota.assumed,
        "exhausted_range_s": [_forecast(s) for s in quota.exhausted_range_s or ()] or None,
        "confidence": quota.confidence or None,
        "consumers": [{"name": name, "amount": plain(amount)} for name, amount in quota.consumers],
        "stack": {kind: plain(amount) for kind, amount in quota.stack},
        "first_throttled": quota.first_throttled or None,
        "own": quota.own,
        "static": quota.fixed,
        "note": quota.note or None,
    }


def _forecast(seconds: float | None) -> float | None:
    """Return a forecast in whole minutes, in s; null for none and for no end."""
    found = plain(seconds)
    return None if found is None else minutes(found)


def _source(source: SourceRow, lost: str) -> Json:
    # A source that has not answered yet has nothing fresh to offer: stale, of unknown age.
    waiting = source.state == "starting"
    return {
        "name": source.name,
        "state": "stale" if waiting else source.state,
        "age_s": plain(source.age_s),
        "error": source.error or ("no answer yet" if waiting else lost or None),
        "action": source.action,
    }


def _gap(gap: Gap) -> Json:
    return {
        "source": gap.source,
        "action": gap.action,
        "target": gap.target,
        "targets": gap.targets,
        "reason": gap.reason,
    }


def _polling(polling: PollingStatus | None) -> Json | None:
    if polling is None:
        return None
    return {
        "mood": polling.spending,
        "why": polling.why or None,
        "discovery_s": plain(polling.discovery_s),
        "paces": {
            "trip_wire_s": plain(polling.wire_s),
            "detail_s": plain(polling.detail_s),
            "others_s": plain(polling.others_s),
            "queues_s": plain(polling.fixed_s),
        },
        "staleness": {
            "hot_s": plain(polling.hot_s),
            "mover_s": plain(polling.mover_s),
            "cold_s": plain(polling.cold_s),
        },
        "calls_per_min": plain(polling.calls_per_min),
        "usd_per_hour_planned": plain(polling.usd_per_hour),
        "full_detail_usd": plain(polling.full_usd),
        "slowed": polling.slowed or None,
        "note": polling.note or None,
    }


def _spend(spend: Spend) -> Json:
    return {
        "api_calls": dict(sorted(spend.calls)),
        "usd": plain(spend.usd),
        "usd_per_hour": plain(spend.usd_per_hour),
        "budget_usd_per_hour": plain(spend.budget_usd_per_hour),
        "usd_by_call": {name: plain(usd) for name, usd in spend.usd_by_call},
    }
