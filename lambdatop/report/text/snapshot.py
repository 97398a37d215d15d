"""Write snapshots, journal and plans as plain text. Pure: values in, text out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from lambdatop.domain.facts.not_read import NotKnown, lost_reads
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.sections import section
from lambdatop.domain.sources import ACCOUNT, ALARMS, FUNCTIONS, MAPPINGS, TRIGGERS
from lambdatop.domain.state.snapshot import FunctionRow, QuotaRow, Snapshot, SourceRow, StormRow, Target
from lambdatop.report.text import not_known
from lambdatop.report.text import numbers as figures
from lambdatop.report.text.table import Row, text_table


class Section(NamedTuple):
    """One table with its title; `right` are the columns with numbers, `empty` stands for no rows."""

    title: str
    head: Row
    rows: Sequence[Row]
    right: Sequence[int] = ()
    empty: str = "none"


def snapshot_text(snapshot: Snapshot) -> str:
    """Return the whole snapshot, the worst first, sections below each other; an empty one says so."""
    where = ", ".join(_target(t) for t in snapshot.targets) or "no target"
    blocks = [f"lambdatop {snapshot.version}, {snapshot.mode}, {figures.moment(snapshot.at)}: {where}"]
    for part in snapshot_sections(snapshot):
        table = text_table(part.head, part.rows, part.right) if part.rows else part.empty
        blocks.append(f"{part.title.upper()}\n{table}")
    return "\n\n".join(blocks)


def _target(target: Target) -> str:
    parts = [target.alias, str(target.scope), target.identity, target.endpoint, target.notice]
    return " ".join(part for part in parts if part)


def snapshot_sections(snapshot: Snapshot) -> tuple[Section, ...]:
    """Return findings, alarms, storms, functions, quotas, sources, missing reads, spend.

    A section that cannot be made says so instead.
    """
    parts: tuple[tuple[str, Callable[[Snapshot], Section]], ...] = (
        ("Findings", findings),
        ("Alarms", alarms),
        ("Retry storms", storms),
        ("Functions", functions),
        ("Quotas", quotas),
        ("Sources", sources),
        ("Not seen", not_seen),
        ("Own API spend", lambda s: Section("Own API spend", _SPEND, [_spend(s)], (0, 1, 2, 3))),
    )
    return tuple(section(title, partial(make, snapshot), partial(_not_made, title)) for title, make in parts)


def _not_made(title: str, sentence: str) -> Section:
    return Section(title, ("NOT KNOWN",), [(sentence,)])


def findings(snapshot: Snapshot) -> Section:
    """Return what is wrong, causes before what they explain."""
    causes = {incident.key for incident in snapshot.incidents}
    found = [_finding(f, not causes or f.identity in causes) for f in snapshot.findings]
    return Section("Findings", _FINDING, found, empty=not_known.no_findings(snapshot))


def sources(snapshot: Snapshot) -> Section:
    """Return the state of each source, with its failed reads."""
    rows = [_source(s, lost_reads(s.name, snapshot.gaps)) for s in snapshot.sources]
    return Section("Sources", _SOURCE, rows, (2,))


def not_seen(snapshot: Snapshot) -> Section:
    """Return reads that brought nothing, and what was not asked."""
    return Section(
        "Not seen", not_known.HEAD, not_known.rows(snapshot), empty="nothing that is known to be missing"
    )


def functions(snapshot: Snapshot) -> Section:
    """Return every function."""
    rows = [_function(f, snapshot.age_s(f.as_of)) for f in snapshot.functions]
    return Section("Functions", _FUNCTION, rows, tuple(range(1, 11)), not_known.empty(snapshot, FUNCTIONS))


_FINDING = ("SEVERITY", "DETECTOR", "TARGET", "SINCE", "WHAT", "SUGGESTS")


def _finding(f: Finding, is_cause: bool) -> Row:
    """Return the row of a cause, or indented below it of what it explains."""
    title = f.title if is_cause else f"  {f.title}"
    suggests = ", ".join(f.suggests) or figures.UNKNOWN
    return (f.severity, f.detector, f.target.name, figures.moment(f.since), title, suggests)


_ALARM = ("ALARM", "SINCE", "OF", "METRIC", "ACTIONS", "FAULTS", "REASON")


def alarms(snapshot: Snapshot) -> Section:
    """Return CloudWatch alarms that are in ALARM."""
    rows = [
        (
            alarm.key.id,
            figures.moment(alarm.since),
            alarm.function.id if alarm.function else figures.UNKNOWN,
            " ".join(part for part in (alarm.namespace, alarm.metric) if part) or figures.UNKNOWN,
            figures.UNKNOWN if alarm.actions is None else ", ".join(alarm.actions) or "none",
            "; ".join(alarm.faults) or figures.UNKNOWN,
            alarm.reason or figures.UNKNOWN,
        )
        for alarm in snapshot.alarms
    ]
    return Section("Alarms in state ALARM", _ALARM, rows, (), not_known.empty(snapshot, ALARMS))


def storms(snapshot: Snapshot) -> Section:
    """Return every way in which work may repeat."""
    rows = [_storm(s) for s in snapshot.storms]
    return Section(
        "Retry storms",
        _STORM,
        rows,
        (4, 5, 6, 7, 8, 9, 10),
        not_known.empty(snapshot, MAPPINGS, TRIGGERS),
    )


_STORM = (
    "SOURCE",
    "FUNCTION",
    "TYPE",
    "STATE",
    "ATTEMPTS/EVENT",
    "WASTED/MIN",
    "WASTED USD/H",
    "VISIBLE",
    "IN FLIGHT",
    "DLQ",
    "DLQ TREND",
    "ON FAILURE",
)


def _storm(s: StormRow) -> Row:
    queue, dlq = s.queue, s.dlq
    return (
        f"{s.source_kind}:{s.source_name}",
        s.function_name,
        s.invocation,
        s.state or figures.UNKNOWN,
        figures.UNKNOWN if s.amplification is None else f"{s.amplification:.2f}x",
        figures.number(s.wasted_per_min),
        figures.UNKNOWN if s.wasted_usd_per_hour is None else f"{s.wasted_usd_per_hour:.4f}",
        figures.number(queue.facts.visible if queue else None),
        figures.number(queue.facts.in_flight if queue else None),
        figures.number(dlq.facts.visible + dlq.facts.in_flight if dlq else None),
        figures.trend(dlq.trend_per_min if dlq else None),
        s.failure_path or figures.UNKNOWN,
    )


_FUNCTION = (
    "FUNCTION",
    "HEAT",
    "INV/MIN",
    "ERR/MIN",
    "ERR %",
    "THR/MIN",
    "P99",
    "MAX",
    "TIMEOUT",
    "CONC",
    "RESERVED",
    "AGE",
    "WORST",
)


def _function(f: FunctionRow, age_s: float | None) -> Row:
    known = "none" if f.reserved is None else figures.number(f.reserved)
    reserved = known if f.reserved_known else "not known"
    return (
        f.facts.name,
        figures.number(f.heat, 0),
        figures.number(f.invocations_per_min),
        figures.number(f.errors_per_min),
        figures.percent(f.error_rate),
        figures.number(f.throttles_per_min),
        figures.millis(f.duration_p99_ms),
        figures.millis(f.duration_max_ms),
        figures.UNKNOWN if isinstance(f.facts.timeout_s, NotKnown) else f"{f.facts.timeout_s}s",
        figures.number(f.concurrency_max),
        reserved if f.reserved_known else figures.UNKNOWN,
        figures.age(age_s),
        f.worst or figures.UNKNOWN,
    )


def quotas(snapshot: Snapshot) -> Section:
    """Return every quota; an assumed limit (AWS returned none) has a tilde."""
    rows = [_quota(q, snapshot.age_s(q.as_of)) for q in snapshot.quotas]
    return Section("Quotas", _QUOTA, rows, (2, 3, 4, 5), not_known.empty(snapshot, ACCOUNT))


_QUOTA = ("QUOTA", "SCOPE", "USED", "LIMIT", "HEADROOM", "TREND", "FULL IN", "UNIT", "AGE")


def _quota(q: QuotaRow, age_s: float | None) -> Row:
    used = "not known" if q.used is None else figures.number(q.used)
    limit, left = figures.number(q.limit), figures.number(q.headroom)
    limit = f"~{limit}" if q.assumed else limit
    trend, full = figures.trend(q.trend_per_min), figures.range_of(q.exhausted_range_s, q.confidence)
    return (q.name, q.scope, used, limit, left, trend, full, q.unit, figures.age(age_s))


_SOURCE = ("SOURCE", "STATE", "AGE", "ERROR")


def _source(s: SourceRow, lost: str) -> Row:
    state = f"ok, {lost}" if s.state == "ok" and lost else s.state
    return (s.name, state, figures.age(s.age_s), s.error or figures.UNKNOWN)


_SPEND = ("CALLS", "USD", "USD/H", "BUDGET USD/H")


def _spend(snapshot: Snapshot) -> Row:
    spend = snapshot.spend
    usd, budget = f"{spend.usd:.5f}", f"{spend.budget_usd_per_hour:.2f}"
    return (str(spend.requests), usd, f"{spend.usd_per_hour:.3f}", budget)


def journal_text(entries: Iterable[Entry]) -> str:
    """Return the journal, oldest first."""
    head = ("ID", "AT", "MITIGATION", "TARGET", "BEFORE", "AFTER", "OUTCOME", "UNDO", "DETAIL")
    rows = [
        (
            e.id,
            figures.moment(e.at),
            e.mitigation,
            f"{e.target.scope}/{e.label or e.target.id}",
            state(e.before),
            state(e.after),
            e.outcome,
            "yes" if e.can_undo else "no",
            e.detail or figures.UNKNOWN,
        )
        for e in entries
    ]
    return text_table(head, rows)


def state(fields: Mapping[str, Any] | None) -> str:
    """Return control fields as `reserved_concurrency=null`; null is what AWS leaves out."""
    if fields is None:
        return "not read"
    return " ".join(f"{name}={json.dumps(value)}" for name, value in fields.items()) or figures.UNKNOWN
