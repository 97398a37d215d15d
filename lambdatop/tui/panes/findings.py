"""Pane 5: findings, worst first, then alarms in state ALARM. Also the strip of the narrow layout."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

from lambdatop.domain.finding import Finding
from lambdatop.domain.snapshot import Snapshot
from lambdatop.tui import format as fmt
from lambdatop.tui.frame import Frame
from lambdatop.tui.hotkeys import KEY_OF
from lambdatop.tui.ink import SEVERITY_SLOT, SEVERITY_WORD, Span, Spans, spans
from lambdatop.tui.panes.table_pane import TablePane
from lambdatop.tui.targets import NOTHING, Selection, of_finding
from lambdatop.tui.widgets.columns import Column


class Found(NamedTuple):
    """One line: a finding, or an alarm of CloudWatch."""

    key: Hashable
    word: str
    slot: str
    since: float | None
    title: str
    target: str
    finding: Finding | None
    selection: Selection


def found(snapshot: Snapshot) -> Iterator[Found]:
    """All lines."""
    for f in snapshot.findings:
        word, slot = SEVERITY_WORD[f.severity], SEVERITY_SLOT[f.severity]
        selection = of_finding(f, snapshot)
        yield Found(f.identity, word, slot, f.since, f.title, f.target.name, f, selection)
    for alarm in snapshot.alarms:
        title = f"{alarm.key.id}: {alarm.reason}" if alarm.reason else alarm.key.id
        target = alarm.function.id if alarm.function else alarm.metric
        selection = Selection(function=alarm.function) if alarm.function else NOTHING
        yield Found(alarm.key, "ALRM", "warning", alarm.since, title, target, None, selection)


def suggestion(finding: Finding) -> Spans:
    """`D disable trigger  T throttle to zero`: the suggested mitigations with their keys."""
    pieces: list[Span] = []
    for name in finding.suggests:
        key = KEY_OF.get(name)
        gap = [Span("  ")] if pieces else []
        words = name.replace("_", " ")
        pieces += [*gap, Span(f"{key} ", "accent"), Span(words)] if key else [*gap, Span(words, "muted")]
    return tuple(pieces)


def value_text(name: str, value: float | int | str | None) -> str:
    """One piece of evidence: the number in the unit that its name ends with."""
    if isinstance(value, str) or value is None:
        return value or fmt.UNKNOWN
    if name.endswith(("rate", "share")):
        return f"{fmt.percent(value)} %"
    return fmt.ratio(value) if name.endswith("ratio") else fmt.number(value)


def strip(frame: Frame, width: int, lines: int) -> tuple[Spans, ...]:
    """The worst findings, one line each, for screens that show one pane at a time."""
    rows = list(found(frame.snapshot))
    made = []
    for row in rows[:lines]:
        age = fmt.age(frame.now - row.since) if row.since is not None else ""
        keys = " ".join(KEY_OF[n] for n in row.finding.suggests if n in KEY_OF) if row.finding else ""
        pieces = spans((f"{row.word} ", row.slot), (f"{age:>4} ", "faint"))
        made.append((*pieces, *spans((f"{keys} " if keys else "", "accent"), row.title)))
    if not rows:
        words = "no findings" if frame.connected else "connecting…"
        made.append(spans((words, "muted")))
    return tuple(made)


def _severity(row: Found, frame: Frame, width: int) -> Spans:
    return spans((row.word, row.slot))


def _since(row: Found, frame: Frame, width: int) -> Spans:
    return spans((fmt.age(frame.now - row.since) if row.since is not None else fmt.UNKNOWN, "muted"))


def _title(row: Found, frame: Frame, width: int) -> Spans:
    return spans(row.title)


def _target(row: Found, frame: Frame, width: int) -> Spans:
    return spans((row.target, "muted"))


def _keys(row: Found, frame: Frame, width: int) -> Spans:
    names = row.finding.suggests if row.finding else ()
    return spans((" ".join(KEY_OF[n] for n in names if n in KEY_OF), "accent"))


RANK = {"CRIT": 3, "WARN": 2, "ALRM": 1, "INFO": 0}

COLUMNS: tuple[Column[Found], ...] = (
    Column("severity", "sev", 4, _severity, "left", sort=lambda r: RANK[r.word]),
    Column("since", "since", 5, _since, sort=lambda r: r.since),
    Column("keys", "keys", 5, _keys, "left", rank=1),
    Column("title", "finding", 24, _title, "left", flex=3, wish=50),
    Column("target", "target", 18, _target, "left", rank=6, sort=lambda r: r.target, descending=False),
)


class FindingsPane(TablePane[Found]):
    """Findings and alarms."""

    NUMBER, PANE, TITLE = 5, "findings", "findings"
    SOURCES = ()
    COLUMNS = COLUMNS
    WHAT = "findings"

    def rows(self, frame: Frame) -> list[tuple[Hashable, Found]]:
        """Findings, then alarms."""
        return [(row.key, row) for row in found(frame.snapshot)]

    def text_of(self, row: Found) -> str:
        """What the filter looks at."""
        name = row.finding.detector if row.finding else "alarm"
        return f"{row.word} {name} {row.title} {row.target}"

    def middle(self, shown: int, total: int, frame: Frame) -> Spans:
        """Counts by severity."""
        pieces = []
        for severity in ("critical", "warning", "info"):
            count = sum(f.severity == severity for f in frame.snapshot.findings)
            if count:
                pieces.append((f"{count} {severity} ", SEVERITY_SLOT[severity]))
        if frame.snapshot.alarms:
            pieces.append((fmt.plural(len(frame.snapshot.alarms), "alarm"), "warning"))
        return super().middle(shown, total, frame) if self.filter.active else spans(*pieces)

    def ages(self, frame: Frame) -> Spans:
        """Findings are as old as the snapshot."""
        return spans((f"evaluated {fmt.age(frame.lag_s)} ago", "muted")) if frame.connected else ()

    def extra_notes(self, frame: Frame) -> tuple[str, ...]:
        """Alarms have a source of their own."""
        row = frame.source("alarms")
        if row is None or row.state not in ("denied", "failed"):
            return ()
        action = f", allow {row.action}" if row.action else ""
        return (f"alarms {row.state}{action}",)

    def detail(self, frame: Frame) -> Spans:
        """Evidence and suggestions of the selected finding."""
        row = self.table.cursor_row
        if row is None:
            return ()
        if row.finding is None:
            return spans((row.title, "muted"))
        evidence = "  ".join(f"{n} {value_text(n, v)}" for n, v in row.finding.evidence)
        keys = suggestion(row.finding)
        gap = Span("  ") if keys else Span("")
        return (*spans(row.title), Span("\n"), *keys, gap, *spans((evidence, "muted")))

    def selection(self) -> Selection:
        """What the finding is about."""
        row = self.table.cursor_row
        return row.selection if row else NOTHING
