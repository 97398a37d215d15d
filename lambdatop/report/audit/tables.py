"""Write the tables of the audit report: findings, configuration, figures, own calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from lambdatop.domain.detectors.rules.risky_config import NAME as RISKY_CONFIG
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.plans.finding import SEVERITIES, Finding
from lambdatop.domain.sanitize import clean_line
from lambdatop.domain.sections import section
from lambdatop.domain.sources import FUNCTIONS, MAPPINGS, QUEUES
from lambdatop.domain.state.snapshot import FunctionRow, MappingRow, QueueRow, Snapshot
from lambdatop.domain.units import plural
from lambdatop.report.text import not_known as unseen
from lambdatop.report.text import numbers
from lambdatop.report.text import snapshot as output
from lambdatop.report.text.table import Row, markdown_cell, markdown_table

CELL_MAX = 2000
"""Characters of one value; the rest is counted."""


def cell(text: str) -> str:
    """Return a value on one line, its secrets masked, without any Markdown markup."""
    return markdown_cell(plain(text))


def plain(text: str) -> str:
    """Return a value on one line, its secrets masked."""
    return redact(clean_line(text, CELL_MAX))[0]


def table(head: Row, rows: Iterable[Row], right: Sequence[int] = (), empty: str = "none") -> str:
    """Return a table of such values; `empty` where there are none."""
    body = [[plain(value) for value in row] for row in rows]
    return markdown_table(head, body, right) if body else cell(empty)


def sections(snapshot: Snapshot) -> Iterator[str]:
    """Yield every section, each with its heading; one that cannot be made says so instead."""
    parts = (
        ("Findings", _findings),
        ("Alarms", _alarms),
        ("Risky configuration", _risks),
        ("Functions", _functions),
        ("Event source mappings", _triggers),
        ("Queues", _queues),
        ("Quotas", _quotas),
        ("What lambdatop itself did", _calls),
    )
    for title, make in parts:
        yield section(title, partial(make, snapshot), partial(not_made, title))


def not_made(title: str, sentence: str) -> str:
    """Return what replaces a section that could not be made."""
    return f"## {title}\n\n{table(('NOT KNOWN',), [(sentence,)])}"


def _findings(snapshot: Snapshot) -> str:
    found = [f for f in snapshot.findings if f.detector != RISKY_CONFIG]
    counts = ", ".join(f"{sum(f.severity == s for f in found)} {s}" for s in reversed(SEVERITIES))
    head = ("SEVERITY", "DETECTOR", "TARGET", "SINCE", "WHAT", "EVIDENCE", "FORMULA", "SUGGESTS")
    rows = [_finding(f) for f in sorted(found, key=lambda f: -f.rank)]
    note = "risky configuration has a section of its own"
    return f"## Findings\n\n{counts}; {note}.\n\n{table(head, rows, (), unseen.no_findings(snapshot))}"


def _alarms(snapshot: Snapshot) -> str:
    made = output.alarms(snapshot)
    return f"## Alarms in state ALARM\n\n{table(made.head, made.rows, made.right, made.empty)}"


def _finding(f: Finding) -> Row:
    evidence = ", ".join(f"{name}={_value(value)}" for name, value in f.evidence)
    suggests = ", ".join(f.suggests) or numbers.UNKNOWN
    since = numbers.moment(f.since)
    target = f.target.arn or f.target.name
    return (f.severity, f.detector, target, since, f.title, evidence or numbers.UNKNOWN, f.formula, suggests)


def _value(value: float | int | str | None) -> str:
    return "not known" if value is None else value if isinstance(value, str) else numbers.number(value, 3)


def _risks(snapshot: Snapshot) -> str:
    rows = list(dict.fromkeys(_risk_rows(snapshot)))
    return (
        f"## Risky configuration\n\n{table(('KIND', 'TARGET', 'RISK', 'SINCE'), rows)}\n\n"
        f"{plural(snapshot.without_dlq, 'function')} of {len(snapshot.functions)} without a "
        "dead-letter queue of their own (an on-failure destination may stand in for it; where neither "
        "exists and asynchronous events arrive, it is a row above). Whether a runtime is still supported "
        "is not judged here.\n\n"
        + table(("RUNTIME", "FUNCTIONS"), [(name, str(n)) for name, n in snapshot.runtimes], (1,))
    )


def _risk_rows(snapshot: Snapshot) -> Iterator[Row]:
    """Yield rows of risk: findings first, then what mappings show by themselves, and what stands still."""
    told = set()
    for f in snapshot.findings:
        if f.detector == RISKY_CONFIG:
            for risk in [str(value) for name, value in f.evidence if name.startswith("risk_")]:
                told.add((f.target.key, risk))
                yield (f.target.key.kind, f.target.name, risk, numbers.moment(f.since))
    for m in snapshot.mappings:
        for risk in m.risks:
            if (m.facts.key, risk) not in told:
                name = m.facts.label
                yield ("mapping", name, risk, numbers.moment(m.facts.last_modified))
    for row in snapshot.functions:
        if row.reserved_known and row.reserved == 0:
            yield ("function", row.facts.name, "reserved concurrency 0: every invocation is throttled", "-")


_FUNCTION = (
    "FUNCTION", "RUNTIME", "MEMORY MB", "TIMEOUT", "RESERVED", "DLQ", "LAST MODIFIED",
    "INV/MIN", "ERR %", "THR/MIN", "P99", "CONC", "FINDINGS", "WORST", "AGE",
)  # fmt: skip


def _functions(snapshot: Snapshot) -> str:
    first = [f for f in snapshot.functions if f.stands_out]
    chosen = {f.key for f in first}
    rest = sorted((f for f in snapshot.functions if f.key not in chosen), key=lambda f: f.facts.name)
    right = (2, 3, 4, 7, 8, 9, 10, 11, 12, 14)
    hot, others = ([_function(f, snapshot) for f in rows] for rows in (first, rest))
    nothing = unseen.empty(snapshot, FUNCTIONS)
    if not snapshot.functions and nothing != "none":
        return f"## Functions\n\n{cell(nothing)}"
    return (
        f"## Functions\n\n{len(snapshot.functions)} in all; figures are of the last minutes that CloudWatch "
        "has, AGE says how old they are, a dash is not known.\n\n"
        f"### Hot, with findings, or throttled to zero: {len(first)}\n\n"
        f"{table(_FUNCTION, hot, right)}\n\n"
        f"### All others, by name: {len(rest)}\n\n{table(_FUNCTION, others, right)}"
    )


def _function(f: FunctionRow, snapshot: Snapshot) -> Row:
    known = "none" if f.reserved is None else numbers.number(f.reserved)
    reserved = known if f.reserved_known else "not known"
    return (
        f.facts.name,
        f.facts.runtime or f.facts.package_type,
        numbers.UNKNOWN if isinstance(f.facts.memory_mb, NotKnown) else str(f.facts.memory_mb),
        numbers.UNKNOWN if isinstance(f.facts.timeout_s, NotKnown) else f"{f.facts.timeout_s}s",
        reserved if f.reserved_known else numbers.UNKNOWN,
        f.facts.dlq_arn or "none",
        numbers.moment(f.facts.last_modified),
        numbers.number(f.invocations_per_min),
        numbers.percent(f.error_rate),
        numbers.number(f.throttles_per_min),
        numbers.millis(f.duration_p99_ms),
        numbers.number(f.concurrency_max),
        str(f.findings),
        f.worst or numbers.UNKNOWN,
        numbers.age(snapshot.age_s(f.as_of)),
    )


_MAPPING = (
    "FUNCTION", "SOURCE", "KIND", "STATE", "LAST RESULT", "BATCH", "MAX CONC", "RETRIES", "ON FAILURE",
    "PARTIAL RESPONSES", "RISKS", "UUID", "AGE",
)  # fmt: skip


def _triggers(snapshot: Snapshot) -> str:
    storms = output.storms(snapshot)
    rows = [_mapping(m, snapshot) for m in snapshot.mappings]
    nothing = unseen.empty(snapshot, MAPPINGS)
    return (
        f"## Event source mappings\n\n{table(_MAPPING, rows, (5, 6, 7, 10), nothing)}\n\n"
        f"## What happens to failed events\n\n"
        f"{table(storms.head, storms.rows, storms.right, storms.empty)}"
    )


def _mapping(m: MappingRow, snapshot: Snapshot) -> Row:
    facts = m.facts
    return (
        facts.function_name,
        facts.source_arn,
        facts.source_kind,
        " ".join(text for text in (facts.state, facts.state_reason) if text),
        facts.last_result or numbers.UNKNOWN,
        numbers.number(facts.batch_size),
        numbers.number(facts.max_concurrency),
        numbers.number(facts.max_retry_attempts),
        facts.on_failure_arn or "none",
        "yes" if facts.partial_responses else "no",
        str(len(m.risks)),
        facts.uuid,
        numbers.age(snapshot.age_s(m.as_of)),
    )


_QUEUE = (
    "QUEUE", "VISIBLE", "IN FLIGHT", "DELAYED", "OLDEST", "RECEIVED/DELETED", "TREND", "VISIBILITY",
    "MAX RECEIVES", "DLQ", "DLQ OF", "AGE",
)  # fmt: skip


def _queues(snapshot: Snapshot) -> str:
    rows = [_queue(q, snapshot) for q in snapshot.queues]
    nothing = unseen.empty(snapshot, QUEUES)
    return f"## Queues\n\n{table(_QUEUE, rows, (1, 2, 3, 4, 5, 6, 7, 8, 11), nothing)}"


def _queue(q: QueueRow, snapshot: Snapshot) -> Row:
    facts = q.facts
    return (
        facts.arn,
        numbers.number(facts.visible),
        numbers.number(facts.in_flight),
        numbers.number(facts.delayed),
        numbers.age(q.oldest_age_s),
        numbers.number(q.redelivery_ratio, 2),
        numbers.trend(q.trend_per_min),
        f"{facts.visibility_timeout_s}s",
        numbers.number(facts.max_receive_count),
        facts.dlq_arn or "none",
        ", ".join(q.dlq_of) or numbers.UNKNOWN,
        numbers.age(snapshot.age_s(q.as_of)),
    )


def _quotas(snapshot: Snapshot) -> str:
    made = output.quotas(snapshot)
    rows = [(*row, q.source) for row, q in zip(made.rows, snapshot.quotas, strict=True)]
    assumed = sum(q.assumed for q in snapshot.quotas)
    note = (
        f"{plural(assumed, 'limit')} with a tilde: AWS did not tell, the documented default is assumed.\n\n"
    )
    return (
        f"## Quotas\n\n{note if assumed else ''}{table((*made.head, 'FROM'), rows, made.right, made.empty)}"
    )


def _calls(snapshot: Snapshot) -> str:
    spend = snapshot.spend
    usd = dict(spend.usd_by_call)
    rows = [(name, str(n), f"{usd.get(name, 0.0):.5f}") for name, n in sorted(spend.calls)]
    return (
        f"## What lambdatop itself did\n\n{plural(spend.requests, 'request')} to AWS until this report, "
        f"repeats and the SDK's own included, at list price {spend.usd:.5f} USD. These are all that its "
        "session sent (asking an instance or a container for credentials is not an operation of AWS).\n\n"
        + table(("OPERATION", "REQUESTS", "USD"), rows, (1, 2))
    )
