"""Show incidents, worst first, then alarms in state ALARM. Also makes the strip of the narrow layout."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Incident
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.report.text.not_known import blind
from lambdatop.tui.frame import Frame
from lambdatop.tui.hotkeys import KEY_OF
from lambdatop.tui.pages.finding import suggestion, value_text
from lambdatop.tui.panes.base import NOT_ALL
from lambdatop.tui.panes.spec import PaneSpec
from lambdatop.tui.panes.table_base import TablePane
from lambdatop.tui.selection import NOTHING, Selection, logs_of, of_finding
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import SEVERITY_SLOT, SEVERITY_WORD, Span, Spans, spans
from lambdatop.tui.style.theme import CORNER
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.rows import Rows

RANK = {"CRIT": 3, "WARN": 2, "ALRM": 1, "INFO": 0}


class Found(NamedTuple):
    """One line: an incident by its cause, a symptom of the incident above, or an alarm of CloudWatch.

    `order` is the incident's severity, beginning (s since the epoch) and target, so that whatever orders
    the lines, symptoms stay below their cause. `more` counts symptoms that are folded away.
    """

    key: Hashable
    word: str
    slot: str
    since: float | None
    title: str
    target: str
    finding: Finding | None
    selection: Selection
    order: tuple[int, float | None, str]
    text: str
    more: int = 0
    symptom: bool = False


def found(snapshot: Snapshot, opened: Container[Hashable] = ()) -> Iterator[Found]:
    """Yield all lines: symptoms only of the incidents in `opened`."""
    for incident in snapshot.incidents:
        yield from _incident(incident, snapshot, incident.key in opened)
    for alarm in snapshot.alarms:
        title = f"{alarm.key.id}: {alarm.reason}" if alarm.reason else alarm.key.id
        target = alarm.function.id if alarm.function else alarm.metric
        selection = Selection(function=alarm.function) if alarm.function else NOTHING
        order = (RANK["ALRM"], alarm.since, target)
        text = f"ALRM alarm {title} {target}"
        yield Found(alarm.key, "ALRM", "warning", alarm.since, title, target, None, selection, order, text)


def _incident(incident: Incident, snapshot: Snapshot, opened: bool) -> Iterator[Found]:
    text = " ".join(
        f"{SEVERITY_WORD[f.severity]} {f.detector} {f.title} {f.target.name}" for f in incident.findings
    )
    order = (RANK[SEVERITY_WORD[incident.severity]], incident.since, incident.cause.target.name)
    for f in incident.findings if opened else (incident.cause,):
        first = f is incident.cause
        # Folded, the line stands for all of them; opened, each has its own line.
        severity, since = (f.severity, f.since) if opened else (incident.severity, incident.since)
        yield Found(
            f.identity,
            SEVERITY_WORD[severity],
            SEVERITY_SLOT[severity],
            since,
            f.title,
            f.target.name,
            f,
            of_finding(f, snapshot),
            order,
            text,
            0 if opened else len(incident.symptoms),
            not first,
        )


def strip(frame: Frame, width: int, lines: int) -> tuple[Spans, ...]:
    """Return the worst incidents, one line each, for screens that show one pane at a time."""
    rows = list(islice(found(frame.snapshot), lines))
    made = []
    for row in rows:
        age = fmt.age(frame.now - row.since) if row.since is not None else ""
        keys = " ".join(KEY_OF[n] for n in row.finding.suggests if n in KEY_OF) if row.finding else ""
        pieces = spans((f"{row.word} ", row.slot), (f"{age:>4} ", "faint"))
        made.append((*pieces, *spans((f"{keys} " if keys else "", "accent")), *_title(row, frame, width)))
    if not rows:
        words = f"no {what_is_known(frame)}" if frame.connected else "connecting…"
        made.append(spans((words, "muted")))
    return tuple(made)


def what_is_known(frame: Frame) -> str:
    """Return what an empty list of findings has none of: that nothing is wrong takes every read."""
    return f"findings{NOT_ALL}" if blind(frame.snapshot, "info") else "findings"


def _severity(row: Found, frame: Frame, width: int) -> Spans:
    return spans((row.word, row.slot))


def _since(row: Found, frame: Frame, width: int) -> Spans:
    return spans((fmt.age(frame.now - row.since) if row.since is not None else fmt.UNKNOWN, "muted"))


def _title(row: Found, frame: Frame, width: int) -> Spans:
    if row.symptom:
        return spans((f"  {CORNER} ", "faint"), (row.title, "muted"))
    return spans((f"+{row.more} " if row.more else "", "accent"), row.title)


def _target(row: Found, frame: Frame, width: int) -> Spans:
    return spans((row.target, "muted"))


def _keys(row: Found, frame: Frame, width: int) -> Spans:
    names = row.finding.suggests if row.finding else ()
    return spans((" ".join(KEY_OF[n] for n in names if n in KEY_OF), "accent"))


COLUMNS: tuple[Column[Found], ...] = (
    Column("severity", "sev", 4, _severity, "left", sort=lambda r: r.order[0]),
    Column("since", "since", 5, _since, sort=lambda r: r.order[1]),
    Column("keys", "keys", 5, _keys, "left", rank=1),
    Column("title", "finding", 24, _title, "left", flex=3, wish=50),
    Column("target", "target", 18, _target, "left", rank=6, sort=lambda r: r.order[2], descending=False),
)


class FindingsPane(TablePane[Found]):
    """Incidents, one line each, and alarms. `x` shows and hides the symptoms of one."""

    def __init__(self, spec: PaneSpec[Found]) -> None:
        super().__init__(spec)
        self.opened: frozenset[Hashable] = frozenset()

    def rows(self, frame: Frame) -> Rows[Found]:
        """Return incidents, then alarms."""
        return Rows(tuple(found(frame.snapshot, self.opened)), attrgetter("key"))

    def logs_wanted(self, frame: Frame) -> tuple[tuple[Key, ...], Hashable]:
        """Return the logs of all functions that an incident concerns."""
        row = self.table.cursor_row
        if row is None or row.finding is None:
            return super().logs_wanted(frame)
        return logs_of(row.finding, frame.snapshot)

    def waiting(self, frame: Frame, what: str, *sources: str, besides: tuple[str, ...] = ()) -> Spans:
        """Return what an empty pane shows."""
        return super().waiting(frame, what_is_known(frame), *sources, besides=besides)

    def unfold(self) -> bool:
        """Show the symptoms of the incident under the cursor, or hide them."""
        row = self.table.cursor_row
        holder = next((i for i in self.frame.snapshot.incidents if row and row.finding in i.findings), None)
        if holder is None or not holder.symptoms:
            self.app.notify("This line has no symptoms.", markup=False)
            return True
        if holder.key in self.opened:
            self.table.move_to(holder.key)
        self.opened ^= {holder.key}
        self.forget_rows()
        self.show(self.frame)
        return True

    def middle(self, shown: int, total: int, frame: Frame) -> Spans:
        """Return the number of incidents by severity."""
        pieces = []
        for severity in ("critical", "warning", "info"):
            count = sum(i.severity == severity for i in frame.snapshot.incidents)
            if count:
                pieces.append((f"{count} {severity} ", SEVERITY_SLOT[severity]))
        if frame.snapshot.alarms:
            pieces.append((fmt.plural(len(frame.snapshot.alarms), "alarm"), "warning"))
        return super().middle(shown, total, frame) if self.filter.active else spans(*pieces)

    def ages(self, frame: Frame) -> Spans:
        """Return no ages: findings are as old as the snapshot."""
        return spans((f"evaluated {fmt.age(frame.lag_s)} ago", "muted")) if frame.connected else ()

    def extra_notes(self, frame: Frame) -> tuple[str, ...]:
        """Return what the source of the alarms lacks: they have a source of their own."""
        row = frame.source("alarms")
        if row is None or row.state not in ("denied", "failed"):
            return ()
        action = f", allow {row.action}" if row.action else ""
        return (f"alarms {row.state}{action}",)

    def finding(self) -> Finding | None:
        """Return the finding under the cursor, None for an alarm."""
        row = self.table.cursor_row
        return row.finding if row else None


def _detail(row: Found, frame: Frame) -> Spans:
    """Return evidence and suggestions of a finding."""
    if row.finding is None:
        return spans((row.title, "muted"))
    keys = suggestion(row.finding)
    gap = Span("  ") if keys else Span("")
    words = row.finding.formula or "  ".join(f"{n} {value_text(n, v)}" for n, v in row.finding.evidence)
    return (*spans(row.title), Span("\n"), *keys, gap, *spans((words, "muted")))


# The filter finds an incident by any of its findings.
SPEC = PaneSpec(
    key="5",
    name="findings",
    title="findings",
    does="findings",
    place="right",
    share=3,
    widget=FindingsPane,
    what="findings",
    columns=COLUMNS,
    text_of=attrgetter("text"),
    detail=_detail,
    selection=attrgetter("selection"),
)
