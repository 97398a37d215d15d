"""Pane 3: quota headroom."""

from __future__ import annotations

from collections.abc import Hashable

from lambdatop.domain.snapshot import QuotaRow
from lambdatop.tui import format as fmt
from lambdatop.tui.frame import Frame
from lambdatop.tui.ink import Spans, spans
from lambdatop.tui.panes.cells import aged, figure, level
from lambdatop.tui.panes.table_pane import TablePane
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.trend import gauge

NEAR, AT = 0.8, 0.95


def _share(row: QuotaRow) -> float | None:
    return row.used / row.limit if row.limit else None


def amount(value: float, unit: str) -> str:
    """A quantity in the quota's unit."""
    return fmt.size(value) if unit == "bytes" else fmt.number(value)


def _name(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return spans(row.name)


def _used(row: QuotaRow, frame: Frame, width: int) -> Spans:
    slot = level(_share(row), NEAR, AT)
    return spans((amount(row.used, row.unit), slot), (f" / {amount(row.limit, row.unit)}", "muted"))


def _bar(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return gauge(_share(row), width, level(_share(row), NEAR, AT) or "spark")


def _percent(row: QuotaRow, frame: Frame, width: int) -> Spans:
    share = _share(row)
    return figure(share, fmt.percent(share), level(share, NEAR, AT))


def _free(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return figure(row.headroom, amount(row.headroom, row.unit))


def _trend(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return figure(row.trend_per_min, fmt.signed(row.trend_per_min)) if row.trend_per_min else ()


def _full_in(row: QuotaRow, frame: Frame, width: int) -> Spans:
    if row.exhausted_in_s is None:
        return ()
    soon = row.exhausted_in_s < 3600
    return spans((fmt.age(row.exhausted_in_s), "critical" if soon else "warning"))


def _age(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return aged(frame.age(row.age_s))


COLUMNS: tuple[Column[QuotaRow], ...] = (
    Column("name", "quota", 22, _name, "left", flex=3),
    Column("used", "used / limit", 19, _used),
    Column("bar", "", 8, _bar, "left", rank=1, flex=2),
    Column("share", "%", 4, _percent, sort=_share),
    Column("free", "free", 9, _free, rank=3),
    Column("trend", "/min", 6, _trend, rank=4),
    Column("full", "full in", 7, _full_in, rank=2),
    Column("age", "age", 4, _age, rank=5),
)


class QuotasPane(TablePane[QuotaRow]):
    """Quota headroom."""

    NUMBER, PANE, TITLE = 3, "quotas", "quota headroom"
    SOURCES = ("account",)
    COLUMNS = COLUMNS
    WHAT = "quotas"

    def rows(self, frame: Frame) -> list[tuple[Hashable, QuotaRow]]:
        """All quotas."""
        return [((row.scope, row.name), row) for row in frame.snapshot.quotas]

    def text_of(self, row: QuotaRow) -> str:
        """What the filter looks at."""
        return f"{row.name} {row.scope} {row.source} {row.note}"

    def is_stale(self, row: QuotaRow, frame: Frame) -> bool:
        """Whether it has not been read for long."""
        return frame.is_stale(row.age_s, "account")

    def detail(self, frame: Frame) -> Spans:
        """Where the number comes from."""
        row = self.table.cursor_row
        if row is None:
            return ()
        note = f"{row.note}, " if row.note else ""
        return spans((f"{row.name}: {note}from {row.source}", "muted"))
