"""Quota headroom."""

from __future__ import annotations

import math
from operator import attrgetter

from lambdatop.domain.state.snapshot import QuotaRow, Snapshot
from lambdatop.domain.units import about_age
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.cells import aged, figure, limit_level
from lambdatop.tui.panes.spec import PaneSpec
from lambdatop.tui.panes.table_base import TablePane
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, spans
from lambdatop.tui.widgets.charts import gauge
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.rows import Rows

LATER = 4.0
"""A limit that may be reached within this multiple of `critical_left_s` is a warning."""
NAMED = 3
ASSUMED = "~"
"""Before a limit that is documented, not read."""


NOT_KNOWN = "not known"


def amount(value: float | None, unit: str) -> str:
    """Return a quantity in the quota's unit."""
    if value is None:
        return NOT_KNOWN
    return fmt.size(value) if unit == "bytes" else fmt.number(value)


def _share(row: QuotaRow) -> float:
    return -1.0 if row.share is None else row.share


def _slot(row: QuotaRow, frame: Frame) -> str:
    """Return the severity of a share; a static limit or an owner's own cap warns at most."""
    slot = limit_level(row.share or 0.0, frame)
    return "warning" if slot and (row.own or row.fixed) else slot


def _name(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return spans(row.name)


def _used(row: QuotaRow, frame: Frame, width: int) -> Spans:
    mark = ASSUMED if row.assumed else ""
    limit = f" / {mark}{amount(row.limit, row.unit)}"
    return spans((amount(row.used, row.unit), _slot(row, frame)), (limit, "muted"))


def _bar(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return () if row.share is None else gauge(row.share, width, _slot(row, frame) or "spark")


def _percent(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return figure(row.share, fmt.percent(row.share), _slot(row, frame))


def _free(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return figure(row.headroom, amount(row.headroom, row.unit))


def _trend(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return figure(row.trend_per_min, fmt.signed(row.trend_per_min)) if row.trend_per_min else ()


def _full_in(row: QuotaRow, frame: Frame, width: int) -> Spans:
    """Return the range of the time to exhaustion; dimmed where the trend is not reliable."""
    if row.exhausted_range_s is None:
        return ()
    if (row.headroom or 0.0) <= 0:
        return spans(("full", _slot(row, frame)))
    soonest, soon_s = row.exhausted_range_s[0], frame.settings.detectors.quota_headroom.critical_left_s
    slot = "critical" if soonest < soon_s else "warning" if soonest < LATER * soon_s else ""
    slot = "warning" if slot and (row.own or row.fixed) else slot
    return spans((until(row.exhausted_range_s), "faint" if row.confidence == "low" else slot))


def until(range_s: tuple[float, float]) -> str:
    """Return a range of times: `12m` to `40m` as one word, `>12m` where it has no end."""
    soonest = about_age(range_s[0])
    if not math.isfinite(range_s[1]):
        return f">{soonest.removeprefix('<')}"
    latest = about_age(range_s[1])
    if soonest == latest:
        return soonest
    return f"{soonest[:-1] if soonest[-1] == latest[-1] else soonest}{fmt.UNKNOWN}{latest}"


def _age(row: QuotaRow, frame: Frame, width: int) -> Spans:
    return aged(frame.since(row.as_of))


def _taken(row: QuotaRow, frame: Frame, width: int) -> Spans:
    """Return who takes most of it."""
    first = row.consumers[:1]
    return spans(*((f"{name} {amount(value, row.unit)}", "muted") for name, value in first))


COLUMNS: tuple[Column[QuotaRow], ...] = (
    Column("name", "quota", 22, _name, "left", flex=3, wish=30),
    Column("used", "used / limit", 19, _used),
    Column("bar", "", 8, _bar, "left", rank=2, flex=2),
    Column("share", "%", 4, _percent, sort=_share),
    Column("free", "free", 9, _free, rank=3),
    Column("trend", "/min", 6, _trend, rank=4),
    Column("full", "full in", 7, _full_in, rank=1),
    Column("taken", "most of it", 22, _taken, "left", rank=6, flex=2),
    Column("age", "age", 4, _age, rank=5),
)


def source_of(row: QuotaRow) -> str:
    """Return the collector whose pace a row's age is measured by."""
    slow = {"queue": "queues", "stream": "mappings", "vpc": "functions"}
    if row.scope == "function":
        return "functions" if row.fixed else "metrics"
    return slow.get(row.scope, "metrics" if row.scope == "mapping" else "account")


def about(row: QuotaRow) -> Spans:
    """Return one line about a row, the most important first, because a narrow screen cuts the end."""
    pieces: list[tuple[str, str]] = [(f"{row.unit}: ", "muted")]
    parts = row.stack if len(row.stack) > 1 else ()
    if parts:
        pieces += [(" + ".join(f"{kind} {amount(v, row.unit)}" for kind, v in parts), ""), ("  ", "")]
    if row.consumers:
        names = ", ".join(f"{name} {amount(v, row.unit)}" for name, v in row.consumers[:NAMED])
        pieces += [("most: ", "muted"), (names, ""), ("  ", "")]
    if row.exhausted_range_s is not None and (row.headroom or 0.0) > 0:
        pieces += [(f"full in {until(row.exhausted_range_s)} ({row.confidence} confidence)", ""), ("  ", "")]
    elif row.trend_per_min is not None and (row.headroom or 0.0) > 0:
        pieces += [("not growing  ", "muted")]
    if row.first_throttled:
        pieces += [("refused first: ", "muted"), (row.first_throttled, ""), ("  ", "")]
    source = f"from {row.source}"
    pieces += [(f"{row.note}; {source}" if row.note else source, "muted")]
    return tuple(Span(*piece) for piece in pieces if piece[0])


def _counted(snapshot: Snapshot) -> Spans:
    """Return how many limits are not known."""
    assumed = sum(row.assumed for row in snapshot.quotas)
    return spans((f"  {ASSUMED} {assumed} assumed", "muted")) if assumed else ()


SPEC = PaneSpec(
    key="3",
    name="quotas",
    title="quota headroom",
    does="quota headroom",
    place="right",
    share=2,
    widget=TablePane,
    sources=("account",),
    what="quotas",
    rows=lambda snapshot: Rows(snapshot.quotas, attrgetter("scope", "name")),
    columns=COLUMNS,
    text_of=lambda row: f"{row.name} {row.scope} {row.source} {row.note}",
    is_stale=lambda row, frame: frame.is_stale(frame.since(row.as_of), source_of(row)),
    counted=_counted,
    detail=lambda row, frame: about(row),
)
