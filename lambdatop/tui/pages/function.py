"""Write one function in full as text: facts, figures with ages, findings, log, triggers, journal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from lambdatop.domain.facts.callers import NAMED, Looked, looked_words
from lambdatop.domain.facts.not_read import with_unit
from lambdatop.domain.facts.runtimes import deprecated
from lambdatop.domain.facts.triggers import EDGE
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.reader import Learned
from lambdatop.domain.sections import section
from lambdatop.domain.state.snapshot import FunctionRow, MappingRow, QueueRow, StormRow
from lambdatop.domain.units import span
from lambdatop.report.text.not_known import blind, callers, capacity_provider, no_mappings, no_metrics
from lambdatop.tui.frame import Frame
from lambdatop.tui.hotkeys import BY_ID
from lambdatop.tui.pages.cells import cap, level, timeout_level, timeout_share, titled
from lambdatop.tui.pages.confirm import change_words, in_reading_order, row
from lambdatop.tui.pages.console_links import trace_link
from lambdatop.tui.pages.finding import suggestion, value_text
from lambdatop.tui.pages.function_cost import burn_section
from lambdatop.tui.pages.function_log import log_section
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import SEVERITY_SLOT, SEVERITY_WORD, Span, Spans, clip, fit, spans
from lambdatop.tui.style.theme import ARROW, BULLET, TIMES
from lambdatop.tui.widgets.charts import sparkline

LATE = 2.0
"""A row that has missed so many of its slow reads is old."""


def metrics_old(row: FunctionRow, frame: Frame) -> bool:
    """Return whether its metrics are old, by the pace at which rows on screen are asked for now."""
    polling, age = frame.snapshot.polling, frame.since(row.as_of)
    if polling is None or polling.detail_s <= polling.wire_s:
        return frame.is_stale(age, "metrics")
    return age is not None and age > LATE * polling.detail_s


NUMBER = 12
EVIDENCE = 30
"""Cells before the value of a piece of evidence."""
COUNT = 10


def page(frame: Frame, key: Key, width: int, learned: Learned | None = None, failure: str = "") -> Spans:
    """Return the whole page; `learned` is what its log shows, `failure` what could not be read from it.

    A function that is gone says so.
    """
    snapshot = frame.snapshot
    function = next((f for f in snapshot.functions if f.key == key), None)
    if function is None:
        return spans((f"{key.id} is no longer in the list (or not yet).", "warning"))
    mappings = [m for m in snapshot.mappings if m.facts.function == key]
    queues = _queues(frame, mappings)
    about = {key, *(m.facts.key for m in mappings), *(q.facts.key for q in queues)}
    stale, none = metrics_old(function, frame), no_metrics(snapshot)
    tail = snapshot.logs.get(key)
    # Of the demo's emulator, or of another server, the console of AWS knows no trace.
    endpoint = next((t.endpoint for t in snapshot.targets if t.scope == key.scope), "")
    link = partial(trace_link, key.scope, endpoint=endpoint)
    rows = (s for s in snapshot.storms if s.function == key)
    pushed = [s for s in rows if s.mapping is None and s.caller is None]
    parts: tuple[tuple[str, Callable[[], Spans]], ...] = (
        ("its facts", lambda: _facts(function, frame, width)),
        ("its numbers", lambda: _numbers(function, frame, width)),
        ("its burn", lambda: burn_section(function, snapshot.burn, learned, width, none, stale=stale)),
        ("its findings", lambda: _findings(frame, about, width)),
        (
            "its log",
            lambda: log_section(tail, learned, frame.now, width, failure, link),
        ),
        ("its triggers", lambda: _triggers(mappings, frame, width)),
        ("who else invokes it", lambda: _pushed(pushed, frame, key, width)),
        ("its schedules, pipes and state machines", lambda: _callers(snapshot.looked_for(key), width)),
        ("its queues", lambda: _queue_lines(queues, frame, width)),
        ("its journal", lambda: _journal(frame, about)),
    )
    return tuple(piece for what, make in parts for piece in section(what, make, partial(_not_shown, width)))


def _not_shown(width: int, sentence: str) -> Spans:
    return (Span("\n"), *row("", sentence, width, "critical"))


def _facts(f: FunctionRow, frame: Frame, width: int) -> Spans:
    facts = f.facts
    pieces: list[Span] = [*row("arn", facts.arn, width, "muted")]
    runtime = (
        f"{facts.runtime or facts.package_type}  {facts.architecture}  {with_unit(facts.memory_mb, 'MB')}"
    )
    limits = f"timeout {with_unit(facts.timeout_s, 's')}  /tmp {facts.ephemeral_mb} MB"
    pieces += row("runtime", f"{runtime}  {limits}", width)
    ended = deprecated(facts.runtime, frame.now)
    if ended:
        later = "no security updates; AWS refuses updates of its code some time later"
        pieces += row("", f"runtime deprecated on {ended}: {later}", width, "warning")
    if facts.managed_instances:
        provider = capacity_provider(frame.snapshot, facts) if facts.capacity_provider else "not known"
        pieces += row("instances", f"capacity provider {facts.capacity_provider or '?'}: {provider}", width)
    if facts.replica_of:
        words = f"of {facts.replica_of}, for Lambda@Edge: it is changed and stopped there, not here"
        pieces += row("replica", words, width, "warning")
    if facts.per_tenant:
        words = "isolated: no execution environment serves two; limits and throttles hold for all together"
        pieces += row("tenants", words, width)
    if facts.durable:
        limit = facts.durable_timeout_s
        most = "" if limit is None else f", an execution takes {span(limit)} at most"
        pieces += row("durable", f"yes{most}; {BY_ID['executions'].shown} lists what runs", width)
    changed = fmt.moment(facts.last_modified)
    if facts.last_modified is not None:
        changed += f"  ({fmt.age(frame.now - facts.last_modified)} ago)"
    pieces += row("modified", f"{changed}  code {fmt.size(facts.code_size_bytes)}", width)
    pieces += row("log group", f"{facts.log_group}  ({facts.log_format})", width)
    pieces += row("async DLQ", facts.dlq_arn or "none", width, "" if facts.dlq_arn else "muted")
    return tuple(pieces)


def _durable_cells(f: FunctionRow) -> Iterator[tuple[str, str, str]]:
    """Yield the figures of a durable function's executions."""
    if f.durable is not None:
        did = f.durable
        yield "started/min", fmt.number(did.started), ""
        yield "failed/min", fmt.number(did.failed), "critical" if did.failed else ""
        yield "timed out/min", fmt.number(did.timed_out), "critical" if did.timed_out else ""
        yield "stopped/min", fmt.number(did.stopped), ""
        yield "operations/min", fmt.number(did.operations), ""
        yield "written/min", fmt.size(did.written_bytes), ""


def _numbers(f: FunctionRow, frame: Frame, width: int) -> Spans:
    age = frame.since(f.as_of)
    note = f"per minute, {fmt.age(age)} old" if age is not None else no_metrics(frame.snapshot)
    stale = metrics_old(f, frame)
    limits = frame.settings.detectors.error_rate
    error = level(f.error_rate, limits.warning, limits.critical)
    share = timeout_share(f)
    reserved = "not read" if not f.reserved_known else "none" if f.reserved is None else str(f.reserved)
    burn = fmt.usd_column(f.burn_usd_per_hour)
    iterator = fmt.age(None if f.iterator_age_ms is None else f.iterator_age_ms / 1000)
    cells = [
        ("invocations/min", fmt.number(f.invocations_per_min), ""),
        ("errors/min", fmt.number(f.errors_per_min), error),
        ("error rate %", fmt.percent(f.error_rate), error),
        ("throttles/min", fmt.number(f.throttles_per_min), "warning" if f.throttles_per_min else ""),
        ("p99 ms", fmt.millis(f.duration_p99_ms), ""),
        ("max ms", fmt.millis(f.duration_max_ms), timeout_level(share, frame)),
        ("max of timeout %", fmt.percent(share), timeout_level(share, frame)),
        ("concurrency", "".join(s.text for s in cap(f, frame)), ""),
        ("reserved", reserved, "critical" if f.reserved == 0 and f.reserved_known else ""),
        ("cold starts %", fmt.percent(f.cold_start_rate), ""),
        ("iterator age", iterator, ""),
        ("async attempts", fmt.ratio(f.async_amplification), ""),
        *_durable_cells(f),
        ("≈ burn $/h", burn, ""),
        ("heat", f"{f.heat:.0f}", SEVERITY_SLOT.get(f.worst, "")),
    ]
    pieces = titled("now", note)
    columns = max(1, min(3, width // 34))
    per_column = -(-len(cells) // columns)
    for line in range(per_column):
        for name, text, slot in cells[line::per_column]:
            pieces += [Span(f"{name:<17}", "muted")]
            pieces += fit(spans((text, "stale" if stale else slot)), NUMBER, "right")
            pieces.append(Span("   "))
        pieces.append(Span("\n"))
    chart = max(10, min(60, width - 30))
    pieces += [Span(f"{'invocations':<17} ", "muted"), *sparkline(f.spark, chart, f.errors_spark)]
    pieces += [Span("  last hour\n", "faint")]
    return tuple(pieces)


def _findings(frame: Frame, about: set[Key], width: int) -> Spans:
    found = [f for f in frame.snapshot.findings if f.target.key in about]
    alarms = [a for a in frame.snapshot.alarms if a.function in about]
    pieces = titled("findings")
    if not found and not alarms:
        unread = " in what was read, which is not everything" if blind(frame.snapshot, "info") else ""
        return (*pieces, Span(f"none{unread}\n", "muted"))
    for f in found:
        age = fmt.age(frame.now - f.since)
        pieces += [Span(f"{SEVERITY_WORD[f.severity]} ", SEVERITY_SLOT[f.severity]), Span(f.title)]
        pieces += [Span(f"  for {age}\n", "muted")]
        for name, value in f.evidence:
            text = value_text(name, value)
            number = fit(spans(text), NUMBER, "right")
            words = spans(clip(text, max(NUMBER, width - EVIDENCE)))
            pieces += [Span(f"     {name:<24} ", "muted"), *(words if isinstance(value, str) else number)]
            pieces.append(Span("\n"))
        keys = suggestion(f)
        if keys:
            pieces += [Span("     "), *keys, Span("\n")]
    for alarm in alarms:
        pieces += [Span("ALRM ", "warning"), Span(f"{alarm.key.id}: {alarm.reason}\n")]
    return tuple(pieces)


def _triggers(mappings: list[MappingRow], frame: Frame, width: int) -> Spans:
    pieces = titled("triggers", "event source mappings, then who else invokes it")
    if not mappings:
        none = no_mappings(frame.snapshot)
        return (*pieces, Span(f"{none}\n", "muted" if none == "none" else "warning"))
    for m in mappings:
        facts = m.facts
        state = "" if facts.state == "Enabled" else "warning"
        pieces += [
            Span(facts.source_name),
            Span(f" {ARROW} {facts.function_name}", "muted" if facts.qualifier else "faint"),
            Span(f"  {facts.source_kind}  ", "muted"),
        ]
        pieces += [Span(facts.state, state), Span(f"  {fmt.age(frame.since(m.as_of))} old\n", "faint")]
        settings = [f"batch {facts.batch_size}" if facts.batch_size else ""]
        settings += [f"max concurrency {facts.max_concurrency}" if facts.max_concurrency else ""]
        settings += ["reports failed items" if facts.partial_responses else "", facts.last_result]
        pieces += row("", "  ".join(s for s in (*settings, facts.uuid) if s), width, "muted")
        for risk in m.risks:
            pieces += row("", f"{BULLET} {risk}", width, "warning")
    return tuple(pieces)


def _pushed(rows: list[StormRow], frame: Frame, key: Key, width: int) -> Spans:
    """Return who else invokes it, what becomes of a failed event, and what of that was not read."""
    pieces: list[Span] = []
    unread = callers(frame.snapshot, key.id)
    if unread:
        pieces += row("", f"who else invokes it is not known in full ({unread})", width, "warning")
    for r in rows:
        pieces += [Span(", ".join(r.sources) or r.source_name), Span(f"  {r.invocation}\n", "muted")]
        pieces += row("", r.failure_path, width, "muted")
    if any(r.source_kind == "cloudfront" for r in rows):
        pieces += row("", EDGE.replace("NAME", key.id), width, "warning")
    return tuple(pieces)


def _callers(looks: tuple[Looked, ...], width: int) -> Spans:
    """Return the schedules, pipes and state machines that invoke it, and how completely they are known."""
    pieces: list[Span] = []
    found = [caller for look in looks for caller in look.callers]
    for c in found[:NAMED]:
        pieces += [Span(c.name), Span(f"  {c.invocation}  ", "muted")]
        pieces.append(Span(f"{c.settings}\n", "warning" if c.off else "muted"))
        pieces += row("", c.retries, width, "muted")
    if len(found) > NAMED:
        pieces += row("", f"and {len(found) - NAMED:,} more of these", width, "muted")
    known = all(look.at is not None and not look.missing for look in looks)
    pieces += row("", looked_words(looks), width, "muted" if known else "warning")
    return tuple(pieces)


def _queues(frame: Frame, mappings: list[MappingRow]) -> list[QueueRow]:
    known = {q.facts.key: q for q in frame.snapshot.queues}
    found: dict[Key, QueueRow] = {}
    for m in mappings:
        source = m.facts.source_queue
        queue = known.get(source) if source else None
        if queue is not None:
            found[queue.facts.key] = queue
            dlq = known.get(queue.facts.dlq) if queue.facts.dlq else None
            if dlq is not None:
                found[dlq.facts.key] = dlq
    return list(found.values())


def _queue_lines(queues: list[QueueRow], frame: Frame, width: int) -> Spans:
    if not queues:
        return ()
    limits = frame.settings.detectors.sqs_redelivery
    pieces = titled("queues", "counts are approximations of SQS")
    titles = ("waiting", "in flight", f"redel {TIMES}", "per min", "oldest", "age")
    name_width = max(14, min(36, width - len(titles) * COUNT))
    pieces.append(Span(" " * name_width))
    pieces += [Span(f"{t:>{COUNT}}", "muted") for t in titles]
    pieces.append(Span("\n"))
    for q in queues:
        name = q.facts.name + (" (DLQ)" if q.dlq_of else "")
        growing = (q.trend_per_min or 0) > 0 and bool(q.dlq_of)
        values = (
            (fmt.number(q.facts.visible), ""),
            (fmt.number(q.facts.in_flight), ""),
            (
                fmt.ratio(q.redelivery_ratio),
                level(q.redelivery_ratio, limits.warning_ratio, limits.critical_ratio),
            ),
            (fmt.signed(q.trend_per_min), "critical" if growing else ""),
            (fmt.age(q.oldest_age_s), ""),
            (fmt.age(frame.since(q.as_of)), "faint"),
        )
        pieces += fit(spans(name), name_width)
        for text, slot in values:
            pieces += fit(spans((text, slot)), COUNT, "right")
        pieces.append(Span("\n"))
    return tuple(pieces)


def _journal(frame: Frame, about: set[Key]) -> Spans:
    entries = [e for e in in_reading_order(frame.snapshot.journal) if e.target in about]
    if not entries:
        return ()
    pieces = titled("journal")
    for e in entries[:8]:
        slot = "critical" if e.outcome in ("open", "unknown") else "muted"
        pieces += [Span(f"{fmt.age(e.age_s(frame.now)):>4} ago  ", "muted"), Span(f"{e.outcome:<9}", slot)]
        pieces += [
            Span(f"{e.mitigation.replace('_', ' ')} {e.target.id}"),
            Span(f"  {change_words(e)}\n", "muted"),
        ]
    return tuple(pieces)
