"""Show hot functions, hottest first."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from operator import attrgetter
from typing import cast

from msgspec.structs import replace

from lambdatop.domain.cost.burn import AccountBurn
from lambdatop.domain.facts.not_read import or_none
from lambdatop.domain.keys import Key
from lambdatop.domain.state.snapshot import FunctionRow
from lambdatop.tui.frame import BAD, Frame
from lambdatop.tui.pages.cells import aged, cap, figure, iterator_age, level, timeout_level, timeout_share
from lambdatop.tui.pages.function import metrics_old
from lambdatop.tui.panes.spec import PaneSpec
from lambdatop.tui.panes.table_base import TablePane
from lambdatop.tui.selection import NOTHING, Selection
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import SEVERITY_SLOT, Spans, spans
from lambdatop.tui.style.theme import ON, TIMES, trend
from lambdatop.tui.widgets.charts import gauge, sparkline
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.rows import Rows

MARK = "+ "
HOTTEST_FIRST = "heat", True
"""How a snapshot orders its functions (`domain/snapshots/builder.py`)."""


def _heat(row: FunctionRow, frame: Frame, width: int) -> Spans:
    return figure(row.heat, f"{row.heat:.0f}", SEVERITY_SLOT.get(row.worst, ""))


def _bar(row: FunctionRow, frame: Frame, width: int) -> Spans:
    return gauge(row.heat / 100, width, SEVERITY_SLOT.get(row.worst, "") or "spark")


def _name(row: FunctionRow, frame: Frame, width: int) -> Spans:
    mark = (f"{ON} ", SEVERITY_SLOT[row.worst]) if row.worst in ("critical", "warning") else "  "
    return spans(mark, row.facts.name)


def _invocations(row: FunctionRow, frame: Frame, width: int) -> Spans:
    arrow = trend(row.invocations_trend)
    return figure(row.invocations_per_min, fmt.rate(row.invocations_per_min), after=arrow)


def _errors(row: FunctionRow, frame: Frame, width: int) -> Spans:
    slot = _error_slot(row, frame)
    return figure(row.errors_per_min, fmt.rate(row.errors_per_min), slot, trend(row.errors_trend))


def _error_rate(row: FunctionRow, frame: Frame, width: int) -> Spans:
    return figure(row.error_rate, fmt.percent(row.error_rate), _error_slot(row, frame))


def _error_slot(row: FunctionRow, frame: Frame) -> str:
    limits = frame.settings.detectors.error_rate
    return level(row.error_rate, limits.warning, limits.critical)


def _throttles(row: FunctionRow, frame: Frame, width: int) -> Spans:
    return figure(row.throttles_per_min, fmt.rate(row.throttles_per_min), "warning")


def _p99(row: FunctionRow, frame: Frame, width: int) -> Spans:
    limit = row.facts.longest_run_s * 1000
    share = row.duration_p99_ms / limit if row.duration_p99_ms is not None and limit else None
    return figure(
        row.duration_p99_ms,
        fmt.millis(row.duration_p99_ms),
        timeout_level(share, frame),
        trend(row.duration_trend),
    )


def _longest(row: FunctionRow, frame: Frame, width: int) -> Spans:
    known = or_none(row.facts.timeout_s)
    limit = fmt.UNKNOWN if known is None else known * 1000
    if row.duration_max_ms is None:
        return spans((f"{fmt.UNKNOWN}/{limit}", "faint"))
    slot = timeout_level(timeout_share(row), frame)
    return spans((f"{row.duration_max_ms:.0f}", slot), (f"/{limit}", slot or "faint"))


def _of_timeout(row: FunctionRow, frame: Frame, width: int) -> Spans:
    share = timeout_share(row)
    return figure(share, fmt.percent(share), timeout_level(share, frame))


def _cap(row: FunctionRow, frame: Frame, width: int) -> Spans:
    source = frame.source("concurrency")
    return cap(row, frame, known=source is None or source.state not in BAD)


def _spark(row: FunctionRow, frame: Frame, width: int) -> Spans:
    return _drawn(row.spark, width, row.errors_spark)


_drawn = lru_cache(maxsize=1_024)(sparkline)
"""Figures change between minutes, an hour of minutes does not: drawing it was a fifth of painting a row."""


def _iterator(row: FunctionRow, frame: Frame, width: int) -> Spans:
    return iterator_age(row)


def _amplification(row: FunctionRow, frame: Frame, width: int) -> Spans:
    if row.async_amplification is None:
        return ()
    return figure(row.async_amplification, fmt.ratio(row.async_amplification))


def _burn(row: FunctionRow, frame: Frame, width: int) -> Spans:
    value = row.burn_usd_per_hour
    text = fmt.UNKNOWN if value is None else f"{value:,.4f}" if value < 1 else f"{value:,.2f}"
    return figure(value, text)


def _age(row: FunctionRow, frame: Frame, width: int) -> Spans:
    return aged(frame.since(row.as_of))


COLUMNS: tuple[Column[FunctionRow], ...] = (
    Column(
        "heat",
        "heat",
        5,
        _heat,
        sort=attrgetter("heat"),
        help="0 to 100, where to look first: errors, throttles, nearness to timeout and cap, volume",
    ),
    Column("bar", "", 6, _bar, rank=7),
    Column(
        "name",
        "  function",
        22,
        _name,
        "left",
        flex=3,
        wish=28,
        sort=attrgetter("facts.key.id"),
        descending=False,
    ),
    Column("inv", "inv/min ", 8, _invocations, sort=attrgetter("invocations_per_min")),
    Column("err", "err/min ", 8, _errors, rank=3, sort=attrgetter("errors_per_min")),
    Column("rate", "err %", 6, _error_rate, sort=attrgetter("error_rate")),
    Column("thr", "thr/min", 7, _throttles, rank=2, sort=attrgetter("throttles_per_min")),
    Column("p99", "p99 ms ", 8, _p99, rank=1, sort=attrgetter("duration_p99_ms")),
    Column("max", "max/timeout ms", 14, _longest, rank=5, sort=attrgetter("duration_max_ms")),
    Column(
        "timeout",
        "tmo %",
        5,
        _of_timeout,
        rank=1,
        sort=timeout_share,
        help="longest duration as a share of the timeout",
    ),
    Column(
        "conc",
        "conc/cap",
        8,
        _cap,
        sort=attrgetter("concurrency_max"),
        help="concurrent executions against reserved concurrency; 0! is throttled to zero, - none",
    ),
    Column("spark", "last hour", 12, _spark, "left", rank=4, flex=2),
    Column("iter", "iter age", 8, _iterator, rank=9, sort=attrgetter("iterator_age_ms")),
    Column("async", f"async {TIMES}", 7, _amplification, rank=10, sort=attrgetter("async_amplification")),
    Column("burn", "≈ $/h", 8, _burn, rank=6, sort=attrgetter("burn_usd_per_hour")),
    Column("age", "age", 4, _age, rank=8),
)


def title_words(account: AccountBurn) -> Spans:
    """Return `≈ $12.40/h, wasted $3.10` for a title; nothing until something is known."""
    if account.usd_per_hour is None:
        return ()
    total = (f"  ≈ {fmt.usd(account.usd_per_hour)}/h", "muted")
    wasted = account.wasted_usd_per_hour
    if not wasted:
        return spans(total)
    bad = "warning" if wasted >= account.usd_per_hour / 2 else "muted"
    return spans(total, (f", wasted {fmt.usd(wasted)}", bad))


class FunctionsPane(TablePane[FunctionRow]):
    """Hot functions, some of them marked."""

    def __init__(self, spec: PaneSpec[FunctionRow]) -> None:
        super().__init__(spec)
        self.marked: tuple[Key, ...] = ()

    def columns(self) -> tuple[Column[FunctionRow], ...]:
        """Return the columns; names show which functions are marked."""
        return tuple(replace(c, cell=self._named) if c.id == "name" else c for c in COLUMNS)

    def _named(self, row: FunctionRow, frame: Frame, width: int) -> Spans:
        if row.key not in self.marked:
            return _name(row, frame, width)
        return spans((MARK, SEVERITY_SLOT.get(row.worst, "accent")), row.facts.name)

    def mark(self) -> bool:
        """Mark the function under the cursor, or take its mark away."""
        key = self.selection().function
        if key is not None:
            kept = tuple(k for k in self.marked if k != key)
            self.marked = kept if key in self.marked else (*kept, key)
            self.show(self.frame)
        return True

    def clear_marks(self) -> bool:
        """Take all marks away; False when there was none."""
        had, self.marked = bool(self.marked), ()
        self.show(self.frame)
        return had

    def logs_wanted(self, frame: Frame) -> tuple[tuple[Key, ...], Hashable]:
        """Return the logs of the marked functions, else of the one under the cursor."""
        return (self.marked, self.marked) if self.marked else super().logs_wanted(frame)

    def middle(self, shown: int, total: int, frame: Frame) -> Spans:
        """Return how many there are (so far), what they cost together, and how many are marked."""
        listed = frame.source("functions")
        so_far = (" so far", "muted") if total and (listed is None or listed.age_s is None) else ""
        marked = (f"  {len(self.marked)} marked", "accent") if self.marked else ""
        count = super().middle(shown, total, frame)
        return (*count, *spans(so_far), *title_words(frame.snapshot.burn), *spans(marked))

    def on_screen(self) -> frozenset[Key]:
        """Return functions whose rows can be seen; none while another pane stands in its place."""
        return frozenset(cast("list[Key]", self.table.visible_keys) if self.display else ())

    def extra_notes(self, frame: Frame) -> tuple[str, ...]:
        """Return why concurrency is old, which has a source of its own: only its column is greyed."""
        row = frame.source("concurrency")
        if row is None or row.state not in BAD:
            return ()
        action = f", allow {row.action}" if row.action else ""
        return (f"conc/cap: concurrency {row.state}{action}",)

    def ages(self, frame: Frame) -> Spans:
        """Return the ages of the two sources."""
        return self.source_ages(frame, "metrics", "functions")

    def selection(self) -> Selection:
        """Return the function under the cursor."""
        key = cast("Key | None", self.table.cursor_key)
        return Selection(function=key) if key else NOTHING


SPEC = PaneSpec(
    key="1",
    name="functions",
    title="hot functions",
    does="hot functions",
    place="left",
    share=3,
    widget=FunctionsPane,
    sources=("functions", "metrics"),
    what="functions",
    rows=lambda snapshot: Rows(snapshot.functions, attrgetter("facts.key"), HOTTEST_FIRST),
    columns=COLUMNS,
    sort="heat",
    text_of=lambda row: f"{row.facts.name} {row.facts.runtime} {row.facts.architecture} {row.worst}",
    is_stale=metrics_old,
    ranked=lambda row: row.heat > 0,
)
