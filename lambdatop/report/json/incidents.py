"""Render findings, incidents and storms as the JSON of a snapshot. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lambdatop.domain.facts.function import AlarmFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Incident
from lambdatop.domain.state.snapshot import Snapshot, StormRow
from lambdatop.report.json.primitives import Json, finite, iso, plain, ref_json


def findings_json(snapshot: Snapshot) -> list[Json]:
    """Return every finding with its incident: the index in `incidents`, cause or symptom."""
    place = {f.identity: n for n, i in enumerate(snapshot.incidents) for f in i.findings}
    causes = {i.cause.identity for i in snapshot.incidents}
    return [
        {
            **_finding(finding),
            "incident": place.get(finding.identity),
            "role": "cause" if finding.identity in causes else "symptom",
        }
        for finding in snapshot.findings
    ]


def incidents_json(incidents: Iterable[Incident]) -> list[Json]:
    """Return the incidents, worst first."""
    return [
        {
            "id": incident_id(incident),
            "cause": {"detector": incident.cause.detector, "target": ref_json(incident.cause.target)},
            "findings": [{"detector": f.detector, "target": ref_json(f.target)} for f in incident.findings],
            "suggests": list(incident.cause.suggests),
            "detector": incident.cause.detector,
            "target": incident.cause.target.name,
            "severity": incident.severity,
            "title": incident.cause.title,
            "since": iso(incident.since),
            "functions": [key.id for key in incident.functions],
            "symptoms": [f"{f.detector} {f.target.name}" for f in incident.symptoms],
        }
        for incident in incidents
    ]


def incident_id(incident: Incident) -> str:
    """Return an id that is the same in each round and each run, as long as the cause is the same."""
    detector, key = incident.key
    return f"{detector}:{key.scope}:{key.kind}:{key.id}"


def alarm_json(alarm: AlarmFacts, functions: Mapping[Key, str]) -> Json:
    """Return one alarm in ALARM; `functions` are the ARNs of those that were listed.

    `target` is the function that a dimension names, null for every other alarm.
    """
    key = alarm.function
    return {
        "name": alarm.key.id,
        "arn": alarm.arn or None,
        "state": "ALARM",
        "since": iso(alarm.since),
        "target": None if key is None else {"kind": key.kind, "arn": functions.get(key), "name": key.id},
        "actions": None if alarm.actions is None else list(alarm.actions),
        "faults": list(alarm.faults),
        "metric": alarm.metric or None,
        "namespace": alarm.namespace or None,
        "reason": alarm.reason or None,
    }


def storm_json(row: StormRow, age_s: float | None) -> Json:
    """Return one trigger: how it invokes, what becomes of a failed event, what is repeated for nothing."""
    return {
        "source": row.source_name,
        "source_kind": row.source_kind,
        "function": row.function.id,
        "qualifier": row.qualifier or None,
        "mapping": row.mapping.id if row.mapping else None,
        "state": row.state or None,
        "sources": list(row.sources),
        "invocation": row.invocation,
        "fate": row.failure_path or None,
        "amplification": plain(row.amplification),
        "trend": row.trend or None,
        "error_rate": plain(row.error_rate),
        "wasted_per_min": plain(row.wasted_per_min),
        "wasted_usd_per_hour": plain(row.wasted_usd_per_hour),
        "iterator_age_ms": plain(row.iterator_age_ms),
        "blocks": list(row.blocks),
        "why": row.why or None,
        "risks": list(row.risks),
        "age_s": plain(age_s),
        "caller": {"kind": row.caller.kind, "name": row.caller.id} if row.caller else None,
        "settings": row.settings or None,
    }


def _finding(finding: Finding) -> Json:
    return {
        "detector": finding.detector,
        "severity": finding.severity,
        "target": ref_json(finding.target),
        "title": finding.title,
        "since": iso(finding.since),
        "evidence": finite(dict(finding.evidence)),
        "suggests": list(finding.suggests),
        "suggests_for": (finding.remedy or finding.target.key).id,
        "formula": finding.formula or None,
    }
