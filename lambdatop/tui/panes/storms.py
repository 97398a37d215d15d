"""Pane 2: retry storms. Each row is one way in which work may come back, worst first."""

from __future__ import annotations

from collections.abc import Hashable

from lambdatop.domain.snapshot import StormRow
from lambdatop.tui import format as fmt
from lambdatop.tui.frame import Frame
from lambdatop.tui.glyphs import ARROW, BULLET, TIMES
from lambdatop.tui.ink import Span, Spans, spans
from lambdatop.tui.panes.cells import aged, figure, level
from lambdatop.tui.panes.table_pane import TablePane
from lambdatop.tui.targets import NOTHING, Selection, of_storm
from lambdatop.tui.widgets.columns import Column


def _way(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans(row.source_name, (f" {ARROW} ", "faint"), row.function.id)


def _kind(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans((row.source_kind, "muted"))


def _state(row: StormRow, frame: Frame, width: int) -> Spans:
    slot = {"Enabled": "", "Disabled": "muted"}.get(row.state, "warning")
    return spans((row.state, slot))


def _result(row: StormRow, frame: Frame, width: int) -> Spans:
    quiet = row.last_result in ("", "OK", "No records processed")
    return spans((row.last_result or fmt.UNKNOWN, "muted" if quiet else "warning"))


def _waiting(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.queue is None:
        return ()
    return figure(row.queue.facts.visible, fmt.number(row.queue.facts.visible))


def _in_flight(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.queue is None:
        return ()
    return figure(row.queue.facts.in_flight, fmt.number(row.queue.facts.in_flight))


def _redelivery(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.queue is None:
        return ()
    limits = frame.settings.detectors.sqs_redelivery
    value = row.queue.redelivery_ratio
    return figure(value, fmt.ratio(value), level(value, limits.warning_ratio, limits.critical_ratio))


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
    return figure(value, fmt.signed(value), level(value, 0.05, critical))


def _iterator(row: StormRow, frame: Frame, width: int) -> Spans:
    if row.iterator_age_ms is None:
        return ()
    return figure(row.iterator_age_ms, fmt.age(row.iterator_age_ms / 1000))


def _errors(row: StormRow, frame: Frame, width: int) -> Spans:
    limits = frame.settings.detectors.error_rate
    return figure(
        row.error_rate, fmt.percent(row.error_rate), level(row.error_rate, limits.warning, limits.critical)
    )


def _why(row: StormRow, frame: Frame, width: int) -> Spans:
    return spans((row.why, "muted"))


def _age(row: StormRow, frame: Frame, width: int) -> Spans:
    return aged(frame.age(row.queue.age_s if row.queue else row.age_s))


def _depth(row: StormRow) -> int | None:
    return row.queue.facts.visible if row.queue else None


COLUMNS: tuple[Column[StormRow], ...] = (
    Column("way", f"source {ARROW} function", 26, _way, "left", flex=2, sort=lambda r: r.source_name),
    Column("kind", "kind", 8, _kind, "left", rank=4),
    Column("state", "state", 9, _state, "left", sort=lambda r: r.state),
    Column("result", "last result", 13, _result, "left", rank=6, flex=1),
    Column("waiting", "waiting", 7, _waiting, rank=1, sort=_depth),
    Column("flight", "flight", 6, _in_flight, rank=2),
    Column(
        "redelivery",
        f"redel {TIMES}",
        7,
        _redelivery,
        sort=lambda r: r.queue.redelivery_ratio if r.queue else None,
    ),
    Column("dlq", "DLQ", 6, _dlq, sort=lambda r: r.dlq.facts.visible if r.dlq else None),
    Column("growth", "DLQ/min", 7, _dlq_growth, sort=lambda r: r.dlq.trend_per_min if r.dlq else None),
    Column("errors", "err %", 5, _errors, rank=5, sort=lambda r: r.error_rate),
    Column("iter", "iter age", 8, _iterator, rank=3, sort=lambda r: r.iterator_age_ms),
    Column("age", "age", 4, _age, rank=7),
    Column("why", "why", 20, _why, "left", rank=8, flex=4),
)


class StormsPane(TablePane[StormRow]):
    """Retry storms. Rows keep the order of their score until another column is chosen."""

    NUMBER, PANE, TITLE = 2, "storms", "retry storms"
    SOURCES = ("mappings", "queues")
    COLUMNS = COLUMNS
    WHAT = "event source mappings"

    def rows(self, frame: Frame) -> list[tuple[Hashable, StormRow]]:
        """All mappings."""
        return [(row.mapping, row) for row in frame.snapshot.storms]

    def text_of(self, row: StormRow) -> str:
        """What the filter looks at."""
        return (
            f"{row.source_name} {row.function.id} {row.source_kind} {row.state} {row.last_result} {row.why}"
        )

    def is_stale(self, row: StormRow, frame: Frame) -> bool:
        """Whether the mapping, or its queue, has not been read for long."""
        queue = row.queue.age_s if row.queue else None
        return frame.is_stale(row.age_s, "mappings") or frame.is_stale(queue, "queues")

    def means_something(self, row: StormRow) -> bool:
        """There is an order once something scores."""
        return row.score > 0

    def detail(self, frame: Frame) -> Spans:
        """Why it is here, and which settings make it worse."""
        row = self.table.cursor_row
        if row is None or not (row.why or row.risks):
            return ()
        pieces = [Span(f"{row.source_name}: ", "muted"), Span(row.why or "quiet")]
        for risk in row.risks:
            pieces += [Span(f"  {BULLET} ", "faint"), Span(risk, "warning" if row.score > 0 else "muted")]
        return tuple(pieces)

    def selection(self) -> Selection:
        """The mapping under the cursor, and its function."""
        row = self.table.cursor_row
        return of_storm(row) if row else NOTHING
