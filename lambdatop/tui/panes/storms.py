"""Show retry storms: one row for each trigger that may repeat work, worst first."""

from __future__ import annotations

from operator import attrgetter

from lambdatop.domain.sources import LOOKED_UP
from lambdatop.domain.state.snapshot import StormRow
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.cells import aged, figure, iterator_age, level
from lambdatop.tui.panes.spec import PaneSpec
from lambdatop.tui.panes.table_base import TablePane
from lambdatop.tui.selection import of_storm
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, spans
from lambdatop.tui.style.theme import ARROW, BULLET, trend
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.rows import Rows


def _way(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans(row.source_name, (f" {ARROW} ", "faint"), row.function_name)


def _invocation(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans((row.invocation, "muted"))


def _kind(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans((row.source_kind, "muted"))


def _state(row: StormRow, frame: Frame, width: int) -> Spans:
    slot = "muted" if row.state in ("Enabled", "Disabled", "ENABLED", "RUNNING", "ACTIVE") else "warning"
    return spans((row.state, slot))


def _result(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.mapping is None:
        return ()
    quiet = row.last_result in ("", "OK", "No records processed")
    return spans((row.last_result or fmt.UNKNOWN, "muted" if quiet else "warning"))


def _amplification(row: StormRow, frame: Frame, width: int) -> Spans:
    """Return attempts per event with its trend; a stream has none: it repeats until the record is done."""
    detectors = frame.settings.detectors
    limits = detectors.sqs_redelivery if row.queue is not None else detectors.async_amplification
    value = row.amplification
    severity = level(value, limits.warning_ratio, limits.critical_ratio)
    return figure(value, fmt.ratio(value), severity, trend(row.trend))


def _wasted(row: StormRow, frame: Frame, width: int) -> Spans:
    value = row.wasted_per_min
    quiet = value is not None and value < QUIET
    return figure(0.0 if quiet else value, fmt.rate(value), "" if row.score < STORM else "warning")


def _usd(row: StormRow, frame: Frame, width: int) -> Spans:
    value = row.wasted_usd_per_hour
    return figure(value, fmt.usd(value), "muted")


def _failure_path_of(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans((row.failure_path or fmt.UNKNOWN, "" if row.score >= STORM else "muted"))


def _blocks(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans((", ".join(row.blocks), "warning"))


def _waiting(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.queue is None:
        return ()
    return figure(row.queue.facts.visible, fmt.number(row.queue.facts.visible))


def _in_flight(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.queue is None:
        return ()
    return figure(row.queue.facts.in_flight, fmt.number(row.queue.facts.in_flight))


def _dlq(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.dlq is None:
        return ()
    depth = row.dlq.facts.visible + row.dlq.facts.in_flight
    return figure(depth, fmt.number(depth), "warning")


def _dlq_growth(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.dlq is None:
        return ()
    value = row.dlq.trend_per_min
    critical = frame.settings.detectors.dlq_growth.critical_per_min
    return figure(value, fmt.signed(value), level(value, GROWS, critical))


def _iterator(row: StormRow, frame: Frame, width: int) -> Spans:
    return iterator_age(row)


def _errors(row: StormRow, frame: Frame, width: int) -> Spans:
    limits = frame.settings.detectors.error_rate
    return figure(
        row.error_rate, fmt.percent(row.error_rate), level(row.error_rate, limits.warning, limits.critical)
    )


def _why(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans((row.why, "muted"))


def _age(row: StormRow, frame: Frame, width: int) -> Spans:
    return aged(frame.since(row.queue.as_of if row.queue else row.as_of))


def _depth(row: StormRow) -> int | None:
    return row.queue.facts.visible if row.queue else None


GROWS = 0.05
"""Messages a minute by which a dead-letter queue visibly grows; `dlq_growth` has no such threshold."""
QUIET = 0.05
"""Wasted invocations a minute that are shown as none."""

STORM = 1.0
"""Score from which on a row is more than an occasional repeat."""

COLUMNS: tuple[Column[StormRow], ...] = (
    Column(
        "way", f"source {ARROW} function", 26, _way, "left", flex=4, wish=40, sort=lambda r: r.source_name
    ),
    Column("invocation", "invoked by", 11, _invocation, "left", rank=4, sort=lambda r: r.invocation),
    Column("state", "state", 8, _state, "left", rank=4, sort=lambda r: r.state),
    Column(
        "amp",
        "att/evt",
        7,
        _amplification,
        sort=lambda r: r.amplification,
        help="attempts per event, of the trigger; 1.0 is healthy",
    ),
    Column("wasted", "wasted/m", 8, _wasted, sort=lambda r: r.wasted_per_min),
    Column("usd", "USD/h", 8, _usd, rank=3, sort=lambda r: r.wasted_usd_per_hour),
    Column("errors", "err %", 5, _errors, sort=lambda r: r.error_rate),
    Column("waiting", "waiting", 7, _waiting, rank=2, sort=_depth),
    Column("flight", "flight", 6, _in_flight, rank=8),
    Column("dlq", "DLQ", 5, _dlq, rank=2, sort=lambda r: r.dlq.facts.visible if r.dlq else None),
    Column(
        "growth",
        "DLQ/min",
        7,
        _dlq_growth,
        rank=7,
        sort=lambda r: r.dlq.trend_per_min if r.dlq else None,
        help="growth of the dead-letter queue per minute",
    ),
    Column("iter", "iter age", 8, _iterator, rank=6, sort=lambda r: r.iterator_age_ms),
    Column("failure_path", "on failure", 24, _failure_path_of, "left", flex=3, wish=44),
    Column("blocks", "blocks", 14, _blocks, "left", rank=7, flex=1),
    Column("kind", "kind", 8, _kind, "left", rank=9),
    Column("result", "last result", 13, _result, "left", rank=9, flex=1),
    Column("age", "age", 4, _age, rank=10),
)


def _text_of(row: StormRow) -> str:
    names = " ".join((row.source_name, *row.sources, row.function_name))
    ways = f"{names} {row.source_kind} {row.invocation} {row.state} {row.settings}"
    return f"{ways} {row.last_result} {row.failure_path} {row.why}"


def _is_stale(row: StormRow, frame: Frame) -> bool:
    """Return whether the mapping, or its queue, has not been read for long."""
    queue = frame.since(row.queue.as_of) if row.queue else None
    if row.caller is not None:
        return frame.is_stale(frame.since(row.as_of), f"{row.caller.kind}s".replace(" ", "_"))
    return frame.is_stale(frame.since(row.as_of), "mappings") or frame.is_stale(queue, "queues")


def _detail(row: StormRow, frame: Frame) -> Spans:
    """Return why it is here, what becomes of a failed event, and which settings make it worse."""
    pieces = [
        Span(f"{row.source_name}: ", "muted"),
        Span(row.why or "quiet"),
        Span("; on failure: ", "muted"),
    ]
    pieces.append(Span(row.failure_path or fmt.UNKNOWN))
    if len(row.sources) > 1:
        pieces += [Span(f"  {BULLET} ", "faint"), Span(", ".join(row.sources), "muted")]
    if row.settings:
        pieces += [Span(f"  {BULLET} ", "faint"), Span(row.settings, "muted")]
    for name in row.blocks:
        pieces += [Span(f"  {BULLET} ", "faint"), Span(f"blocks {name}", "warning")]
    for risk in row.risks:
        pieces += [Span(f"  {BULLET} ", "faint"), Span(risk, "warning" if row.score > 0 else "muted")]
    return tuple(pieces)


# Rows keep the order of their score until another column is chosen.
SPEC = PaneSpec(
    key="2",
    name="storms",
    title="retry storms",
    does="retry storms",
    place="left",
    share=2,
    widget=TablePane,
    sources=("mappings", "queues"),
    besides=("triggers", *LOOKED_UP),
    what="triggers",
    rows=lambda snapshot: Rows(snapshot.storms, attrgetter("key")),
    columns=COLUMNS,
    text_of=_text_of,
    is_stale=_is_stale,
    ranked=lambda row: row.score > 0,
    detail=_detail,
    selection=of_storm,
)
